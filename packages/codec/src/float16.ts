import { nativeByteOrder } from "./byte-order.ts";
import { runKernel, type SimdKernel, simdKernel } from "./simd-kernel.ts";

/** Converts the 16 bits of an IEEE 754 binary16 number to a double; every value is exact. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const wide = new Float64Array(1);
const wideWords = new Uint32Array(wide.buffer);
const HIGH_WORD = nativeByteOrder === "little" ? 1 : 0;
/** 1.5 * 2^52: adding it to a number below 2^51 and taking it off again rounds to whole numbers, ties to even. */
const ROUNDER = 6_755_399_441_055_744;
/** Units in the last place of a float16 of each exponent from -14 to 15 that make 1: 2^24 down to 2^-5. */
const UNITS = Float64Array.from({ length: 30 }, (_, i) => 2 ** (24 - i));

/** Converts a number to the 16 bits of the nearest IEEE 754 binary16 number, ties to even, as NumPy casts. */
export function numberToFloat16(value: number): number {
  wide[0] = value;
  const high = wideWords[HIGH_WORD] as number;
  const sign = (high >>> 16) & 0x8000;
  const exponent = ((high >>> 20) & 0x7ff) - 1023;
  if (exponent > 15) return Number.isNaN(value) ? sign | 0x7e00 : sign | 0x7c00;
  // Below 2^-14 numbers are subnormal: whole multiples of 2^-24.
  const scale = exponent < -14 ? 0 : exponent + 14;
  const units = Math.abs(value) * (UNITS[scale] as number) + ROUNDER - ROUNDER;
  // A significand of 1024 is the exponent's own bit, and one that rounds up to 2048 carries, at last into infinity.
  return sign | ((scale << 10) + units);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Converts the 16 bits of a bfloat16 number, the upper half of a float32, to a double; every value is exact. */
export function bfloat16ToNumber(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratch[0] as number;
}

/** Converts a number to the 16 bits of the nearest bfloat16 number by way of float32, ties to even, as ml_dtypes does. */
export function numberToBfloat16(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0] as number;
  if (Number.isNaN(value)) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/**
 * From how many elements on the kernel pays for the copies into and out of its memory: measured at 256, 940 million a
 * second against 550 to widen and 820 against 100 to narrow; at 16,384, 2,200 to widen.
 */
const KERNEL_FROM_ELEMENTS = 256;

/**
 * Converts the bits of float16 numbers to those of float32, the sign and payload of NaN included, as NumPy does.
 *
 * @param singles - As long as `halves`.
 */
export function widenFloat16(halves: Uint16Array, singles: Uint32Array): void {
  const kernel = kernelFor(halves.length);
  if (kernel !== undefined) runKernel(kernel, "widen", bytesOf(halves), bytesOf(singles));
  else {
    const table = new Uint32Array(float16Values().buffer);
    for (let i = 0; i < halves.length; i++) singles[i] = table[halves[i] as number] as number;
  }
}

/** Converts the bits of bfloat16 numbers to those of float32, whose upper half they are; `singles` is as long. */
export function widenBfloat16(halves: Uint16Array, singles: Uint32Array): void {
  for (let i = 0; i < halves.length; i++) singles[i] = (halves[i] as number) << 16;
}

/** Converts float32 numbers to the bits of the nearest float16, as `numberToFloat16`; `halves` is as long as `singles`. */
export function narrowToFloat16(singles: Float32Array, halves: Uint16Array): void {
  const kernel = kernelFor(singles.length);
  if (kernel !== undefined) runKernel(kernel, "narrow", bytesOf(singles), bytesOf(halves));
  else for (let i = 0; i < singles.length; i++) halves[i] = numberToFloat16(singles[i] as number);
}

let values: Float32Array | undefined;

/** Gives every float16 as a float32, at the index of its bits: 256 KiB, made when first asked for. */
export function float16Values(): Float32Array {
  if (values === undefined) {
    values = Float32Array.from({ length: 65_536 }, (_, bits) => float16ToNumber(bits));
    const words = new Uint32Array(values.buffer);
    // A NaN keeps its sign and fraction only as bits.
    for (const sign of [0, 0x8000]) {
      for (let bits = sign + 0x7c01; bits < sign + 0x8000; bits++) {
        words[bits] = (sign << 16) | 0x7f800000 | ((bits & 0x3ff) << 13);
      }
    }
  }
  return values;
}

/** The kernel's words are little-endian, as WebAssembly's are. */
function kernelFor(elements: number): SimdKernel | undefined {
  return nativeByteOrder === "little" && elements >= KERNEL_FROM_ELEMENTS ? simdKernel() : undefined;
}

function bytesOf(data: Uint16Array | Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
