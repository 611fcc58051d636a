import { createData } from "./array-data.ts";
import { nativeByteOrder } from "./byte-order.ts";
import { type DType, type DTypeMap, dtypeInfo, type TypedArray } from "./dtype.ts";
import type { ElementType } from "./element-type.ts";
import { bfloat16ToNumber, float16ToNumber, numberToBfloat16, numberToFloat16 } from "./float16.ts";
import { NpyError } from "./npy-error.ts";
import { scalarAt, setScalar } from "./scalar.ts";

/** Reads elements from `start` on into `block` as numbers. */
type Load = (block: Float64Array, start: number) => void;
/** Writes the numbers of `block` as elements from `start` on. */
type Store = (block: Float64Array, start: number) => void;

/**
 * Elements cast at once, by way of doubles: so each loop sees one type on each side, and 32 KiB of doubles stay in the
 * cache.
 */
const BLOCK = 4096;

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
  if (source.kind === "c" && target.kind === "c") {
    for (let i = 0; i < size; i++) setScalar(to, result, i, scalarAt(from, data, i));
  } else if (!isNumeric) {
    throw new TypeError(`there is no cast from ${from.dtype} to ${to.dtype}`);
  } else if (!castDirectly(from, data, size, to, result)) {
    const load = loader(from, data);
    const store = storer(to, result);
    const block = new Float64Array(BLOCK);
    for (let start = 0; start < size; start += BLOCK) {
      const part = size - start < BLOCK ? block.subarray(0, size - start) : block;
      load(part, start);
      store(part, start);
    }
  }
  return result;
}

/** Casts that need no doubles between; tells whether it was one. */
function castDirectly(from: ElementType, data: TypedArray, size: number, to: ElementType, result: TypedArray): boolean {
  if (isWide(data) && isWide(result)) castWideToWide(data, size, to.dtype, result);
  else if (isWide(data) && result instanceof Int32Array) castWideToInt32(data, size, result);
  else if (
    result instanceof Float32Array &&
    to.dtype === "float32" &&
    data instanceof Uint16Array &&
    from.stride === 1
  ) {
    if (from.dtype === "float16") lookUp(float16Table(), data, size, result);
    else if (from.dtype === "bfloat16") lookUp(bfloat16Table(), data, size, result);
    else result.set(data);
  } else if (
    isPlainFloat(to.dtype) &&
    from.dtype !== "bool" &&
    from.stride === 1 &&
    !isWide(data) &&
    !isHalf(from.dtype, data)
  ) {
    (result as Float64Array).set(data as Float64Array);
  } else return false;
  return true;
}

function loader(from: ElementType, data: TypedArray): Load {
  if (from.dtype === "bool") {
    // Any byte but 0 is true, and true is 1.
    const bytes = data as Uint8Array;
    return (block, start) => {
      for (let i = 0; i < block.length; i++) block[i] = bytes[start + i] === 0 ? 0 : 1;
    };
  }
  if (isWide(data)) return wideLoader(data);
  if (data instanceof Uint16Array && isHalf(from.dtype, data)) {
    const table = from.dtype === "float16" ? float16Table() : bfloat16Table();
    return (block, start) => {
      for (let i = 0; i < block.length; i++) block[i] = table[data[start + i] as number] as number;
    };
  }
  if (from.stride !== 1) {
    return (block, start) => {
      for (let i = 0; i < block.length; i++) block[i] = Number(scalarAt(from, data, start + i));
    };
  }
  const plain = data as Float64Array;
  return (block, start) => block.set(plain.subarray(start, start + block.length));
}

