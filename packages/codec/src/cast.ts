import { createData } from "./array-data.ts";
import { nativeByteOrder } from "./byte-order.ts";
import { type DType, type DTypeMap, dtypeInfo, type TypedArray } from "./dtype.ts";
import type { ElementType } from "./element-type.ts";
import { bfloat16ToNumber, float16ToNumber, numberToBfloat16, numberToFloat16 } from "./float16.ts";
import { NpyError } from "./npy-error.ts";
import { scalarAt, setScalar } from "./scalar.ts";

/** Numbers to read one by one, whatever holds them. */
type Numbers = ArrayLike<number>;

/** Ranges of the integers that a number can be cast to. */
const RANGES: Readonly<Partial<Record<DType, readonly [lowest: number, highest: number]>>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
};

/**
 * Casts elements in C order to another type, with NumPy's meaning where nothing but precision is lost: floats are cut
 * towards zero for integers, and anything but 0 is true.
 *
 * @param data - Elements of `from`, from the first entry on.
 * @throws NpyError `ERR_CAST_RANGE` for an element that the type cannot hold, with its index, where NumPy wraps or gives
 *   anything; also an int64 past 2^53 - 1 as a float.
 * @throws TypeError for a cast that would drop a part: complex to real, or to or from text, bytes and structs.
 */
export function castData<D extends DType>(
  from: ElementType,
  data: TypedArray,
  size: number,
  to: ElementType<D>,
): DTypeMap[D] {
  const [source, target] = [dtypeInfo(from.dtype), dtypeInfo(to.dtype)];
  const isNumeric = "biuf".includes(source.kind) && "biufc".includes(target.kind);
  const result = createData(to, size);
  if (source.kind === "c" && target.kind === "c") castEach(from, data, size, to, result);
  else if (!isNumeric) throw new TypeError(`there is no cast from ${from.dtype} to ${to.dtype}`);
  else if (data instanceof BigInt64Array || data instanceof BigUint64Array) castWide(data, size, to, result);
  else castNumbers(numbersOf(from, data, size), size, to, result);
  return result;
}

/** Reads elements of up to 53 bits as numbers: in place where the typed array has them. */
function numbersOf(from: ElementType, data: TypedArray, size: number): Numbers {
  if (from.dtype === "float16" && data instanceof Uint16Array) return lookUp(float16Table(), data, size);
  if (from.dtype === "bfloat16") return lookUp(bfloat16Table(), data as Uint16Array, size);
  if (from.stride !== 1) return Float64Array.from({ length: size }, (_, i) => Number(scalarAt(from, data, i)));
  return data as Numbers;
}

function castNumbers(source: Numbers, size: number, to: ElementType, result: TypedArray): void {
  const range = RANGES[to.dtype];
  if (range !== undefined) {
    const target = result as Int32Array;
    const [lowest, highest] = range;
    for (let i = 0; i < size; i++) {
      const value = Math.trunc(source[i] as number);
      // Written so that NaN fails it.
      if (!(value >= lowest && value <= highest)) throw rangeError(i, source[i], to.dtype);
      target[i] = value;
    }
  } else if (to.dtype === "bool") {
    const target = result as Uint8Array;
    for (let i = 0; i < size; i++) target[i] = source[i] === 0 ? 0 : 1;
  } else if (to.dtype === "float16" && result instanceof Uint16Array) {
    for (let i = 0; i < size; i++) result[i] = numberToFloat16(source[i] as number);
  } else if (to.dtype === "bfloat16") {
    const target = result as Uint16Array;
    for (let i = 0; i < size; i++) target[i] = numberToBfloat16(source[i] as number);
  } else if (to.dtype === "complex64" || to.dtype === "complex128") {
    const target = result as Float64Array;
    for (let i = 0; i < size; i++) target[2 * i] = source[i] as number;
  } else if (result instanceof BigInt64Array || result instanceof BigUint64Array) {
    widen(source, size, to.dtype, result);
  } else if (to.stride === 1) {
    const target = result as Float64Array;
    for (let i = 0; i < size; i++) target[i] = source[i] as number;
  } else {
    for (let i = 0; i < size; i++) setScalar(to, result, i, source[i]);
  }
}

