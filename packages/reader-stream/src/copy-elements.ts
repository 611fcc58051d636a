import { copyToC, type ElementType, shapeSize, viewData } from "@npystream/codec";

/** Elements as they lie in bytes: how many on each axis, and how far apart, in elements. */
export interface ElementLayout {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Position in elements of index 0. @defaultValue 0 */
  readonly offset?: number;
}

/** Copies elements that lie in `bytes` as `layout` says into `into`, in C order. */
export function copyElements(type: ElementType, bytes: Uint8Array, layout: ElementLayout, into: Uint8Array): void {
  const { shape, strides, offset = 0 } = layout;
  const target = viewData(type, into);
  copyToC({ type, shape, strides, offset, size: shapeSize(shape, type.itemSize), data: viewData(type, bytes) }, target);
  // What is not aligned for the type was viewed as a copy.
  if (target.buffer !== into.buffer) into.set(new Uint8Array(target.buffer, target.byteOffset, into.length));
}
