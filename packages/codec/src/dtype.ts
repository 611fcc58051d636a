import type { Complex } from "./extended-scalar.ts";

/** A `Float16Array` as far as npystream needs one; runtimes without it hold the bits in a `Uint16Array`. */
export interface Float16ArrayLike {
  /** Always 2. */
  readonly BYTES_PER_ELEMENT: number;
  /** Memory that it is a view of. */
  readonly buffer: ArrayBufferLike;
  /** Bytes in all. */
  readonly byteLength: number;
  /** Position in the buffer in bytes. */
  readonly byteOffset: number;
  /** Number of elements. */
  readonly length: number;
  /** The value of an element. */
  [index: number]: number;
  /** Iterates over the values. */
  [Symbol.iterator](): IterableIterator<number>;
  /** Sets elements to a value. */
  fill(value: number, start?: number, end?: number): this;
  /** Writes the values as text. */
  join(separator?: string): string;
  /** Copies values in. */
  set(values: ArrayLike<number>, offset?: number): void;
  /** Copies a range. */
  slice(start?: number, end?: number): Float16ArrayLike;
  /** Views a range. */
  subarray(start?: number, end?: number): Float16ArrayLike;
}

/** Storage of float16: `Float16Array` (values) where the runtime has it, else `Uint16Array` (bits). */
export type Float16Data = Uint16Array | Float16ArrayLike;

/**
 * The typed array that holds each dtype.
 *
 * Complex data is interleaved re, im; text is code points; extended precision, bytes, void and structs stay raw bytes.
 */
export interface DTypeMap {
  /** A byte an element, 0 or 1. */
  bool: Uint8Array;
  /** 8 bits, signed. */
  int8: Int8Array;
  /** 16 bits, signed. */
  int16: Int16Array;
  /** 32 bits, signed. */
  int32: Int32Array;
  /** 64 bits, signed. */
  int64: BigInt64Array;
  /** 8 bits, unsigned. */
  uint8: Uint8Array;
  /** 16 bits, unsigned. */
  uint16: Uint16Array;
  /** 32 bits, unsigned. */
  uint32: Uint32Array;
  /** 64 bits, unsigned. */
  uint64: BigUint64Array;
  /** IEEE 754 binary16. */
  float16: Float16Data;
  /** Upper half of a binary32. */
  bfloat16: Uint16Array;
  /** IEEE 754 binary32. */
  float32: Float32Array;
  /** IEEE 754 binary64. */
  float64: Float64Array;
  /** x87 80 bits in 12 bytes. */
  float96: Uint8Array;
  /** x87 80 bits in 16 bytes. */
  float128: Uint8Array;
  /** Two binary32: real, imaginary. */
  complex64: Float32Array;
  /** Two binary64: real, imaginary. */
  complex128: Float64Array;
  /** Two x87 80 bits in 12 bytes each. */
  complex192: Uint8Array;
  /** Two x87 80 bits in 16 bytes each. */
  complex256: Uint8Array;
  /** Count without a unit; NaT is -2^63. */
  datetime64: BigInt64Array;
  /** Count without a unit; NaT is -2^63. */
  timedelta64: BigInt64Array;
  /** Count of the unit since 1970-01-01; NaT is -2^63. */
  [datetime: `datetime64[${string}]`]: BigInt64Array;
  /** Count of the unit; NaT is -2^63. */
  [timedelta: `timedelta64[${string}]`]: BigInt64Array;
  /** Item size bytes an element, NULs at its end. */
  bytes: Uint8Array;
  /** Code points, item size / 4 an element, NULs at its end. */
  str: Uint32Array;
  /** Item size bytes an element. */
  void: Uint8Array;
  /** Item size bytes a record. */
  struct: Uint8Array;
}

/** What one element of each dtype is in JavaScript. */
export interface ScalarMap {
  /** True or false. */
  bool: boolean;
  /** A whole number. */
  int8: number;
  /** A whole number. */
  int16: number;
  /** A whole number. */
  int32: number;
  /** A whole number. */
  int64: bigint;
  /** A whole number. */
  uint8: number;
  /** A whole number. */
  uint16: number;
  /** A whole number. */
  uint32: number;
  /** A whole number. */
  uint64: bigint;
  /** The exact value. */
  float16: number;
  /** The exact value. */
  bfloat16: number;
  /** The exact value. */
  float32: number;
  /** The exact value. */
  float64: number;
  /** The nearest double. */
  float96: number;
  /** The nearest double. */
  float128: number;
  /** The exact parts. */
  complex64: Complex;
  /** The exact parts. */
  complex128: Complex;
  /** The nearest doubles. */
  complex192: Complex;
  /** The nearest doubles. */
  complex256: Complex;
  /** The count. */
  datetime64: bigint;
  /** The count. */
  timedelta64: bigint;
  /** The count; `formatDatetime` prints it. */
  [datetime: `datetime64[${string}]`]: bigint;
  /** The count. */
  [timedelta: `timedelta64[${string}]`]: bigint;
  /** A view without the NULs at its end. */
  bytes: Uint8Array;
  /** Text without the NULs at its end. */
  str: string;
  /** A view of all bytes. */
  void: Uint8Array;
  /** Values by field. */
  struct: StructScalar;
}

/** One record: its values by field name; a sub-array is nested lists. */
export interface StructScalar {
  /** Value of a field: an element, or nested lists of a sub-array's. */
  readonly [field: string]: Scalar | readonly NestedScalar[];
}

/** Nested lists of elements, as a field that is a sub-array holds them. */
export type NestedScalar = Scalar | readonly NestedScalar[];

