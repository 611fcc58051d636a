/** Order of the bytes in a number. */
export type ByteOrder = "little" | "big";

/** The order of the machine this runs on. */
export const nativeByteOrder: ByteOrder = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? "little" : "big";

/**
 * Reverses every `unit` bytes into a new array; the input stays as it is.
 *
 * @throws RangeError where the bytes are not a whole number of units.
 */
export function swapBytes(bytes: Uint8Array, unit: number): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength % unit !== 0) {
    throw new RangeError(`${bytes.byteLength} bytes are not a whole number of ${unit}-byte units`);
  }
  const swapped = new Uint8Array(bytes);
  if (unit === 2) {
    const words = new Uint16Array(swapped.buffer);
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as number;
      words[i] = (word << 8) | (word >>> 8);
    }
  } else if (unit === 4) {
    const words = new Uint32Array(swapped.buffer);
    for (let i = 0; i < words.length; i++) words[i] = reverse32(words[i] as number);
  } else if (unit === 8) {
    const words = new Uint32Array(swapped.buffer);
    for (let i = 0; i < words.length; i += 2) {
      const first = words[i] as number;
      words[i] = reverse32(words[i + 1] as number);
      words[i + 1] = reverse32(first);
    }
  } else if (unit > 1) {
    for (let start = 0; start < swapped.length; start += unit) swapped.subarray(start, start + unit).reverse();
  }
  return swapped;
}

function reverse32(word: number): number {
  return (word << 24) | ((word << 8) & 0xff0000) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
