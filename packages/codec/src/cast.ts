import { createData } from "./array-data.ts";
import { type CastElements, castRangeError, INTEGER_RANGES, type Load, type Store } from "./cast-loop.ts";
import { type DType, type DTypeMap, dtypeInfo, type TypedArray } from "./dtype.ts";
import type { ElementType } from "./element-type.ts";
import {
  bfloat16ToNumber,
  float16Values,
  narrowToFloat16,
  numberToBfloat16,
  numberToFloat16,
  widenBfloat16,
  widenFloat16,
} from "./float16.ts";
import { scalarAt, setScalar } from "./scalar.ts";
import { isWide, wideLoader, wideStorer, wideToFloat, wideToInt32, wideToWide } from "./wide-integer.ts";

/**
 * Elements cast at once, by way of doubles: so each loop sees one type on each side, and 32 KiB of doubles stay in the
 * cache.
 */
const BLOCK = 4096;

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
  checkCast(from, to);
  const result = createData(to, size);
  elementCaster(from, data, to, result)(0, 0, size);
  return result;
}

/**
 * Makes what casts elements of `data` into `result`, piece by piece, with the meaning of `NdArray.astype`.
 *
 * @param data - Elements of `from`, from the first entry on.
 * @param result - Elements of `to`, from the first entry on.
 * @returns Throws `ERR_CAST_RANGE` with the position in `result` of an element the type cannot hold.
 * @throws TypeError where there is no such cast.
 */
export function elementCaster(from: ElementType, data: TypedArray, to: ElementType, result: TypedArray): CastElements {
  checkCast(from, to);
  if (dtypeInfo(from.dtype).kind === "c") {
    return (start, target, count) => {
      for (let i = 0; i < count; i++) setScalar(to, result, target + i, scalarAt(from, data, start + i));
    };
  }
  const direct = directCaster(from, data, to, result);
  if (direct !== undefined) return direct;
  const load = loader(from, data);
  const store = storer(to, result);
  const block = new Float64Array(BLOCK);
  return (start, target, count) => {
    for (let done = 0; done < count; done += BLOCK) {
      const part = count - done < BLOCK ? block.subarray(0, count - done) : block;
      load(part, start + done);
      store(part, target + done);
    }
  };
}

function checkCast(from: ElementType, to: ElementType): void {
  const [source, target] = [dtypeInfo(from.dtype).kind, dtypeInfo(to.dtype).kind];
  if (source === "c" && target === "c") return;
  if (!"biuf".includes(source) || !"biufc".includes(target)) {
    throw new TypeError(`there is no cast from ${from.dtype} to ${to.dtype}`);
  }
}

/** Casts that need no doubles between. */
function directCaster(
  from: ElementType,
  data: TypedArray,
  to: ElementType,
  result: TypedArray,
): CastElements | undefined {
  if (isWide(data) && isWide(result)) return wideToWide(data, to.dtype, result);
  if (isWide(data) && result instanceof Int32Array) return wideToInt32(data, result);
  if (isWide(data) && (result instanceof Float64Array || result instanceof Float32Array) && isPlainFloat(to.dtype)) {
    return wideToFloat(data, result);
  }
  if (to.dtype === "float32" && (from.dtype === "float16" || from.dtype === "bfloat16")) {
    const widen = from.dtype === "float16" ? widenFloat16 : widenBfloat16;
    const [halves, singles] = [halfBits(data), new Uint32Array(result.buffer, result.byteOffset, result.length)];
    return (start, target, count) => {
      widen(halves.subarray(start, start + count), singles.subarray(target, target + count));
    };
  }
  if (data instanceof Float32Array && to.dtype === "float16") {
    const halves = halfBits(result);
    return (start, target, count) => {
      narrowToFloat16(data.subarray(start, start + count), halves.subarray(target, target + count));
    };
  }
  const isPlain =
    isPlainFloat(to.dtype) && from.dtype !== "bool" && from.stride === 1 && !isWide(data) && !isHalf(from.dtype, data);
  if (!isPlain) return undefined;
  // Typed arrays of numbers are copied alike; the cast only joins their types.
  const [source, goal] = [data as Float64Array, result as Float64Array];
  return (start, target, count) => goal.set(source.subarray(start, start + count), target);
}

/** The bits of elements of 2 bytes: the data of float16 is a `Float16Array` where the runtime has it. */
function halfBits(data: TypedArray): Uint16Array {
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
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
    const table = from.dtype === "float16" ? float16Values() : bfloat16Values();
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
  const range = INTEGER_RANGES[to.dtype];
  if (range !== undefined) {
    const [lowest, highest] = range;
    return (block, start) => {
      for (let i = 0; i < block.length; i++) {
        const value = Math.trunc(block[i] as number);
        // Written so that NaN fails it.
        if (!(value >= lowest && value <= highest)) throw castRangeError(start + i, block[i], to.dtype);
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
      for (let i = 0; i < block.length; i++) {
        target[2 * (start + i)] = block[i] as number;
        target[2 * (start + i) + 1] = 0;
      }
    };
  }
  if (isWide(result)) return wideStorer(to.dtype, result);
  if (to.stride === 1) return (block, start) => (result as Float64Array).set(block, start);
  return (block, start) => {
    for (let i = 0; i < block.length; i++) setScalar(to, result, start + i, block[i]);
  };
}

function isPlainFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** Whether a `Uint16Array` holds the bits of floats. */
function isHalf(dtype: DType, data: TypedArray): boolean {
  return dtype === "bfloat16" || (dtype === "float16" && data instanceof Uint16Array);
}

let bfloat16Table: Float32Array | undefined;

function bfloat16Values(): Float32Array {
  bfloat16Table ??= Float32Array.from({ length: 65_536 }, (_, bits) => bfloat16ToNumber(bits));
  return bfloat16Table;
}
