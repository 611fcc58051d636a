import { createHuffmanTable, fillHuffmanTable, type HuffmanTable } from "./huffman-table.ts";
import { NpyError } from "./npy-error.ts";

/** Most bytes that a match reaches back (RFC 1951 section 3.2.5): what must stay in front of the bytes to come. */
export const WINDOW_BYTES = 32_768;

// The tables of RFC 1951 section 3.2.5: what a symbol of a length or distance stands for, and bits that add to it.
const LENGTH_BASE = Uint16Array.of(
  ...[
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ],
);
const LENGTH_BITS = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
);
const DISTANCE_BASE = Uint16Array.of(
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097],
  ...[6145, 8193, 12_289, 16_385, 24_577],
);
const DISTANCE_BITS = Uint8Array.of(
  ...[0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13],
);
/** Order in which the lengths of the code length codes stand (RFC 1951 section 3.2.7). */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const END_OF_BLOCK = 256;
/** Symbols that a block may have; the fixed code has two more lengths and distances that stand for nothing. */
const MAX_LITERALS = 286;
const MAX_DISTANCES = 30;

/** What the next bits of a stream are. */
type State = "header" | "stored" | "codes" | "end";

/**
 * Inflates a raw deflate stream (RFC 1951) into memory that the caller gives piece by piece, and stops to the byte where
 * that is full: nothing is allocated but the tables of the codes.
 */
export class RawInflater {
  readonly #source: Uint8Array;
  readonly #literals: HuffmanTable = createHuffmanTable();
  readonly #distances: HuffmanTable = createHuffmanTable();
  #state: State = "header";
  #isLast = false;
  /** Bytes taken from the source, those in `#hold` included; past its end they are zeros. */
  #position = 0;
  /** Bits taken from the source and not yet used, lowest first, and how many they are. */
  #hold = 0;
  #held = 0;
  /** What is left of a stored block, or of a match that did not fit. */
  #pending = 0;
  #distance = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  /** Whether the stream has ended. */
  get isDone(): boolean {
    return this.#state === "end";
  }

