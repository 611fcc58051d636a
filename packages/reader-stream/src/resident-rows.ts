import { type ElementType, isNpyError, type NpyErrorLocation } from "@npystream/codec";
import { bytesCaster, isReadAnew } from "./cast-rows.ts";
import { copyRows } from "./copy-rows.ts";

/** Bytes of rows that are cast at once: they are still in the cache of a core then. */
const TILE_BYTES = 128 << 10;

/** Rows of an array that lie in memory as they are stored: in one piece, or in one for each shard. */
export class ResidentRows {
  /** Bytes of the rows of each shard. */
  readonly pieces: readonly Uint8Array[];
  readonly #rowBytes: number;
  readonly #from: ElementType;
  readonly #to: ElementType;
  readonly #isCopied: boolean;
  /** First row of each piece, and past the last one. */
  readonly #starts: Float64Array;
  readonly #where: NpyErrorLocation;
  #tile: Uint8Array | undefined;

  /**
   * @param rowBytes - Bytes of a row as it is stored, from 1.
   * @param to - Type that elements are delivered as.
   * @param where - What to call the array in an error.
   */
  constructor(
    pieces: readonly Uint8Array[],
    rowBytes: number,
    from: ElementType,
    to: ElementType,
    where: NpyErrorLocation = {},
  ) {
    this.#where = where;
    this.pieces = pieces;
    this.#rowBytes = rowBytes;
    this.#from = from;
    this.#to = to;
    this.#isCopied = from === to || isReadAnew(from, to);
    this.#starts = new Float64Array(pieces.length + 1);
    for (const [index, { length }] of pieces.entries()) {
      this.#starts[index + 1] = (this.#starts[index] as number) + length / rowBytes;
    }
  }

  /** Puts rows behind each other; `undefined` where some are not there, or are stored as other types than others. */
  static join(parts: readonly (ResidentRows | undefined)[]): ResidentRows | undefined {
    const [first] = parts;
    if (first === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    for (const part of parts) {
      if (part === undefined || !isSameType(part.#from, first.#from) || !isSameType(part.#to, first.#to))
        return undefined;
      pieces.push(...part.pieces);
    }
    return new ResidentRows(pieces, first.#rowBytes, first.#from, first.#to);
  }

  /** Number of rows. */
  get length(): number {
    return this.#starts[this.pieces.length] as number;
  }

  /**
   * Fills `into` with rows in their order, cast tile by tile where they are delivered as another type.
   *
   * @throws NpyError `ERR_CAST_RANGE` for an element that the type cannot hold.
   */
  copy(rows: Float64Array, into: Uint8Array): void {
    if (rows.length === 0) return;
    if (this.#isCopied) {
      this.#gather(rows, into);
      return;
    }
    try {
      this.#cast(rows, into);
    } catch (error) {
      throw isNpyError(error) ? error.locate(this.#where) : error;
    }
  }

  #cast(rows: Float64Array, into: Uint8Array): void {
    const rowBytes = this.#rowBytes;
    const perTile = Math.max(1, Math.floor(TILE_BYTES / rowBytes));
    if (this.#tile === undefined || this.#tile.length < Math.min(rows.length, perTile) * rowBytes) {
      this.#tile = new Uint8Array(Math.min(rows.length, perTile) * rowBytes);
    }
    const rowSize = rowBytes / this.#from.itemSize;
    const cast = bytesCaster(this.#from, this.#tile, this.#to, into);
    for (let at = 0; at < rows.length; at += perTile) {
      const count = Math.min(perTile, rows.length - at);
      this.#gather(rows.subarray(at, at + count), this.#tile);
      cast(0, at * rowSize, count * rowSize);
    }
  }

  #gather(rows: Float64Array, into: Uint8Array): void {
    const [only, ...others] = this.pieces;
    if (only !== undefined && others.length === 0) {
      copyRows(only, into, this.#rowBytes, { rows, count: rows.length, target: 0, stride: 1 });
      return;
    }
    // Piece by piece, so that what is fetched in advance is of one piece.
    const pieceOf = Uint32Array.from(rows, (row) => this.#pieceOf(row));
    const ends = new Uint32Array(this.pieces.length + 1);
    for (const piece of pieceOf) ends[piece + 1] = (ends[piece + 1] as number) + 1;
    for (let piece = 0; piece < this.pieces.length; piece++) {
      ends[piece + 1] = (ends[piece + 1] as number) + (ends[piece] as number);
    }
    const [within, places] = [new Float64Array(rows.length), new Uint32Array(rows.length)];
    const next = ends.slice();
    for (const [place, piece] of pieceOf.entries()) {
      const at = next[piece] as number;
      within[at] = (rows[place] as number) - (this.#starts[piece] as number);
      places[at] = place;
      next[piece] = at + 1;
    }
    for (const [piece, from] of this.pieces.entries()) {
      const [start, stop] = [ends[piece] as number, ends[piece + 1] as number];
      if (stop === start) continue;
      const taken = { rows: within.subarray(start, stop), places: places.subarray(start, stop), count: stop - start };
      copyRows(from, into, this.#rowBytes, { ...taken, target: 0, stride: 1 });
    }
  }

  /** Index of the last piece that starts at or before `row`. */
  #pieceOf(row: number): number {
    let [low, high] = [0, this.pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function isSameType(one: ElementType, other: ElementType): boolean {
  return one.dtype === other.dtype && JSON.stringify(one.descr) === JSON.stringify(other.descr);
}
