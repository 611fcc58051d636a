/** A complex number. */
export interface Complex {
  /** Real part. */
  readonly re: number;
  /** Imaginary part. */
  readonly im: number;
}

/**
 * Reads an x87 80-bit number, little-endian, as the nearest double.
 *
 * Layout (Intel SDM volume 1, section 4.2.2): 64 bits of significand with an explicit integer bit, then 15 bits of
 * exponent biased by 16383 and a sign. Loses what a double cannot hold: 11 bits of precision and the wider exponent.
 */
export function longdoubleAt(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 10);
  const significand = view.getBigUint64(0, true);
  const high = view.getUint16(8, true);
  const sign = high & 0x8000 ? -1 : 1;
  const exponent = high & 0x7fff;
  if (exponent === 0x7fff) {
    return BigInt.asUintN(63, significand) === 0n ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  if (significand === 0n) return sign * 0;
  const power = exponent - 16_383 - 63;
  // Number() rounds the 64-bit significand once. Where the result is subnormal in double a second rounding would
  // follow, so those bits are dropped first, keeping one sticky bit.
  const bits = significand.toString(2).length;
  const excess = -1074 - power;
  if (excess > bits - 53 && excess > 0) {
    if (excess > bits + 1) return sign * 0;
    return sign * Number(roundShift(significand, BigInt(excess))) * 2 ** -1074;
  }
  const value = Number(significand);
  // Two factors, since 2 ** power alone leaves the range of a double before the product does.
  return sign * value * 2 ** Math.trunc(power / 2) * 2 ** (power - Math.trunc(power / 2));
}

/** Reads a complex number of two x87 80-bit numbers, each padded to `componentBytes`. */
export function clongdoubleAt(bytes: Uint8Array, offset: number, componentBytes: number): Complex {
  return { re: longdoubleAt(bytes, offset), im: longdoubleAt(bytes, offset + componentBytes) };
}

function roundShift(value: bigint, shift: bigint): bigint {
  const floor = value >> shift;
  const rest = value - (floor << shift);
  const half = 1n << (shift - 1n);
  return rest > half || (rest === half && (floor & 1n) === 1n) ? floor + 1n : floor;
}

/** Writes a double as an x87 80-bit number, little-endian, with zeros up to `itemSize`; every double is exact. */
export function setLongdouble(bytes: Uint8Array, offset: number, itemSize: number, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, itemSize);
  bytes.fill(0, offset, offset + itemSize);
  const scratch = new DataView(new ArrayBuffer(8));
  scratch.setFloat64(0, value);
  const bits = scratch.getBigUint64(0);
  const sign = Number(bits >> 63n) << 15;
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  if (exponent === 0x7ff) {
    view.setBigUint64(0, (1n << 63n) | (fraction << 11n), true);
    view.setUint16(8, sign | 0x7fff, true);
    return;
  }
  if (exponent === 0 && fraction === 0n) {
    view.setUint16(8, sign, true);
    return;
  }
  // A subnormal double is normal here: its leading 1 moves up to the explicit integer bit.
  const significand = exponent === 0 ? fraction : (1n << 52n) | fraction;
  const shift = 64 - significand.toString(2).length;
  view.setBigUint64(0, significand << BigInt(shift), true);
  // Biases: 1075 takes the double's fraction as an integer, 16383 + 63 gives the 80-bit exponent of an integer.
  view.setUint16(8, sign | (Math.max(exponent, 1) - 1075 - shift + 16_383 + 63), true);
}
