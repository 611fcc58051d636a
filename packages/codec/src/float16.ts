/** Converts the 16 bits of an IEEE 754 binary16 number to a double; every value is exact. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Converts a number to the 16 bits of the nearest IEEE 754 binary16 number, ties to even, as NumPy casts. */
export function numberToFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // 65,520 is halfway from the largest float16, 65,504, to the next power of two: from there on it rounds to infinity.
  if (magnitude >= 65_520) return sign | 0x7c00;
  // Below 2^-14 numbers are subnormal: whole multiples of 2^-24.
  const exponent = Math.max(-14, Math.min(15, Math.floor(Math.log2(magnitude))));
  const scale = magnitude < 2 ** exponent && exponent > -14 ? exponent - 1 : exponent;
  const units = roundHalfEven(magnitude / 2 ** (scale - 10));
  // A significand that rounds up to 2048 carries into the exponent by itself.
  return magnitude < 2 ** -14 ? sign | units : sign | (((scale + 15) << 10) + (units - 1024));
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}
