import type { DType, DTypeMap, Scalar, ScalarMap, StructScalar, TypedArray } from "./dtype.ts";
import type { ElementType } from "./element-type.ts";
import { type Complex, clongdoubleAt, longdoubleAt, setLongdouble } from "./extended-scalar.ts";
import { bfloat16ToNumber, float16ToNumber, numberToBfloat16, numberToFloat16 } from "./float16.ts";
import { setStruct, structAt } from "./struct-scalar.ts";
import { bytesAt, setBytes, setText, textAt, voidAt } from "./text-scalar.ts";

/** How elements of one kind are read and written. `index` counts elements, and NdArray has checked it. */
interface ScalarAccess<T, S extends Scalar = Scalar> {
  readonly get: (data: T, index: number, type: ElementType) => S;
  readonly set: (data: T, index: number, value: unknown, type: ElementType) => void;
}

/**
 * Reads the element at `index` (in elements) as a JavaScript value; bytes are views of `data`.
 *
 * @returns bigint for 64-bit integers and times, `{ re, im }` for complex, an object by field for structs.
 */
export function scalarAt<D extends DType>(type: ElementType<D>, data: DTypeMap[D], index: number): ScalarMap[D] {
  // What an access gives is what ScalarMap has for its dtype.
  return accessOf(type.dtype).get(data, index, type) as ScalarMap[D];
}

/**
 * Writes `value` as the element at `index` (in elements).
 *
 * Numbers and bigints stand for each other where nothing is lost; a complex element takes a number for its real part, and
 * bytes take latin-1 text.
 *
 * @throws TypeError for a value of another kind, RangeError for one that the dtype cannot hold.
 */
export function setScalar<D extends DType>(
  type: ElementType<D>,
  data: DTypeMap[D],
  index: number,
  value: unknown,
): void {
  accessOf(type.dtype).set(data, index, value, type);
}

const wide = bigInteger((value) => BigInt.asIntN(64, value));

const accesses: ReadonlyMap<string, ScalarAccess<never>> = new Map<string, ScalarAccess<never>>([
  ["bool", bool()],
  ["int8", integer(-(2 ** 7), 2 ** 7 - 1)],
  ["int16", integer(-(2 ** 15), 2 ** 15 - 1)],
  ["int32", integer(-(2 ** 31), 2 ** 31 - 1)],
  ["int64", wide],
  ["uint8", integer(0, 2 ** 8 - 1)],
  ["uint16", integer(0, 2 ** 16 - 1)],
  ["uint32", integer(0, 2 ** 32 - 1)],
  ["uint64", bigInteger((value) => BigInt.asUintN(64, value))],
  ["float16", float16()],
  ["bfloat16", bfloat16()],
  ["float32", float()],
  ["float64", float()],
  ["float96", longdouble()],
  ["float128", longdouble()],
  ["complex64", complex()],
  ["complex128", complex()],
  ["complex192", clongdouble()],
  ["complex256", clongdouble()],
  ["datetime64", wide],
  ["timedelta64", wide],
  ["bytes", { get: bytesAt, set: setBytes }],
  ["str", { get: textAt, set: setText }],
  ["void", { get: voidAt, set: setBytes }],
  ["struct", struct()],
]);

function accessOf(dtype: DType): ScalarAccess<TypedArray> {
  // Datetimes and timedeltas with a unit are counts like those without.
  const access = accesses.get(dtype) ?? accesses.get("int64");
  // The table has every dtype, with the data that DTypeMap gives it.
  return access as unknown as ScalarAccess<TypedArray>;
}

function bool(): ScalarAccess<Uint8Array, boolean> {
  return {
    get: (data, index) => data[index] !== 0,
    set: (data, index, value) => {
      if (typeof value !== "boolean") throw new TypeError(`${showValue(value)} is no boolean`);
      data[index] = value ? 1 : 0;
    },
  };
}

type IntegerData = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

