import { type DType, type DTypeMap, dataOver, dtypeInfo } from "./dtype.ts";
import type { ElementType } from "./element-type.ts";
import { elementType } from "./parse-descr.ts";

/** Allocates zeroed data for `size` elements. */
export function createData<D extends DType>(type: D | ElementType<D>, size: number): DTypeMap[D] {
  const { dtype, itemSize, stride } = elementType(type);
  return dataOver(dtype, new ArrayBuffer(size * itemSize), 0, size * stride);
}

/**
 * Gives bytes in the machine's order as typed data: a view where they are aligned for it, else a copy.
 *
 * @throws RangeError where the bytes are not a whole number of elements.
 */
export function viewData<D extends DType>(type: D | ElementType<D>, bytes: Uint8Array): DTypeMap[D] {
  const { dtype, itemSize } = elementType(type);
  if (itemSize === 0 ? bytes.byteLength > 0 : bytes.byteLength % itemSize !== 0) {
    throw new RangeError(
      `${bytes.byteLength} bytes are not a whole number of ${dtype} elements (${itemSize} bytes each)`,
    );
  }
  const { entryBytes } = dtypeInfo(dtype);
  const aligned = bytes.byteOffset % entryBytes === 0 ? bytes : new Uint8Array(bytes);
  return dataOver(dtype, aligned.buffer, aligned.byteOffset, aligned.byteLength / entryBytes);
}
