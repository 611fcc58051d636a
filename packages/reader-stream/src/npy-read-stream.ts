import type { Transform } from "node:stream";
import {
  checkOptionKeys,
  type DType,
  type DTypeLike,
  type ElementType,
  elementType,
  isNpyError,
  type LimitOptions,
  type NdArray,
  NPY_PREFIX_BYTES,
  NpyError,
  type NpyHeader,
  NpyParser,
  npyDataOffset,
  RowChunk,
} from "@npystream/codec";
import { inChunk, rowsOf } from "./chunk-rows.ts";
import { ChunkSplitter } from "./chunk-splitter.ts";

/** Options of {@link createNpyReadStream}. */
export interface NpyReadStreamOptions extends LimitOptions {
  /** Bytes a chunk at most, before a cast; a longer row is a chunk of its own. @defaultValue 1 MiB (1,048,576) */
  readonly chunkBytes?: number;
  /** Type that elements are cast to, as `NdArray.astype` does. @defaultValue that of the array */
  readonly as?: DTypeLike;
  /**
   * What several arrays one after another are, as successive `np.save` calls leave them. `rows`: parts of one array, whose
   * rows go on; they have one dtype (any, with `as`) and one row shape, and a single element is a row. `arrays`: each by
   * itself, of any dtype and shape, with rows counted from 0. `none`: a mistake, refused.
   *
   * @defaultValue 'rows'
   */
  readonly sequence?: "rows" | "arrays" | "none";
  /** Most bytes of a Fortran array, which is read whole before its first row is there. @defaultValue 256 MiB (268,435,456) */
  readonly fortranBytes?: number;
  /** Told the header of each array, before its rows; arrays are counted from 0. @defaultValue nobody */
  readonly onHeader?: (header: NpyHeader, arrayIndex: number) => void;
  /** Destroys the stream with `signal.reason`. @defaultValue none: `pipeline` has a signal too */
  readonly signal?: AbortSignal;
}

/** Rows that came through a pipe, and which of the arrays in it they are from. */
export class SequenceChunk<D extends DType = DType> extends RowChunk<D> {
  /** Which array of the input the rows are from, counted from 0. */
  readonly arrayIndex: number;

  /** @internal */
  constructor(rows: NdArray<D>, rowStart: number, arrayIndex: number) {
    const { type, shape, strides, offset, data } = rows;
    super({ dtype: type, shape, strides, offset, data, rowStart });
    this.arrayIndex = arrayIndex;
  }
}

const CHUNK_BYTES = 1 << 20;
const FORTRAN_BYTES = 256 << 20;
/** Chunks that are ready for the reader, as many as a row stream of a file reads ahead. */
const READY_CHUNKS = 2;
const SEQUENCES = ["rows", "arrays", "none"];
const KEYS: readonly (keyof NpyReadStreamOptions)[] = [
  "chunkBytes",
  "as",
  "sequence",
  "fortranBytes",
  "onHeader",
  "limits",
  "signal",
];

/**
 * Creates a transform from the bytes of `.npy` arrays to {@link SequenceChunk}s of rows, for what cannot seek: stdin, a socket, a response
 * body, a decompressor. A file is better opened with `openNpy`, which reads only what is asked for.
 *
 * Rows are given as soon as they are whole, so that chunks are about as large as the pieces that come (64 KiB from a
 * pipe), and `chunkBytes` at most; `rebatch` cuts them anew. They are in C order and the machine's byte order, copies in
 * memory of their own: the bytes that came in may be used again. About `chunkBytes` of input wait, and 2 chunks are ready.
 * Rows of a Fortran array lie all over it, so it is gathered whole, up to `fortranBytes`, which takes three times its bytes.
 *
 * Rows that came before an error have been delivered: act on the end of the stream, not on its first chunks.
 *
 * @throws TypeError or RangeError for an option that cannot be; NpyError `ERR_NPY_DTYPE` for `as`. The stream fails with
 *   NpyError `ERR_NPY_TRUNCATED` for an input that is empty or ends inside an array, `ERR_NPY_MAGIC` for other bytes, also
 *   behind an array, and all others of `parseNpyHeader`, with the offset in the input; `ERR_SHARD_MISMATCH` for an array
 *   that does not go on with the rows before it, `ERR_NPY_TRAILING` for a second one under `sequence: 'none'`,
 *   `ERR_LIMIT_FORTRAN`, `ERR_CAST_RANGE`.
 * @example
 * await pipeline(process.stdin, createNpyReadStream({ as: "float32" }), createNpyWriteStream("received.npy"));
 */
