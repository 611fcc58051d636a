/** Longest code of deflate in bits (RFC 1951 section 3.2.7). */
const MAX_CODE_BITS = 15;

/**
 * Codes of one alphabet by their bits as they come, last bit of the code highest: `table[bits & mask]` is the symbol times
 * 16 and the length of its code, 0 where the bits are no code.
 */
export interface HuffmanTable {
  /** Room for the longest codes; entries past the mask are of an earlier block. */
  readonly entries: Uint16Array;
  /** Takes as many bits as the longest code has. */
  mask: number;
}

/** Makes the room for a table, which every block of a stream fills anew. */
export function createHuffmanTable(): HuffmanTable {
  return { entries: new Uint16Array(1 << MAX_CODE_BITS), mask: 0 };
}

/**
 * Fills a table with the canonical codes that have these lengths (RFC 1951 section 3.2.2).
 *
 * @param lengths - Length in bits of each symbol's code; 0 for a symbol without one.
 * @returns Whether the lengths make a code: none is too short for the others, and every sequence of bits is of one. As in
 *   zlib a single code of one bit may stand alone where `mayBeSingle` says so, and so may none.
 */
export function fillHuffmanTable(table: HuffmanTable, lengths: Uint8Array, mayBeSingle: boolean): boolean {
  const counts = new Uint16Array(MAX_CODE_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  let longest = MAX_CODE_BITS;
  while (longest > 0 && counts[longest] === 0) longest--;
  // Codes that are left of each length, and the first of them, counted from the shortest on.
  const next = new Uint16Array(MAX_CODE_BITS + 1);
  let left = 1;
  let first = 0;
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    const count = counts[bits] as number;
    left = 2 * left - count;
    if (left < 0) return false;
    next[bits] = first;
    first = (first + count) << 1;
  }
  if (left > 0 && !(mayBeSingle && longest <= 1)) return false;
  const size = 1 << longest;
  const { entries } = table;
  table.mask = size - 1;
  // A whole code reaches every entry.
  if (left > 0) entries.fill(0, 0, size);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const code = next[length] as number;
    next[length] = code + 1;
    const entry = (symbol << 4) | length;
    for (let at = reversed(code, length); at < size; at += 1 << length) entries[at] = entry;
  }
  return true;
}

/** Codes come with their highest bit first, everything else in deflate with the lowest (RFC 1951 section 3.1.1). */
function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result = (result << 1) | ((code >> bit) & 1);
  return result;
}
