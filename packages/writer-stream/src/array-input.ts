import {
  type DTypeLike,
  type ElementType,
  elementType,
  fromNested,
  isNpyError,
  NdArray,
  type Nested,
  NpyError,
  type Scalar,
  type TypedArray,
  viewData,
} from "@npystream/codec";

/** What is written as an array: one, a typed array, or nested lists of values. */
export type ArrayInput = NdArray | TypedArray | Uint8ClampedArray | Nested<Scalar>;

/** The constructor of a typed array, which tells what its entries are. */
export interface EntriesConstructor {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
}

/** A typed array, whatever it holds. */
export interface FlatArray {
  readonly constructor: unknown;
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly length: number;
}

/**
 * Gives `input` as an array: an `NdArray` as it is; a typed array with one axis, a view; nested lists as their nesting says.
 *
 * Without `dtype`, a typed array tells it by its type and nested lists by their first value: numbers are float64,
 * bigints int64, booleans bool, `{ re, im }` complex128. With it, a typed array must hold data of that type, and a
 * `Uint8Array` gives the bytes of any type; nothing is cast.
 *
 * @throws NpyError `ERR_WRITE_DTYPE` for values of another type, `ERR_WRITE_SHAPE` for lists of uneven length.
 */
export function arrayOf(input: ArrayInput, dtype?: DTypeLike): NdArray {
  const type = dtype === undefined ? undefined : elementType(dtype);
  if (isNdArray(input)) {
    if (type !== undefined && !isSameType(input.type, type)) throw dtypeError(type, input.dtype);
    return input;
  }
  if (!isFlatArray(input)) return nestedArray(input, type ?? inferredType(input));
  // What isFlatArray lets through is a typed array; the clamped one holds uint8 data like any other.
  const data = input as unknown as TypedArray;
  if (type === undefined) return NdArray.from(data);
  const isData = holds(input, type);
  if (!isData && !isBytes(input)) throw dtypeError(type, nameOf(input));
  const size = input.byteLength / type.itemSize;
  if (!Number.isInteger(size)) {
    throw new NpyError("ERR_WRITE_SHAPE", `${input.byteLength} bytes are not a whole number of ${type.dtype} elements`);
  }
  const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  return new NdArray({ dtype: type, shape: [size], data: isData ? data : viewData(type, bytes) });
}

/** Tells whether `value` is an `NdArray`, also one of another installed copy of codec. */
export function isNdArray(value: unknown): value is NdArray {
  return (
    value instanceof NdArray ||
    (typeof value === "object" && value !== null && "contiguous" in value && "strides" in value && "type" in value)
  );
}

/** Tells whether `value` is a typed array. */
export function isFlatArray(value: unknown): value is FlatArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Tells whether entries of `array` are the data of `type` as an `NdArray` holds it: two floats a complex number. */
export function holds(array: FlatArray, type: ElementType): boolean {
  const storage = storageOf(type);
  // Half floats come as their bits from a runtime without Float16Array.
  if (type.dtype === "float16" && array instanceof Uint16Array) return true;
  return array.constructor === storage || (storage === Uint8Array && isBytes(array));
}

/** Tells whether `array` can stand for the bytes of any type. */
export function isBytes(array: FlatArray): boolean {
  return array instanceof Uint8Array || array instanceof Uint8ClampedArray;
}

/** The typed array that holds data of `type`. */
export function storageOf(type: ElementType): EntriesConstructor {
  // The type of any object's constructor is Function; that of data makes typed arrays.
  return NdArray.zeros(type, [0]).data.constructor as unknown as EntriesConstructor;
}

/** Says that values are not of the type that is written. */
export function dtypeError(expected: ElementType, found: string): NpyError {
  return new NpyError("ERR_WRITE_DTYPE", `expected ${expected.dtype}, found ${found}; nothing is cast`);
}

/** Names what a value is, for a message. */
export function nameOf(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor?.name || "an object" : typeof value;
}

/** Tells whether two element types are one, parameters included. */
export function isSameType(a: ElementType, b: ElementType): boolean {
  return a === b || (a.dtype === b.dtype && JSON.stringify(a.descr) === JSON.stringify(b.descr));
}

function nestedArray(values: Nested<Scalar>, type: ElementType): NdArray {
  try {
    return fromNested(values, type);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const code = isNpyError(cause) ? "ERR_WRITE_SHAPE" : "ERR_WRITE_DTYPE";
    throw new NpyError(code, message, { cause });
  }
}

function inferredType(values: Nested<Scalar>): ElementType {
  let value: unknown = values;
  while (Array.isArray(value)) value = value[0];
  switch (typeof value) {
    case "number":
      return elementType("float64");
    case "bigint":
      return elementType("int64");
    case "boolean":
      return elementType("bool");
    case "undefined":
      // An empty list is float64 in NumPy too.
      if (Array.isArray(values)) return elementType("float64");
      break;
    case "object":
      if (value !== null && "re" in value && "im" in value) return elementType("complex128");
  }
  throw new NpyError("ERR_WRITE_DTYPE", `${nameOf(value)} is no value of an array${wayOut(value)}`);
}

/** Says what to do with values that are some of a dtype which they do not tell by themselves. */
function wayOut(value: unknown): string {
  if (typeof value === "string") return " by itself: text has a dtype with its length, such as 'U12' for 12 characters";
  if (value instanceof Date) return ": give BigInt(date.getTime()) with the dtype 'datetime64[ms]'";
  if (isFlatArray(value)) return ": make one NdArray of typed arrays, NdArray.from(data, shape)";
  if (typeof value !== "object" || value === null) return "";
  return " by itself: a record has a dtype with its fields, such as [['name', 'U12'], ['age', 'u1']]";
}