/**
 * Name of an element type, as NumPy's `dtype.name` gives it; of those with a size of their own, `bytes`, `str`, `void` and
 * `struct` are the kind, and {@link ElementType} has the rest.
 *
 * `float96` and `float128` are the two paddings of NumPy's `longdouble` (the x87 80-bit format), `complex192` and
 * `complex256` those of `clongdouble`. `bfloat16` is what ml_dtypes writes as `V2`.
 */
export type DType = keyof DTypeMap;

/** Any typed array that holds array data. */
export type TypedArray = DTypeMap[DType];

/** One value of any dtype. */
export type Scalar = ScalarMap[Exclude<DType, "struct">] | StructScalar;

/** NumPy's `dtype.kind`: boolean, signed, unsigned, float, complex, timedelta, datetime, bytes, text, void (and structs). */
export type DTypeKind = "b" | "i" | "u" | "f" | "c" | "m" | "M" | "S" | "U" | "V";

/** What is fixed about a dtype. */
export interface DTypeInfo {
  /** NumPy's letter for the kind. */
  readonly kind: DTypeKind;
  /** Bytes an element; 0 where each array has its own size: bytes, str, void, struct. */
  readonly itemSize: number;
  /** Numbers an element: 2 for complex, else 1. A byte swap reverses `itemSize / components` bytes. */
  readonly components: 1 | 2;
  /** Bytes an entry of the typed array that holds it. */
  readonly entryBytes: number;
}

/** A constructor of a typed array over a buffer. */
interface DataConstructor {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
}

const Float16 = (globalThis as { readonly Float16Array?: DataConstructor }).Float16Array;

interface DTypeRow extends DTypeInfo {
  readonly view: DataConstructor;
}

function row(kind: DTypeKind, itemSize: number, view: DataConstructor): DTypeRow {
  return { kind, itemSize, components: kind === "c" ? 2 : 1, entryBytes: view.BYTES_PER_ELEMENT, view };
}

const rows: Readonly<Record<string, DTypeRow>> = {
  bool: row("b", 1, Uint8Array),
  int8: row("i", 1, Int8Array),
  int16: row("i", 2, Int16Array),
  int32: row("i", 4, Int32Array),
  int64: row("i", 8, BigInt64Array),
  uint8: row("u", 1, Uint8Array),
  uint16: row("u", 2, Uint16Array),
  uint32: row("u", 4, Uint32Array),
  uint64: row("u", 8, BigUint64Array),
  float16: row("f", 2, Float16 ?? Uint16Array),
  bfloat16: row("f", 2, Uint16Array),
  float32: row("f", 4, Float32Array),
  float64: row("f", 8, Float64Array),
  float96: row("f", 12, Uint8Array),
  float128: row("f", 16, Uint8Array),
  complex64: row("c", 8, Float32Array),
  complex128: row("c", 16, Float64Array),
  complex192: row("c", 24, Uint8Array),
  complex256: row("c", 32, Uint8Array),
  datetime64: row("M", 8, BigInt64Array),
  timedelta64: row("m", 8, BigInt64Array),
  bytes: row("S", 0, Uint8Array),
  str: row("U", 0, Uint32Array),
  void: row("V", 0, Uint8Array),
  struct: row("V", 0, Uint8Array),
};

/** Every dtype, in NumPy's order of kinds; datetimes stand there without their units. */
export const dtypes: readonly DType[] = Object.keys(rows) as DType[];

const dtypesByConstructor: ReadonlyMap<unknown, DType> = new Map<unknown, DType>([
  [Int8Array, "int8"],
  [Int16Array, "int16"],
  [Int32Array, "int32"],
  [BigInt64Array, "int64"],
  [Uint8Array, "uint8"],
  [Uint8ClampedArray, "uint8"],
  [Uint16Array, "uint16"],
  [Uint32Array, "uint32"],
  [BigUint64Array, "uint64"],
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  ...(Float16 === undefined ? [] : [[Float16, "float16"] as [unknown, DType]]),
]);

/**
 * Looks up kind, item size and storage of a dtype.
 *
 * @throws TypeError where `dtype` is not one.
 */
export function dtypeInfo(dtype: DType): DTypeInfo {
  return rowOf(dtype);
}

/**
 * Names the dtype that a typed array holds by itself: `Float32Array` is float32, `Uint8Array` is uint8.
 *
 * @throws TypeError for anything else.
 */
export function dtypeOf(data: TypedArray | Uint8ClampedArray): DType {
  for (let type: unknown = data?.constructor; typeof type === "function"; type = Object.getPrototypeOf(type)) {
    // A Buffer is a Uint8Array, hence the walk.
    const dtype = dtypesByConstructor.get(type);
    if (dtype !== undefined) return dtype;
  }
  throw new TypeError(`expected a typed array, found ${data === null ? "null" : typeof data}`);
}

/** Makes the typed array that holds `dtype` over `buffer`; `length` counts its entries. */
export function dataOver<D extends DType>(
  dtype: D,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): DTypeMap[D] {
  // The table holds for each dtype the constructor that DTypeMap names.
  return new (rowOf(dtype).view)(buffer, byteOffset, length) as DTypeMap[D];
}

function rowOf(dtype: DType): DTypeRow {
  const name = typeof dtype === "string" ? dtype.replace(/\[.*/, "") : "";
  const found = Object.hasOwn(rows, name) ? rows[name] : undefined;
  if (found === undefined) throw new TypeError(`unknown dtype ${JSON.stringify(dtype)}; one of ${dtypes.join(", ")}`);
  return found;
}
