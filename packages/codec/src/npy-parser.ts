import { viewData } from "./array-data.ts";
import { swapRecordsInPlace } from "./byte-order.ts";
import { joinBytes } from "./join-bytes.ts";
import { type LimitOptions, limitsIn, resolveLimits } from "./limits.ts";
import { NdArray } from "./nd-array.ts";
import { isNpyError, NpyError } from "./npy-error.ts";
import { NPY_PREFIX_BYTES, type NpyHeader, npyDataOffset, parseNpyHeader } from "./npy-header.ts";
import { checkOptionKeys } from "./option-keys.ts";
import { RowChunk } from "./row-chunk.ts";
import { shapeSize, stridesOf } from "./shape.ts";

/** Options of {@link NpyParser}. */
export interface NpyParserOptions extends LimitOptions {
  /** Bytes a chunk of rows at most; a longer row is a chunk of its own. @defaultValue 1 MiB (1,048,576) */
  readonly chunkBytes?: number;
}

/** The header of an array, as soon as it is whole. */
export interface NpyHeaderPart {
  /** What the part is. */
  readonly kind: "header";
  /** Number of the array, from 0. */
  readonly index: number;
  /** What the array is. */
  readonly header: NpyHeader;
}

/** Rows of an array, as they come. */
export interface NpyRowsPart {
  /** What the part is. */
  readonly kind: "rows";
  /** Number of the array, from 0. */
  readonly index: number;
  /** The rows, in memory of their own. */
  readonly rows: RowChunk;
}

/** The end of an array. */
export interface NpyEndPart {
  /** What the part is. */
  readonly kind: "end";
  /** Number of the array, from 0. */
  readonly index: number;
}

/** What a parser has found. */
export type NpyPart = NpyHeaderPart | NpyRowsPart | NpyEndPart;

const CHUNK_BYTES = 1 << 20;

/**
 * Parses `.npy` arrays out of bytes that come in any pieces: one, or several one after another as successive `np.save`
 * calls to one file leave them. `index` counts the arrays.
 *
 * Rows are in C order and the machine's byte order, in memory of their own. A Fortran array of more than one axis is one
 * chunk, when its last byte is there. What is allocated grows with the bytes that came, not with what a header declares.
 *
 * @example
 * const parser = new NpyParser();
 * for await (const bytes of process.stdin) for (const part of parser.push(bytes)) use(part);
 * parser.finish();
 */
export class NpyParser {
  readonly #limits: LimitOptions;
  readonly #chunkBytes: number;
  #index = 0;
  #header: NpyHeader | undefined;
  #collected: Uint8Array[] = [];
  #collectedBytes = 0;
  /** Bytes to collect before the next step. */
  #needed = NPY_PREFIX_BYTES;
  /** Row that the next chunk begins with. */
  #row = 0;
  #position = 0;

  /** @throws TypeError for an option there is not, RangeError where `chunkBytes` is no whole number from 1. */
  constructor(options: NpyParserOptions = {}) {
    checkOptionKeys("NpyParser", options, ["limits", "chunkBytes"]);
    const { chunkBytes = CHUNK_BYTES } = options;
    if (!Number.isSafeInteger(chunkBytes) || chunkBytes < 1) {
      throw new RangeError(`chunkBytes is a whole number from 1, not ${chunkBytes}`);
    }
    // Refused at once, not with the first header.
    resolveLimits(options);
    this.#limits = limitsIn(options);
    this.#chunkBytes = chunkBytes;
  }