export function createNpyReadStream(options: NpyReadStreamOptions = {}): Transform {
  checkOptionKeys("createNpyReadStream", options, KEYS);
  return new NpyTransform(options);
}

class NpyTransform extends ChunkSplitter<Uint8Array> {
  readonly #parser: NpyParser;
  readonly #chunkBytes: number;
  readonly #fortranBytes: number;
  readonly #as: ElementType | undefined;
  readonly #sequence: "rows" | "arrays" | "none";
  readonly #onHeader: ((header: NpyHeader, arrayIndex: number) => void) | undefined;
  /** Bytes that came, and position of the array that is being read. */
  #received = 0;
  #arrayStart = 0;
  #arrayIndex = 0;
  /** Header of the array that is being read, once it is there, and the bytes that there are until then. */
  #header: NpyHeader | undefined;
  #prefix: Uint8Array = new Uint8Array(0);
  #first: NpyHeader | undefined;
  /** Rows of the arrays before this one that its own go on from. */
  #rowsBefore = 0;

  constructor(options: NpyReadStreamOptions) {
    const { chunkBytes = CHUNK_BYTES, fortranBytes = FORTRAN_BYTES, sequence = "rows", limits, as } = options;
    if (!SEQUENCES.includes(sequence))
      throw new TypeError(`sequence is one of ${SEQUENCES.join(", ")}, not ${sequence}`);
    if (!Number.isSafeInteger(fortranBytes) || fortranBytes < 0) {
      throw new RangeError(`fortranBytes is a whole number from 0, not ${fortranBytes}`);
    }
    const type = as === undefined ? undefined : elementType(as);
    const parser = new NpyParser({ chunkBytes, ...(limits === undefined ? {} : { limits }) });
    const streams = {
      writableHighWaterMark: chunkBytes,
      readableObjectMode: true,
      readableHighWaterMark: READY_CHUNKS,
    };
    super(streams, options.signal);
    this.#parser = parser;
    this.#chunkBytes = chunkBytes;
    this.#fortranBytes = fortranBytes;
    this.#as = type;
    this.#sequence = sequence;
    this.#onHeader = options.onHeader;
  }

