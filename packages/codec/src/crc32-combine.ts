/** The polynomial of CRC-32 (ISO 3309) with its bits reversed, as ZIP uses it. */
const POLYNOMIAL = 0xedb88320;
/** The polynomial 1 in reversed bits. */
const ONE = 0x80000000;
/** The polynomial x^8: what one more byte multiplies by. */
const BYTE = 0x00800000;

/**
 * Gives the CRC-32 of two pieces one after the other from those of each, in time that grows with the logarithm of the
 * length: as if `secondLength` zeros followed the first, since a CRC is a remainder of polynomials over two elements.
 *
 * @param secondLength - Bytes of the second piece.
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  let shift = ONE;
  let power = BYTE;
  // Beyond 2^32 bitwise operators would lose bits of the length.
  for (let left = secondLength; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) shift = multiply(shift, power);
    power = multiply(power, power);
  }
  return (multiply(shift, first) ^ second) >>> 0;
}

/** Product of two polynomials modulo that of CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if (a & bit) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product;
}
