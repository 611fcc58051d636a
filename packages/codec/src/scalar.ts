import type { DType, DTypeMap, Scalar, ScalarMap } from "./dtype.ts";
import type { ElementType } from "./element-type.ts";
import { type Complex, clongdoubleAt, longdoubleAt, setLongdouble } from "./extended-scalar.ts";
import { float16ToNumber, numberToFloat16 } from "./float16.ts";

/** How elements of one kind are read and written. `index` counts elements, and NdArray has checked it. */
interface ScalarAccess<D extends DType> {
  readonly get: (data: DTypeMap[D], index: number) => ScalarMap[D];
  readonly set: (data: DTypeMap[D], index: number, value: unknown) => void;
}

/** Reads the element at `index` (in elements) as a JavaScript value. */
export function scalarAt<D extends DType>(type: ElementType<D>, data: DTypeMap[D], index: number): ScalarMap[D] {
  return accessOf(type).get(data, index);
}

/**
 * Writes `value` as the element at `index` (in elements).
 *
 * Numbers and bigints stand for each other where nothing is lost; a complex element takes a number for its real part.
 *
 * @throws TypeError for a value of another kind, RangeError for one that the dtype cannot hold.
 */
export function setScalar<D extends DType>(
  type: ElementType<D>,
  data: DTypeMap[D],
  index: number,
  value: unknown,
): void {
  accessOf(type).set(data, index, value);
}

const accesses: { readonly [D in DType]: ScalarAccess<D> } = {
  bool: {
    get: (data, index) => data[index] !== 0,
    set: (data, index, value) => {
      if (typeof value !== "boolean") throw new TypeError(`${show(value)} is no boolean`);
      data[index] = value ? 1 : 0;
    },
  },
  int8: integer(-(2 ** 7), 2 ** 7 - 1),
  int16: integer(-(2 ** 15), 2 ** 15 - 1),
  int32: integer(-(2 ** 31), 2 ** 31 - 1),
  int64: bigInteger((value) => BigInt.asIntN(64, value)),
  uint8: integer(0, 2 ** 8 - 1),
  uint16: integer(0, 2 ** 16 - 1),
  uint32: integer(0, 2 ** 32 - 1),
  uint64: bigInteger((value) => BigInt.asUintN(64, value)),
  float16: {
    get: (data, index) => (data instanceof Uint16Array ? float16ToNumber(entry(data, index)) : entry(data, index)),
    set: (data, index, value) => {
      data[index] = data instanceof Uint16Array ? numberToFloat16(toNumber(value)) : toNumber(value);
    },
  },
  float32: float(),
  float64: float(),
  float96: longdouble(12),
  float128: longdouble(16),
  complex64: complex(),
  complex128: complex(),
  complex192: clongdouble(12),
  complex256: clongdouble(16),
};

function accessOf<D extends DType>(type: ElementType<D>): ScalarAccess<D> {
  // The table is mapped over D, which TypeScript does not follow through a type parameter.
  return accesses[type.dtype] as unknown as ScalarAccess<D>;
}

type IntegerData = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

function integer(lowest: number, highest: number) {
  return {
    get: (data: IntegerData, index: number): number => entry(data, index),
    set: (data: IntegerData, index: number, value: unknown): void => {
      const number = toNumber(value);
      if (!Number.isInteger(number) || number < lowest || number > highest) {
        throw new RangeError(`${show(value)} is no integer from ${lowest} to ${highest}`);
      }
      data[index] = number;
    },
  };
}

function bigInteger(wrap: (value: bigint) => bigint) {
  return {
    get: (data: BigInt64Array | BigUint64Array, index: number): bigint => data[index] as bigint,
    set: (data: BigInt64Array | BigUint64Array, index: number, value: unknown): void => {
      const exact = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
      if (typeof exact !== "bigint") throw new TypeError(`${show(value)} is neither a bigint nor a safe integer`);
      if (wrap(exact) !== exact) throw new RangeError(`${exact} does not fit 64 bits`);
      data[index] = exact;
    },
  };
}

function float() {
  return {
    get: (data: Float32Array | Float64Array, index: number): number => entry(data, index),
    set: (data: Float32Array | Float64Array, index: number, value: unknown): void => {
      data[index] = toNumber(value);
    },
  };
}

function complex() {
  return {
    get: (data: Float32Array | Float64Array, index: number): Complex => ({
      re: entry(data, 2 * index),
      im: entry(data, 2 * index + 1),
    }),
    set: (data: Float32Array | Float64Array, index: number, value: unknown): void => {
      const { re, im } = toComplex(value);
      data[2 * index] = re;
      data[2 * index + 1] = im;
    },
  };
}

function longdouble(itemSize: number) {
  return {
    get: (data: Uint8Array, index: number): number => longdoubleAt(data, index * itemSize),
    set: (data: Uint8Array, index: number, value: unknown): void =>
      setLongdouble(data, index * itemSize, itemSize, toNumber(value)),
  };
}

function clongdouble(half: number) {
  return {
    get: (data: Uint8Array, index: number): Complex => clongdoubleAt(data, index * 2 * half, half),
    set: (data: Uint8Array, index: number, value: unknown): void => {
      const { re, im } = toComplex(value);
      setLongdouble(data, index * 2 * half, half, re);
      setLongdouble(data, index * 2 * half + half, half, im);
    },
  };
}

function entry(data: ArrayLike<number>, index: number): number {
  return data[index] as number;
}

function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value !== "bigint") throw new TypeError(`${show(value)} is no number`);
  const number = Number(value);
  if (BigInt(number) !== value) throw new RangeError(`${value} is not exact as a number`);
  return number;
}

function toComplex(value: unknown): Complex {
  if (typeof value !== "object" || value === null) return { re: toNumber(value), im: 0 };
  const { re, im } = value as Partial<Complex>;
  if (typeof re !== "number" || typeof im !== "number") throw new TypeError(`${show(value)} has no numbers re and im`);
  return { re, im };
}

function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}`;
  return (JSON.stringify(value as Scalar) ?? String(value)).slice(0, 80);
}