  protected override *split(bytes: Uint8Array): Iterable<RowChunk> {
    const start = this.#received;
    this.#received += bytes.length;
    try {
      if (this.#arrayIndex > 0 && bytes.length > 0) this.#checkTrailing();
      // As plain bytes: what a Buffer's own slice gives is no copy.
      for (const part of this.#parser.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))) {
        if (part.kind === "header") this.#begin(part.header);
        else if (part.kind === "rows") yield* this.#chunksOf(part.rows);
        else this.#end();
      }
    } catch (error) {
      throw isNpyError(error) && error.offset !== undefined ? this.#placed(error, error.offset) : error;
    }
    if (this.#header === undefined && this.#prefix.length < NPY_PREFIX_BYTES) {
      this.#prefix = Buffer.concat([this.#prefix, bytes.subarray(Math.max(0, this.#arrayStart - start))]);
    }
  }

  protected override rest(): Iterable<RowChunk> {
    if (this.#received === 0) {
      throw new NpyError("ERR_NPY_TRUNCATED", "the input is empty: not even a header came", { offset: 0 });
    }
    const header = this.#header;
    if (header !== undefined) {
      const there = this.#received - this.#arrayStart - header.dataOffset;
      const what = `array ${this.#arrayIndex} (${header.dtype}, shape [${header.shape.join(", ")}])`;
      const message = `the input ends inside ${what}, after ${there} of its ${header.byteLength} bytes of data`;
      throw new NpyError("ERR_NPY_TRUNCATED", message, { offset: this.#received });
    }
    // A few bytes of something else are that, and not the beginning of an array.
    if (this.#received > this.#arrayStart) this.#checkPrefix();
    this.#parser.finish();
    return [];
  }

  #checkPrefix(): void {
    try {
      npyDataOffset(this.#prefix);
    } catch (error) {
      if (isNpyError(error) && error.code !== "ERR_NPY_TRUNCATED") throw this.#placed(error, error.offset ?? 0);
    }
  }

  #checkTrailing(): void {
    if (this.#sequence !== "none" || this.#received === this.#arrayStart) return;
    throw new NpyError("ERR_NPY_TRAILING", "bytes follow the array, which was to be the only one", { offset: 0 });
  }

  #begin(header: NpyHeader): void {
    this.#header = header;
    this.#prefix = new Uint8Array(0);
    if (header.order === "F" && header.byteLength > this.#fortranBytes) {
      const message = `a Fortran array of ${header.byteLength} bytes has to be held whole, and fortranBytes is ${this.#fortranBytes}`;
      throw new NpyError("ERR_LIMIT_FORTRAN", message, { offset: 0 });
    }
    if (this.#first === undefined) this.#first = header;
    else if (this.#sequence === "rows") this.#checkLike(this.#first, header);
    this.#onHeader?.(header, this.#arrayIndex);
  }

  /** Checks that rows of `header` go on with those of `first`. */
  #checkLike(first: NpyHeader, header: NpyHeader): void {
    const refuse = (property: string, expected: string, found: string): never => {
      const message = `it has ${property} ${found} and cannot go on with the rows of array 0, which has ${expected}`;
      throw new NpyError("ERR_SHARD_MISMATCH", message, { offset: 0 });
    };
    const [expectedType, foundType] = [JSON.stringify(first.type.descr), JSON.stringify(header.type.descr)];
    if (this.#as === undefined && foundType !== expectedType) refuse("dtype", expectedType, foundType);
    const [expectedRow, foundRow] = [first.shape.slice(1), header.shape.slice(1)];
    if (expectedRow.join() !== foundRow.join()) {
      refuse("row shape", `[${expectedRow.join(", ")}]`, `[${foundRow.join(", ")}]`);
    }
  }

  *#chunksOf(all: RowChunk): Generator<RowChunk> {
    const rowBytes = all.byteLength / all.length;
    // Only the rows of a Fortran array are more than a chunk; they are cut so that none after it has to be as large.
    const chunkRows = rowBytes === 0 ? all.length : Math.max(1, Math.floor(this.#chunkBytes / rowBytes));
    const isRow = all.rank === 0 && this.#sequence === "rows";
    for (let row = 0; row < all.length; row += chunkRows) {
      const isWhole = chunkRows >= all.length && !isRow;
      const rows = isWhole ? all : rowsOf(all, row, Math.min(chunkRows, all.length - row));
      const rowStart = this.#rowsBefore + rows.rowStart;
      const cast = this.#as === undefined ? rows : castRows(rows, this.#as, rowStart);
      yield new SequenceChunk(cast, rowStart, this.#arrayIndex);
    }
  }
  #end(): void {
    const header = this.#header;
    if (header === undefined) return;
    this.#arrayStart += header.dataOffset + header.byteLength;
    if (this.#sequence !== "arrays") this.#rowsBefore += header.length;
    this.#arrayIndex++;
    this.#header = undefined;
    this.#checkTrailing();
  }

  /** Tells where in the input an error is, of which the thrower knew the position in the array. */
  #placed(error: NpyError, offset: number): NpyError {
    const start = this.#arrayStart;
    const message =
      start === 0 ? error.message : `array ${this.#arrayIndex}, at byte ${start} of the input: ${error.message}`;
    return new NpyError(error.code, message, { offset: start + offset, cause: error.cause });
  }
}

function castRows(rows: RowChunk, type: ElementType, rowStart: number): NdArray {
  try {
    return rows.astype(type);
  } catch (error) {
    throw inChunk(error, rows, rowStart);
  }
}
