import { nativeByteOrder } from "./byte-order.ts";

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