const LOW = nativeByteOrder === "little" ? 0 : 1;

/** Numbers to 64-bit integers by their two words: measured 15 times faster than through BigInt. */
function widen(source: Numbers, size: number, dtype: DType, result: BigInt64Array | BigUint64Array): void {
  const words = new Int32Array(result.buffer, result.byteOffset, 2 * size);
  const [lowest, highest] = dtype === "uint64" ? [0, 2 ** 64] : [-(2 ** 63), 2 ** 63];
  for (let i = 0; i < size; i++) {
    const value = Math.trunc(source[i] as number);
    if (!(value >= lowest && value < highest)) throw rangeError(i, source[i], dtype);
    words[2 * i + LOW] = value;
    words[2 * i + 1 - LOW] = Math.floor(value / 2 ** 32);
  }
}

/** 64-bit integers by their two words. */
function castWide(data: BigInt64Array | BigUint64Array, size: number, to: ElementType, result: TypedArray): void {
  const low = new Uint32Array(data.buffer, data.byteOffset, 2 * size);
  const high = data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * size) : low;
  if (result instanceof BigInt64Array || result instanceof BigUint64Array) {
    const isSame = data instanceof BigInt64Array === result instanceof BigInt64Array;
    for (let i = 0; i < size; i++) {
      const value = data[i] as bigint;
      // The types differ in what the highest bit means.
      if (!isSame && (value < 0n || value >= 2n ** 63n)) throw rangeError(i, value, to.dtype);
      result[i] = value;
    }
    return;
  }
  if (to.dtype === "bool") {
    const target = result as Uint8Array;
    for (let i = 0; i < size; i++) target[i] = low[2 * i] === 0 && low[2 * i + 1] === 0 ? 0 : 1;
    return;
  }
  if (to.dtype === "int32") {
    const target = result as Int32Array;
    for (let i = 0; i < size; i++) {
      const word = (low[2 * i + LOW] as number) | 0;
      if (high[2 * i + 1 - LOW] !== word >> 31) throw rangeError(i, data[i], to.dtype);
      target[i] = word;
    }
    return;
  }
  const numbers = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const value = (high[2 * i + 1 - LOW] as number) * 2 ** 32 + (low[2 * i + LOW] as number);
    // 2^53 itself could be 2^53 + 1, rounded.
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw rangeError(i, data[i], to.dtype);
    numbers[i] = value;
  }
  castNumbers(numbers, size, to, result);
}

function castEach(from: ElementType, data: TypedArray, size: number, to: ElementType, result: TypedArray): void {
  for (let i = 0; i < size; i++) setScalar(to, result, i, scalarAt(from, data, i));
}

function lookUp(table: Float32Array, data: Uint16Array, size: number): Float32Array {
  const numbers = new Float32Array(size);
  for (let i = 0; i < size; i++) numbers[i] = table[data[i] as number] as number;
  return numbers;
}

let float16Values: Float32Array | undefined;
let bfloat16Values: Float32Array | undefined;

/** Every float16 as a float32: 256 KiB, and one look-up an element. */
function float16Table(): Float32Array {
  float16Values ??= Float32Array.from({ length: 65_536 }, (_, bits) => float16ToNumber(bits));
  return float16Values;
}

function bfloat16Table(): Float32Array {
  bfloat16Values ??= Float32Array.from({ length: 65_536 }, (_, bits) => bfloat16ToNumber(bits));
  return bfloat16Values;
}

function rangeError(index: number, value: number | bigint | undefined, dtype: DType): NpyError {
  return new NpyError("ERR_CAST_RANGE", `element ${index} in C order, ${value}, is outside the range of ${dtype}`);
}
