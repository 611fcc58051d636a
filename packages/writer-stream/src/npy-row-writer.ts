import { type ByteSink, formatNpyHeader, NpyError } from "@npystream/codec";
import { GatherBuffer } from "./gather-buffer.ts";
import type { GrowingHeader } from "./growing-header.ts";
import type { NpyWriteResult, ResolvedWriteOptions } from "./npy-write-options.ts";
import { ProgressClock } from "./progress-clock.ts";
import { PendingChunk } from "./push-stream.ts";
import type { RowEncoder, RowType } from "./row-encoder.ts";

/** An array that is there and gets more rows. */
export interface GrowingArray {
  /** Its header. */
  readonly growing: GrowingHeader;
  /** Says how many rows it has from the commit on. @throws NpyError `ERR_WRITE_APPEND` */
  grow(rows: number): void;
}

/** Puts rows behind a header into a sink: the part of a write stream that is no stream. */
export class NpyRowWriter {
  readonly #encoder: RowEncoder;
  readonly #options: ResolvedWriteOptions;
  readonly #gather: GatherBuffer;
  readonly #mostRows: number;
  readonly #isSequence: boolean;
  readonly #array: GrowingArray | undefined;
  /** Rows that were there before. */
  readonly #oldRows: number;
  readonly #progress: ProgressClock;
  #hasHeader: boolean;
  #headerBytes = 0;
  #rows = 0;
  #chunks = 0;

  /**
   * @param onFailure - Told when gathered rows could not be written, which may be when nobody waits.
   * @param array - What the rows are added to, where the sink writes behind rows that are there.
   */
  constructor(
    sink: ByteSink,
    encoder: RowEncoder,
    options: ResolvedWriteOptions,
    onFailure: (error: unknown) => void,
    array?: GrowingArray,
  ) {
    this.#array = array;
    this.#hasHeader = array !== undefined;
    this.#oldRows = array?.growing.header.length ?? 0;
    this.#progress = new ProgressClock(options.onProgress);
    this.#encoder = encoder;
    this.#options = options;
    this.#gather = new GatherBuffer(sink, options.highWaterMark, onFailure);
    const room = (array?.growing.mostRows ?? Number.MAX_SAFE_INTEGER) - this.#oldRows;
    this.#mostRows = Math.min(options.rows ?? room, room);
    this.#isSequence = options.framing === "sequence";
  }

  /**
   * Takes a chunk without waiting. What there is no room for yet comes back and is to be written before any other chunk.
   *
   * @throws NpyError `ERR_WRITE_SHAPE`, `ERR_WRITE_DTYPE`, naming the chunk.
   */
  take(chunk: unknown): PendingRows | undefined {
    // The way of most chunks: rows as they lie, behind a header that is written. Nothing is made of them but their copy.
    const plain = this.#hasHeader ? this.#encoder.plain(chunk) : undefined;
    if (plain !== undefined) {
      const rows = this.#encoder.countPlain(plain);
      if (this.#rows + rows <= this.#mostRows && this.#gather.take(plain)) {
        this.#count(rows);
        return undefined;
      }
    }
    const { rows, pieces } = this.#encoder.encode(chunk, this.#chunks);
    if (this.#isSequence && this.#encoder.rowType === undefined) {
      throw new NpyError("ERR_WRITE_SHAPE", `chunk ${this.#chunks}: a list without rows tells no dtype and row shape`);
    }
    if (this.#rows + rows > this.#mostRows) throw this.#tooMany(this.#rows + rows);
    const pending = new PendingRows(this.#gather, this.#headerBefore(rows), pieces);
    this.#count(rows);
    return pending.take() ? undefined : pending;
  }

  /**
   * Writes what is gathered and brings the header up to date; the sink is not committed.
   *
   * @throws NpyError `ERR_WRITE_SHAPE` where not the declared number of rows came, or not all of their bytes, or nothing
   *   told the row shape; `ERR_WRITE_DTYPE` where nothing told the dtype.
   */
  async finish(): Promise<NpyWriteResult> {
    const declared = this.#options.rows;
    if (declared !== undefined && this.#rows !== declared) {
      throw new NpyError("ERR_WRITE_SHAPE", `${this.#rows} rows came where ${declared} were declared`);
    }
    const row = this.#encoder.rowType;
    if (row === undefined) {
      throw this.#options.dtype === undefined
        ? new NpyError("ERR_WRITE_DTYPE", "no chunk came to tell the dtype, and it was not given")
        : new NpyError("ERR_WRITE_SHAPE", "no chunk came to tell the row shape, and it was not given");
    }
    const rows = this.#oldRows + this.#rows;
    if (this.#array !== undefined) this.#array.grow(rows);
    else if (!this.#isSequence) {
      if (!this.#hasHeader) await this.#gather.write(this.#header(row, rows));
      else if (declared === undefined) await this.#gather.rewriteStart(headerOf(row, rows));
    }
    await this.#gather.drain();
    this.#gather.checkTotal(this.#headerBytes + this.#rows * row.rowBytes);
    this.#progress.last(this.#rows, this.#gather.byteLength);
    const { dataOffset = 0, byteLength = 0 } = this.#array?.growing.header ?? {};
    return {
      dtype: row.type.dtype,
      shape: Object.freeze([rows, ...row.rowShape]),
      byteLength: dataOffset + byteLength + this.#gather.byteLength,
    };
  }

  #tooMany(rows: number): NpyError {
    const { rows: declared = rows } = this.#options;
    if (rows <= declared && this.#array !== undefined) return this.#array.growing.noRoom();
    return new NpyError("ERR_WRITE_SHAPE", `chunk ${this.#chunks}: ${rows} rows where ${declared} were declared`);
  }

  /** The header that goes before the next `rows`, where one does. Its length does not depend on the number of rows. */
  #headerBefore(rows: number): Uint8Array | undefined {
    const row = this.#encoder.rowType;
    if (row === undefined || this.#hasHeader) return undefined;
    this.#hasHeader = !this.#isSequence;
    return this.#header(row, this.#isSequence ? rows : (this.#options.rows ?? 0));
  }

  #header(row: RowType, rows: number): Uint8Array {
    const header = headerOf(row, rows);
    this.#headerBytes += header.length;
    return header;
  }

  #count(rows: number): void {
    this.#rows += rows;
    this.#chunks++;
    this.#progress.tick(this.#rows, this.#gather);
  }
}

/** Rows on their way into the sink. */
export class PendingRows extends PendingChunk {
  readonly #gather: GatherBuffer;
  readonly #pieces: Iterator<Uint8Array>;
  #piece: Uint8Array | undefined;

  constructor(gather: GatherBuffer, header: Uint8Array | undefined, pieces: Iterable<Uint8Array>) {
    super();
    this.#gather = gather;
    this.#pieces = pieces[Symbol.iterator]();
    this.#piece = header ?? this.#next();
  }

  /** Copies pieces as long as there is room; tells whether all are copied. */
  take(): boolean {
    for (; this.#piece !== undefined; this.#piece = this.#next()) {
      if (!this.#gather.take(this.#piece)) return false;
    }
    return true;
  }

  /** Writes the rest; nothing of it is kept when the promise resolves. @throws the sink's error. */
  async write(): Promise<void> {
    for (; this.#piece !== undefined; this.#piece = this.#next()) await this.#gather.write(this.#piece);
  }

  #next(): Uint8Array | undefined {
    const { done, value } = this.#pieces.next();
    return done ? undefined : value;
  }
}

function headerOf({ type, rowShape }: RowType, rows: number): Uint8Array {
  return formatNpyHeader({ dtype: type, shape: [rows, ...rowShape] });
}
