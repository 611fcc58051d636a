import { nativeByteOrder } from "./byte-order.ts";
import { type CastElements, castRangeError, type Load, type Store } from "./cast-loop.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { runKernel, type SimdKernel, simdKernel } from "./simd-kernel.ts";

/** Integers of 64 bits, which the loops here read and write as two words: by way of BigInt is 15 times slower. */
export type WideData = BigInt64Array | BigUint64Array;

/** Index of the low word of two. */
const LOW = nativeByteOrder === "little" ? 0 : 1;
/** From how many elements on the kernel pays for the copies into and out of its memory, as with float16. */
const KERNEL_FROM_ELEMENTS = 256;
/** Largest integer whose neighbours are doubles too. */
const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/** Makes the last half of a cast of numbers to 64-bit integers. @throws NpyError `ERR_CAST_RANGE` from the loop */
export function wideStorer(dtype: DType, result: WideData): Store {
  const words = new Int32Array(result.buffer, result.byteOffset, 2 * result.length);
  const [lowest, highest] = dtype === "uint64" ? [0, 2 ** 64] : [-(2 ** 63), 2 ** 63];
  return (block, start) => {
    for (let i = 0; i < block.length; i++) {
      const value = Math.trunc(block[i] as number);
      if (!(value >= lowest && value < highest)) throw castRangeError(start + i, block[i], dtype);
      words[2 * (start + i) + LOW] = value;
      words[2 * (start + i) + 1 - LOW] = Math.floor(value / 2 ** 32);
    }
  };
}

/** Makes the first half of a cast of 64-bit integers, to numbers. @throws NpyError `ERR_CAST_RANGE` from the loop */
export function wideLoader(data: WideData): Load {
  const [words, signBit] = wordsOf(data);
  return (block, start) => {
    if (!wordsToNumbers(words, signBit, start, block)) checkExact(data, start, block.length, start);
  };
}

/** Makes a cast of 64-bit integers to floats. @throws NpyError `ERR_CAST_RANGE` from the loop, past 2^53 - 1 */
export function wideToFloat(data: WideData, result: Float64Array | Float32Array): CastElements {
  const [words, signBit] = wordsOf(data);
  return (start, target, count) => {
    const numbers = result.subarray(target, target + count);
    const kernel = numbers instanceof Float64Array ? kernelFor(count) : undefined;
    const isExact =
      kernel === undefined
        ? wordsToNumbers(words, signBit, start, numbers)
        : runKernel(kernel, "toFloat64", bytesOf(data, start, count), bytesOf(numbers, 0, count), signBit) === 0;
    if (!isExact) checkExact(data, start, count, target);
  };
}

/** Makes a cast between int64 and uint64. @throws NpyError `ERR_CAST_RANGE` from the loop */
export function wideToWide(data: WideData, dtype: DType, result: WideData): CastElements {
  const isSame = data instanceof BigInt64Array === result instanceof BigInt64Array;
  return (start, target, count) => {
    for (let i = 0; i < count; i++) {
      const value = data[start + i] as bigint;
      // The types differ in what the highest bit means.
      if (!isSame && (value < 0n || value >= 2n ** 63n)) throw castRangeError(target + i, value, dtype);
      result[target + i] = value;
    }
  };
}

/** Makes a cast of 64-bit integers to int32. @throws NpyError `ERR_CAST_RANGE` from the loop */
export function wideToInt32(data: WideData, result: Int32Array): CastElements {
  const [words, signBit] = wordsOf(data);
  return (start, target, count) => {
    const kernel = kernelFor(count);
    const isDone =
      kernel !== undefined &&
      runKernel(kernel, "toInt32", bytesOf(data, start, count), bytesOf(result, target, count), signBit) === 0;
    if (isDone) return;
    for (let i = 0, at = 2 * start; i < count; i++, at += 2) {
      const word = words[at + LOW] as number;
      // The high word repeats the sign, which an unsigned integer must not have.
      if (words[at + 1 - LOW] !== word >> 31 || (word & signBit) !== 0) {
        throw castRangeError(target + i, data[start + i], "int32");
      }
      result[target + i] = word;
    }
  };
}

/** Tells whether elements are 64-bit integers. */
export function isWide(data: TypedArray): data is WideData {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}

/** Fills `numbers` with integers from `start` on; false where one may be too large to be exact: about 2^52 and more. */
function wordsToNumbers(
  words: Int32Array,
  signBit: number,
  start: number,
  numbers: Float64Array | Float32Array,
): boolean {
  let odd = 0;
  // One view and one flag, looked at once: measured 490 million a second against 240 with two and a check of each.
  for (let i = 0, at = 2 * start; i < numbers.length; i++, at += 2) {
    const high = words[at + 1 - LOW] as number;
    odd |= ((high ^ (high >> 31)) >>> 20) | (high & signBit);
    numbers[i] = high * 2 ** 32 + ((words[at + LOW] as number) >>> 0);
  }
  return odd === 0;
}

/** Throws for the first integer past 2^53 - 1; 2^53 itself could be 2^53 + 1, rounded. */
function checkExact(data: WideData, start: number, count: number, index: number): void {
  for (let i = 0; i < count; i++) {
    const value = data[start + i] as bigint;
    if (value > MAX_EXACT || value < -MAX_EXACT) throw castRangeError(index + i, value, "exact numbers");
  }
}

/** The two words of each 64-bit integer, and the bit of a high word that no number may have: the highest of uint64. */
function wordsOf(data: WideData): readonly [words: Int32Array, signBit: number] {
  const words = new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
  return [words, data instanceof BigInt64Array ? 0 : 1 << 31];
}

/** The kernel's words are little-endian, as WebAssembly's are. */
function kernelFor(count: number): SimdKernel | undefined {
  return nativeByteOrder === "little" && count >= KERNEL_FROM_ELEMENTS ? simdKernel() : undefined;
}

function bytesOf(data: WideData | Int32Array | Float32Array | Float64Array, start: number, count: number): Uint8Array {
  const { BYTES_PER_ELEMENT: itemSize } = data;
  return new Uint8Array(data.buffer, data.byteOffset + start * itemSize, count * itemSize);
}