  /**
   * Inflates on until a byte has no room in `output` or the stream ends.
   *
   * @param at - Where to go on in `output`; what came before lies in front of it, the last 32 KiB at least.
   * @returns Where the bytes end.
   * @throws NpyError `ERR_NPZ_DEFLATE` where the stream is broken or cut.
   */
  inflate(output: Uint8Array, at: number): number {
    let end = at;
    while (this.#state !== "end") {
      if (this.#state === "header") this.#readHeader();
      end = this.#state === "stored" ? this.#copyStored(output, end) : this.#inflateCodes(output, end);
      if (this.#isInBlock) return end;
    }
    return end;
  }

  /** Whether a block goes on, which after a step means that it has more than there is room for. */
  get #isInBlock(): boolean {
    return this.#state === "stored" || this.#state === "codes";
  }

  #readHeader(): void {
    this.#isLast = this.#bits(1) === 1;
    const type = this.#bits(2);
    if (type === 0) {
      // The rest of the byte is left out; whole bytes go back.
      this.#position -= this.#held >>> 3;
      this.#hold = 0;
      this.#held = 0;
      const length = this.#bits(16);
      if ((length ^ this.#bits(16)) !== 0xffff)
        throw this.#broken("the length of a stored block and its complement differ");
      this.#pending = length;
      this.#state = "stored";
      return;
    }
    if (type === 1) this.#readFixedCodes();
    else if (type === 2) this.#readCodes();
    else throw this.#broken("a block of type 3");
    this.#state = "codes";
  }

  #copyStored(output: Uint8Array, at: number): number {
    const count = Math.min(this.#pending, output.length - at);
    const end = this.#position + count;
    if (end > this.#source.length) throw this.#broken("the stream ends inside a stored block");
    output.set(this.#source.subarray(this.#position, end), at);
    this.#position = end;
    this.#pending -= count;
    if (this.#pending === 0) this.#endBlock();
    return at + count;
  }

  #readFixedCodes(): void {
    // RFC 1951 section 3.2.6.
    const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
    fillHuffmanTable(this.#literals, lengths, false);
    fillHuffmanTable(this.#distances, new Uint8Array(32).fill(5), false);
  }

  #readCodes(): void {
    const literals = this.#bits(5) + 257;
    const distances = this.#bits(5) + 1;
    const count = this.#bits(4) + 4;
    if (literals > MAX_LITERALS || distances > MAX_DISTANCES) throw this.#broken("a block has too many codes");
    const codeLengths = new Uint8Array(CODE_LENGTH_ORDER.length);
    for (const symbol of CODE_LENGTH_ORDER.slice(0, count)) codeLengths[symbol] = this.#bits(3);
    // The room of the literals serves here first.
    if (!fillHuffmanTable(this.#literals, codeLengths, false)) throw this.#broken("the lengths of codes make no code");
    const lengths = new Uint8Array(literals + distances);
    for (let i = 0; i < lengths.length; ) {
      const symbol = this.#symbol(this.#literals);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) throw this.#broken("a length of a code repeats none");
      const repeats = symbol === 16 ? this.#bits(2) + 3 : symbol === 17 ? this.#bits(3) + 3 : this.#bits(7) + 11;
      if (i + repeats > lengths.length) throw this.#broken("lengths of codes go on past the last");
      lengths.fill(symbol === 16 ? (lengths[i - 1] as number) : 0, i, i + repeats);
      i += repeats;
    }
    if (lengths[END_OF_BLOCK] === 0) throw this.#broken("a block has no code for its end");
    const fits =
      fillHuffmanTable(this.#literals, lengths.subarray(0, literals), true) &&
      fillHuffmanTable(this.#distances, lengths.subarray(literals), true);
    if (!fits) throw this.#broken("the lengths of codes make no code");
  }

  /**
   * The loop in which the time goes: its state is in locals until it is left, and more bits are taken where they are needed,
   * since a function for it would need them all.
   */
  #inflateCodes(output: Uint8Array, start: number): number {
    const source = this.#source;
    const sourceEnd = source.length;
    const { entries: literals, mask: literalMask } = this.#literals;
    const { entries: distances, mask: distanceMask } = this.#distances;
    const end = output.length;
    let at = start;
    let position = this.#position;
    let hold = this.#hold;
    let held = this.#held;
    let length = this.#pending;
    let distance = this.#distance;
    for (;;) {
      if (length > 0) {
        if (distance > at) throw this.#broken("a match reaches back before the first byte");
        const stop = Math.min(at + length, end);
        length -= stop - at;
        for (let from = at - distance; at < stop; ) output[at++] = output[from++] as number;
        if (length > 0) break;
      }
      if (held < 16) {
        hold |= (position + 1 < sourceEnd ? at16(source, position) : tail16(source, position)) << held;
        position += 2;
        held += 16;
        if (position > sourceEnd && position - (held >>> 3) > sourceEnd) throw this.#broken("the stream is cut");
      }
      const entry = literals[hold & literalMask] as number;
      const symbol = entry >>> 4;
      if (symbol < END_OF_BLOCK) {
        if (entry === 0) throw this.#broken("bits that are no code");
        // Not taken yet: it comes again when there is room.
        if (at === end) {
          // A code that ends past the source is the one that was cut off, not one more byte.
          if ((entry & 15) > held - 8 * Math.max(0, position - sourceEnd)) throw this.#broken("the stream is cut");
          break;
        }
        output[at++] = symbol;
        hold >>>= entry & 15;
        held -= entry & 15;
        continue;
      }
      hold >>>= entry & 15;
      held -= entry & 15;
      if (symbol === END_OF_BLOCK) {
        this.#endBlock();
        break;
      }
      const lengthIndex = symbol - END_OF_BLOCK - 1;
      if (lengthIndex >= LENGTH_BASE.length) throw this.#broken("a length that stands for nothing");
      if (held < 16) {
        hold |= (position + 1 < sourceEnd ? at16(source, position) : tail16(source, position)) << held;
        position += 2;
        held += 16;
      }
      const lengthBits = LENGTH_BITS[lengthIndex] as number;
      length = (LENGTH_BASE[lengthIndex] as number) + (hold & ((1 << lengthBits) - 1));
      hold >>>= lengthBits;
      held -= lengthBits;
      if (held < 16) {
        hold |= (position + 1 < sourceEnd ? at16(source, position) : tail16(source, position)) << held;
        position += 2;
        held += 16;
      }
      const distanceEntry = distances[hold & distanceMask] as number;
      const distanceIndex = distanceEntry >>> 4;
      if (distanceEntry === 0 || distanceIndex >= MAX_DISTANCES)
        throw this.#broken("a distance that stands for nothing");
      hold >>>= distanceEntry & 15;
      held -= distanceEntry & 15;
      if (held < 16) {
        hold |= (position + 1 < sourceEnd ? at16(source, position) : tail16(source, position)) << held;
        position += 2;
        held += 16;
      }
      const distanceBits = DISTANCE_BITS[distanceIndex] as number;
      distance = (DISTANCE_BASE[distanceIndex] as number) + (hold & ((1 << distanceBits) - 1));
      hold >>>= distanceBits;
      held -= distanceBits;
    }
    this.#position = position;
    this.#hold = hold;
    this.#held = held;
    this.#pending = length;
    this.#distance = distance;
    if (position - (held >>> 3) > sourceEnd) throw this.#broken("the stream is cut");
    return at;
  }

  #endBlock(): void {
    this.#pending = 0;
    this.#state = this.#isLast ? "end" : "header";
  }

  #symbol({ entries, mask }: HuffmanTable): number {
    this.#fill(15);
    const entry = entries[this.#hold & mask] as number;
    if (entry === 0) throw this.#broken("bits that are no code");
    this.#take(entry & 15);
    return entry >>> 4;
  }

  #bits(count: number): number {
    this.#fill(count);
    const value = this.#hold & ((1 << count) - 1);
    this.#take(count);
    return value;
  }

  #fill(count: number): void {
    while (this.#held < count) {
      this.#hold |= (this.#source[this.#position] ?? 0) << this.#held;
      this.#position++;
      this.#held += 8;
    }
  }

  #take(count: number): void {
    this.#hold >>>= count;
    this.#held -= count;
    if (this.#position - (this.#held >>> 3) > this.#source.length) throw this.#broken("the stream is cut");
  }

  #broken(what: string): NpyError {
    return new NpyError("ERR_NPZ_DEFLATE", `the deflate stream is broken: ${what}`);
  }
}

function at16(source: Uint8Array, position: number): number {
  return (source[position] as number) | ((source[position + 1] as number) << 8);
}

/** Two bytes of which one or both may lie past the end, where zeros are. */
function tail16(source: Uint8Array, position: number): number {
  return (source[position] ?? 0) | ((source[position + 1] ?? 0) << 8);
}
