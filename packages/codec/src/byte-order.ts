/** Order of the bytes in a number. */
export type ByteOrder = "little" | "big";

/** The order of the machine this runs on. */
export const nativeByteOrder: ByteOrder = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? "little" : "big";

/** Bytes of a record that are in another order than the machine's: `count` units of `unit` bytes from `offset` on. */
export interface ByteSwap {
  /** Position in the record in bytes. */
  readonly offset: number;
  /** Bytes that are reversed together. */
  readonly unit: number;
  /** Units one behind the other. */
  readonly count: number;
}

/**
 * Reverses every `unit` bytes into a new array; the input stays as it is.
 *
 * @throws RangeError where the bytes are not a whole number of units.
 */
export function swapBytes(bytes: Uint8Array, unit: number): Uint8Array {
  const swapped = new Uint8Array(bytes);
  swapBytesInPlace(swapped, unit);
  return swapped;
}

/**
 * Reverses every `unit` bytes where they are: for bytes that nobody else holds.
 *
 * @throws RangeError where the bytes are not a whole number of units.
 */
export function swapBytesInPlace(bytes: Uint8Array, unit: number): void {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength % unit !== 0) throw new RangeError(`${byteLength} bytes are not a whole number of ${unit}-byte units`);
  const aligned = byteOffset % Math.min(unit, 4) === 0;
  if (unit === 2 && aligned) {
    const words = new Uint16Array(buffer, byteOffset, byteLength / 2);
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as number;
      words[i] = (word << 8) | (word >>> 8);
    }
  } else if (unit === 4 && aligned) {
    const words = new Uint32Array(buffer, byteOffset, byteLength / 4);
    for (let i = 0; i < words.length; i++) words[i] = reverse32(words[i] as number);
  } else if (unit === 8 && aligned) {
    const words = new Uint32Array(buffer, byteOffset, byteLength / 4);
    for (let i = 0; i < words.length; i += 2) {
      const first = words[i] as number;
      words[i] = reverse32(words[i + 1] as number);
      words[i + 1] = reverse32(first);
    }
  } else if (unit > 1) {
    for (let start = 0; start < byteLength; start += unit) bytes.subarray(start, start + unit).reverse();
  }
}

/**
 * Brings records into the machine's order where they are: for bytes that nobody else holds.
 *
 * @param itemSize - Bytes a record.
 * @param swaps - Parts of every record to reverse; none does nothing.
 */
export function swapRecordsInPlace(bytes: Uint8Array, itemSize: number, swaps: readonly ByteSwap[]): void {
  const [only] = swaps;
  if (only === undefined || bytes.length === 0) return;
  if (swaps.length === 1 && only.unit * only.count === itemSize) {
    swapBytesInPlace(bytes, only.unit);
    return;
  }
  for (let record = 0; record < bytes.length; record += itemSize) {
    for (const { offset, unit, count } of swaps) {
      const start = record + offset;
      for (let i = 0; i < count; i++) bytes.subarray(start + i * unit, start + (i + 1) * unit).reverse();
    }
  }
}

function reverse32(word: number): number {
  return (word << 24) | ((word << 8) & 0xff0000) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