function integer(lowest: number, highest: number): ScalarAccess<IntegerData, number> {
  return {
    get: entry,
    set: (data, index, value) => {
      const number = toNumber(value);
      if (!Number.isInteger(number) || number < lowest || number > highest) {
        throw new RangeError(`${showValue(value)} is no integer from ${lowest} to ${highest}`);
      }
      data[index] = number;
    },
  };
}

function bigInteger(wrap: (value: bigint) => bigint): ScalarAccess<BigInt64Array | BigUint64Array, bigint> {
  return {
    get: (data, index) => data[index] as bigint,
    set: (data, index, value) => {
      const exact = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
      if (typeof exact !== "bigint") throw new TypeError(`${showValue(value)} is neither a bigint nor a safe integer`);
      if (wrap(exact) !== exact) throw new RangeError(`${exact} does not fit 64 bits`);
      data[index] = exact;
    },
  };
}

function float16(): ScalarAccess<DTypeMap["float16"], number> {
  return {
    get: (data, index) => (data instanceof Uint16Array ? float16ToNumber(entry(data, index)) : entry(data, index)),
    set: (data, index, value) => {
      data[index] = data instanceof Uint16Array ? numberToFloat16(toNumber(value)) : toNumber(value);
    },
  };
}

function bfloat16(): ScalarAccess<Uint16Array, number> {
  return {
    get: (data, index) => bfloat16ToNumber(entry(data, index)),
    set: (data, index, value) => {
      data[index] = numberToBfloat16(toNumber(value));
    },
  };
}

function float(): ScalarAccess<Float32Array | Float64Array, number> {
  return {
    get: entry,
    set: (data, index, value) => {
      data[index] = toNumber(value);
    },
  };
}

function complex(): ScalarAccess<Float32Array | Float64Array, Complex> {
  return {
    get: (data, index) => ({ re: entry(data, 2 * index), im: entry(data, 2 * index + 1) }),
    set: (data, index, value) => {
      const { re, im } = toComplex(value);
      data[2 * index] = re;
      data[2 * index + 1] = im;
    },
  };
}

function longdouble(): ScalarAccess<Uint8Array, number> {
  return {
    get: (data, index, { itemSize }) => longdoubleAt(data, index * itemSize),
    set: (data, index, value, { itemSize }) => setLongdouble(data, index * itemSize, itemSize, toNumber(value)),
  };
}

function clongdouble(): ScalarAccess<Uint8Array, Complex> {
  return {
    get: (data, index, { itemSize }) => clongdoubleAt(data, index * itemSize, itemSize / 2),
    set: (data, index, value, { itemSize }) => {
      const { re, im } = toComplex(value);
      setLongdouble(data, index * itemSize, itemSize / 2, re);
      setLongdouble(data, index * itemSize + itemSize / 2, itemSize / 2, im);
    },
  };
}

function struct(): ScalarAccess<Uint8Array, StructScalar> {
  return {
    get: (data, index, type) => structAt(data, index, type, scalarAt),
    set: (data, index, value, type) => setStruct(data, index, value, type, setScalar),
  };
}

function entry(data: ArrayLike<number>, index: number): number {
  return data[index] as number;
}

function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value !== "bigint") throw new TypeError(`${showValue(value)} is no number`);
  const number = Number(value);
  if (BigInt(number) !== value) throw new RangeError(`${value} is not exact as a number`);
  return number;
}

function toComplex(value: unknown): Complex {
  if (typeof value !== "object" || value === null) return { re: toNumber(value), im: 0 };
  const { re, im } = value as Partial<Complex>;
  if (typeof re !== "number" || typeof im !== "number") {
    throw new TypeError(`${showValue(value)} has no numbers re and im`);
  }
  return { re, im };
}

/** A value for an error message, cut where it is long. */
function showValue(value: unknown): string {
  // JSON has no NaN and would call it null.
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return (JSON.stringify(value) ?? String(value)).slice(0, 80);
  return Array.isArray(value) ? "a list" : "an object";
}
