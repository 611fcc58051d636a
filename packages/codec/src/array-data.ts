import { type DType, type DTypeMap, dataOver, dtypeInfo, type TypedArray } from "./dtype.ts";
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

/** Names of the typed arrays that hold each dtype, as they were asked for: arrays are made often. */
const dataNames = new Map<DType, string>();

/**
 * Refuses typed data that holds another type, whose bytes would be taken for the wrong elements. By its name, which is the
 * same for a typed array of another realm and for a `Buffer`.
 *
 * @throws TypeError naming both.
 */
export function checkData(type: ElementType, data: TypedArray): void {
  const { dtype } = type;
  const expected = dataNames.get(dtype) ?? nameOf(createData(type, 0));
  dataNames.set(dtype, expected);
  const found = nameOf(data);
  // Bits of float16 are taken where the runtime has an array for them too; what has no name only stands in for data.
  const isSame = found === expected || found === "" || (found === "Uint8ClampedArray" && expected === "Uint8Array");
  if (isSame || (dtype === "float16" && found === "Uint16Array")) return;
  throw new TypeError(`the data of ${dtype} is a ${expected}, not a ${found}`);
}

/** Name of a typed array's class; none for what is no typed array. */
function nameOf(data: object): string {
  return (data as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? "";
}
