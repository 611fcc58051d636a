import type { Complex } from "./extended-scalar.ts";

/** A `Float16Array` as far as npystream needs one; runtimes without it hold the bits in a `Uint16Array`. */
export interface Float16ArrayLike {
  readonly BYTES_PER_ELEMENT: number;
  readonly buffer: ArrayBufferLike;
  readonly byteLength: number;
  readonly byteOffset: number;
  readonly length: number;
  [index: number]: number;
}

/** Storage of float16: `Float16Array` (values) where the runtime has it, else `Uint16Array` (bits). */
export type Float16Data = Uint16Array | Float16ArrayLike;

/** The typed array that holds each dtype. Complex data is interleaved re, im; extended precision stays raw bytes. */
export interface DTypeMap {
  bool: Uint8Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  float16: Float16Data;
  float32: Float32Array;
  float64: Float64Array;
  float96: Uint8Array;
  float128: Uint8Array;
  complex64: Float32Array;
  complex128: Float64Array;
  complex192: Uint8Array;
  complex256: Uint8Array;
}

/** What one element of each dtype is in JavaScript. */
export interface ScalarMap {
  bool: boolean;
  int8: number;
  int16: number;
  int32: number;
  int64: bigint;
  uint8: number;
  uint16: number;
  uint32: number;
  uint64: bigint;
  float16: number;
  float32: number;
  float64: number;
  float96: number;
  float128: number;
  complex64: Complex;
  complex128: Complex;
  complex192: Complex;
  complex256: Complex;
}

/**
 * Name of an element type, as NumPy's `dtype.name` gives it.
 *
 * `float96` and `float128` are the two paddings of NumPy's `longdouble` (the x87 80-bit format), `complex192` and
 * `complex256` those of `clongdouble`.
 */
export type DType = keyof DTypeMap;

/** Any typed array that holds array data. */
export type TypedArray = DTypeMap[DType];

/** One value of any dtype. */
export type Scalar = ScalarMap[DType];

/** What is fixed about a dtype. */
export interface DTypeInfo {
  /** NumPy's `dtype.kind`: boolean, signed, unsigned, float, complex. */
  readonly kind: "b" | "i" | "u" | "f" | "c";
  /** Bytes an element. */
  readonly itemSize: number;
  /** Numbers an element: 2 for complex. A byte swap reverses `itemSize / components` bytes. */
  readonly components: 1 | 2;
  /** NumPy's type string without its byte order, `f4`. */
  readonly typeChars: string;
}

interface DTypeRow<D extends DType> extends DTypeInfo {
  /** Entries of `data` an element. */
  readonly stride: number;
  readonly view: (buffer: ArrayBufferLike, byteOffset: number, entries: number) => DTypeMap[D];
}

type Constructor<T> = {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
};

const Float16: (Constructor<Float16ArrayLike> & { readonly name: string }) | undefined = (
  globalThis as { Float16Array?: Constructor<Float16ArrayLike> & { readonly name: string } }
).Float16Array;

const float16View: Constructor<Float16Data> = Float16 ?? (Uint16Array as Constructor<Float16Data>);

function row<D extends DType>(kind: DTypeInfo["kind"], itemSize: number, view: Constructor<DTypeMap[D]>): DTypeRow<D> {
  return {
    kind,
    itemSize,
    components: kind === "c" ? 2 : 1,
    typeChars: `${kind}${itemSize}`,
    stride: itemSize / view.BYTES_PER_ELEMENT,
    view: (buffer, byteOffset, entries) => new view(buffer, byteOffset, entries),
  };
}

const rows: { readonly [D in DType]: DTypeRow<D> } = {
  bool: row("b", 1, Uint8Array),
  int8: row("i", 1, Int8Array),
  int16: row("i", 2, Int16Array),
  int32: row("i", 4, Int32Array),
  int64: row("i", 8, BigInt64Array),
  uint8: row("u", 1, Uint8Array),
  uint16: row("u", 2, Uint16Array),
  uint32: row("u", 4, Uint32Array),
  uint64: row("u", 8, BigUint64Array),
  float16: row("f", 2, float16View),
  float32: row("f", 4, Float32Array),
  float64: row("f", 8, Float64Array),
  float96: row("f", 12, Uint8Array),
  float128: row("f", 16, Uint8Array),
  complex64: row("c", 8, Float32Array),
  complex128: row("c", 16, Float64Array),
  complex192: row("c", 24, Uint8Array),
  complex256: row("c", 32, Uint8Array),
};

/** Every dtype, in NumPy's order of kinds. */
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

/** Tells whether `value` names a dtype. */
export function isDType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(rows, value);
}

/**
 * Looks up kind, item size and type string of a dtype.
 *
 * @throws TypeError where `dtype` is not one.
 */
export function dtypeInfo(dtype: DType): DTypeInfo {
  return rowOf(dtype);
}

/** Allocates zeroed data for `size` elements. */
export function createData<D extends DType>(dtype: D, size: number): DTypeMap[D] {
  const { itemSize, stride, view } = rowOf(dtype);
  return view(new ArrayBuffer(size * itemSize), 0, size * stride);
}

/**
 * Gives bytes in the machine's order as typed data: a view where they are aligned for it, else a copy.
 *
 * @throws RangeError where the bytes are not a whole number of elements.
 */
export function viewData<D extends DType>(dtype: D, bytes: Uint8Array): DTypeMap[D] {
  const { itemSize, stride, view } = rowOf(dtype);
  if (bytes.byteLength % itemSize !== 0) {
    throw new RangeError(
      `${bytes.byteLength} bytes are not a whole number of ${dtype} elements (${itemSize} bytes each)`,
    );
  }
  const entryBytes = itemSize / stride;
  const aligned = bytes.byteOffset % entryBytes === 0 ? bytes : new Uint8Array(bytes);
  return view(aligned.buffer, aligned.byteOffset, aligned.byteLength / entryBytes);
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
  throw new TypeError("expected a typed array");
}

/** Number of entries of `data` that one element takes: 2 for complex64, its item size for raw bytes, else 1. */
export function dataStride(dtype: DType): number {
  return rowOf(dtype).stride;
}

function rowOf<D extends DType>(dtype: D): DTypeRow<D> {
  if (!isDType(dtype)) throw new TypeError(`unknown dtype ${JSON.stringify(dtype)}; one of ${dtypes.join(", ")}`);
  // The table is mapped over D, which TypeScript does not follow through a type parameter.
  return rows[dtype] as unknown as DTypeRow<D>;
}