  /**
   * Takes the next bytes and gives what is whole now. Iterate over all of it: the bytes may be used again afterwards.
   *
   * @throws NpyError those of `parseNpyHeader`. The parser is of no use then.
   */
  *push(bytes: Uint8Array): Generator<NpyPart, void, undefined> {
    let rest = bytes;
    while (rest.length > 0) {
      const taken = rest.subarray(0, this.#needed - this.#collectedBytes);
      rest = rest.subarray(taken.length);
      const pieces = this.#collected;
      pieces.push(taken);
      this.#collectedBytes += taken.length;
      this.#position += taken.length;
      // Whole rows that are there do not wait for a whole chunk; a header does.
      if (this.#header !== undefined) yield* this.#readRows(this.#header);
      else if (this.#collectedBytes === this.#needed) yield* this.#readHeader();
      // What is kept is kept as a copy, which slice() of a Buffer is not.
      if (this.#collected === pieces) pieces[pieces.length - 1] = new Uint8Array(taken);
    }
  }

  /**
   * Tells the parser that no bytes follow.
   *
   * @throws NpyError `ERR_NPY_TRUNCATED` inside an array, or where there was none; `ERR_NPY_MAGIC` or `ERR_NPY_VERSION`
   *   where the last bytes are too few for a header and no beginning of one.
   */
  finish(): void {
    if (this.#header === undefined && this.#collectedBytes === 0 && this.#index > 0) return;
    if (this.#header === undefined) this.#checkStart();
    const where = this.#header === undefined ? "before the end of a header" : "inside the data";
    throw new NpyError("ERR_NPY_TRUNCATED", `the bytes end ${where} of array ${this.#index}`, {
      offset: this.#position,
    });
  }

  /** Bytes that are too few for a header tell all the same where they are none. */
  #checkStart(): void {
    try {
      npyDataOffset(joinBytes(this.#collected), this.#limits);
    } catch (error) {
      if (!isNpyError(error) || error.code !== "ERR_NPY_TRUNCATED") throw error;
    }
  }

  *#readHeader(): Generator<NpyPart, void, undefined> {
    const bytes = joinBytes(this.#collected);
    const dataOffset = npyDataOffset(bytes, this.#limits);
    if (bytes.length < dataOffset) {
      this.#collected = [bytes];
      this.#needed = dataOffset;
      return;
    }
    const header = parseNpyHeader(bytes, this.#limits);
    this.#header = header;
    this.#row = 0;
    this.#collect(header, []);
    yield { kind: "header", index: this.#index, header };
    if (header.byteLength === 0) {
      // Rows without elements are rows all the same.
      if (header.length > 0) yield this.#chunk(header, header.length, new Uint8Array(0));
      yield* this.#end();
    }
  }

  *#readRows(header: NpyHeader): Generator<NpyPart, void, undefined> {
    const rowBytes = rowBytesOf(header);
    const whole = this.#collectedBytes - (this.#collectedBytes % rowBytes);
    if (whole === 0) return;
    const bytes = joinBytes(this.#collected);
    const rows = isColumnMajor(header) ? header.length : whole / rowBytes;
    yield this.#chunk(header, rows, bytes.subarray(0, whole));
    this.#row += rows;
    const left = bytes.slice(whole);
    this.#collect(header, left.length === 0 ? [] : [left]);
    if (this.#row === header.length) yield* this.#end();
  }

  #chunk(header: NpyHeader, rows: number, bytes: Uint8Array): NpyPart {
    const { type, itemSize, swaps, shape } = header;
    swapRecordsInPlace(bytes, itemSize, swaps);
    const chunkShape = shape.length === 0 ? [] : [rows, ...shape.slice(1)];
    let data = viewData(type, bytes);
    if (isColumnMajor(header)) {
      data = new NdArray({ dtype: type, shape, strides: stridesOf(shape, "F"), data }).contiguous().data;
    }
    return {
      kind: "rows",
      index: this.#index,
      rows: new RowChunk({ dtype: type, shape: chunkShape, data, rowStart: this.#row }),
    };
  }

  *#end(): Generator<NpyPart, void, undefined> {
    yield { kind: "end", index: this.#index };
    this.#index++;
    this.#header = undefined;
    this.#collected = [];
    this.#collectedBytes = 0;
    this.#needed = NPY_PREFIX_BYTES;
  }

  /** Begins to collect the next chunk, of which some bytes are there. */
  #collect(header: NpyHeader, pieces: Uint8Array[]): void {
    const rowBytes = rowBytesOf(header);
    const rowsLeft = isColumnMajor(header) ? 1 : header.length - this.#row;
    this.#collected = pieces;
    this.#collectedBytes = pieces[0]?.length ?? 0;
    this.#needed = rowBytes * Math.min(rowsLeft, Math.max(1, Math.floor(this.#chunkBytes / Math.max(1, rowBytes))));
  }
}

/** Bytes of one row; of a Fortran array, whose rows are not consecutive, those of all. */
function rowBytesOf(header: NpyHeader): number {
  if (isColumnMajor(header)) return header.byteLength;
  return shapeSize(header.shape.slice(1), header.itemSize) * header.itemSize;
}

function isColumnMajor({ order, shape }: NpyHeader): boolean {
  return order === "F" && shape.length > 1;
}