function storer(to: ElementType, result: TypedArray): Store {
  const range = RANGES[to.dtype];
  if (range !== undefined) {
    const [lowest, highest] = range;
    return (block, start) => {
      for (let i = 0; i < block.length; i++) {
        const value = Math.trunc(block[i] as number);
        // Written so that NaN fails it.
        if (!(value >= lowest && value <= highest)) throw rangeError(start + i, block[i], to.dtype);
        block[i] = value;
      }
      (result as Int32Array).set(block, start);
    };
  }
  if (to.dtype === "bool") {
    const target = result as Uint8Array;
    return (block, start) => {
      for (let i = 0; i < block.length; i++) target[start + i] = block[i] === 0 ? 0 : 1;
    };
  }
  if (result instanceof Uint16Array) {
    const convert = to.dtype === "float16" ? numberToFloat16 : numberToBfloat16;
    return (block, start) => {
      for (let i = 0; i < block.length; i++) result[start + i] = convert(block[i] as number);
    };
  }
  if (to.dtype === "complex64" || to.dtype === "complex128") {
    const target = result as Float64Array;
    return (block, start) => {
      for (let i = 0; i < block.length; i++) target[2 * (start + i)] = block[i] as number;
    };
  }
  if (isWide(result)) return wideStorer(to.dtype, result);
  if (to.stride === 1) return (block, start) => (result as Float64Array).set(block, start);
  return (block, start) => {
    for (let i = 0; i < block.length; i++) setScalar(to, result, start + i, block[i]);
  };
}

type WideData = BigInt64Array | BigUint64Array;

const LOW = nativeByteOrder === "little" ? 0 : 1;

/** Numbers to 64-bit integers by their two words: measured 15 times faster than through BigInt. */
function wideStorer(dtype: DType, result: WideData): Store {
  const words = new Int32Array(result.buffer, result.byteOffset, 2 * result.length);
  const [lowest, highest] = dtype === "uint64" ? [0, 2 ** 64] : [-(2 ** 63), 2 ** 63];
  return (block, start) => {
    for (let i = 0; i < block.length; i++) {
      const value = Math.trunc(block[i] as number);
      if (!(value >= lowest && value < highest)) throw rangeError(start + i, block[i], dtype);
      words[2 * (start + i) + LOW] = value;
      words[2 * (start + i) + 1 - LOW] = Math.floor(value / 2 ** 32);
    }
  };
}

function wideLoader(data: WideData): Load {
  const { low, high } = wordsOf(data);
  return (block, start) => {
    for (let i = 0; i < block.length; i++) {
      const at = 2 * (start + i);
      const value = (high[at + 1 - LOW] as number) * 2 ** 32 + (low[at + LOW] as number);
      // 2^53 itself could be 2^53 + 1, rounded.
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw rangeError(start + i, data[start + i], "exact numbers");
      block[i] = value;
    }
  };
}

function castWideToWide(data: WideData, size: number, dtype: DType, result: WideData): void {
  const isSame = data instanceof BigInt64Array === result instanceof BigInt64Array;
  for (let i = 0; i < size; i++) {
    const value = data[i] as bigint;
    // The types differ in what the highest bit means.
    if (!isSame && (value < 0n || value >= 2n ** 63n)) throw rangeError(i, value, dtype);
    result[i] = value;
  }
}

function castWideToInt32(data: WideData, size: number, result: Int32Array): void {
  const { low, high } = wordsOf(data);
  for (let i = 0; i < size; i++) {
    const word = (low[2 * i + LOW] as number) | 0;
    if (high[2 * i + 1 - LOW] !== word >> 31) throw rangeError(i, data[i], "int32");
    result[i] = word;
  }
}

/** The two words of each 64-bit integer; the high one has the sign. */
function wordsOf(data: WideData): { readonly low: Uint32Array; readonly high: Uint32Array | Int32Array } {
  const low = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  return {
    low,
    high: data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length) : low,
  };
}

function isWide(data: TypedArray): data is WideData {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}

function isPlainFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** Whether a `Uint16Array` holds the bits of floats. */
function isHalf(dtype: DType, data: TypedArray): boolean {
  return dtype === "bfloat16" || (dtype === "float16" && data instanceof Uint16Array);
}

function lookUp(table: Float32Array, data: Uint16Array, size: number, result: Float32Array): void {
  for (let i = 0; i < size; i++) result[i] = table[data[i] as number] as number;
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

function rangeError(index: number, value: number | bigint | undefined, target: string): NpyError {
  return new NpyError("ERR_CAST_RANGE", `element ${index} in C order, ${value}, is outside the range of ${target}`);
}
