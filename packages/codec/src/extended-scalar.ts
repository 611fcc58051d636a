/** A complex number. */
export interface Complex {
  /** Real part. */
  readonly re: number;
  /** Imaginary part. */
  readonly im: number;
}

/** Reads the interleaved pair of element `index`. */
export function complexAt(data: Float32Array | Float64Array, index: number): Complex {
  return { re: data[2 * index] as number, im: data[2 * index + 1] as number };
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
