import { Readable } from "node:stream";
import {
  checkOptionKeys,
  type DType,
  type ElementType,
  type NpyErrorLocation,
  RowChunk,
  viewData,
} from "@npystream/codec";
import { allocateBytes, reuseFreedMemory } from "./allocate-bytes.ts";
import { castRows } from "./cast-rows.ts";
import { located } from "./read-rows.ts";
import { resolveRows } from "./row-range.ts";
import type { RowReader } from "./row-reader.ts";

/** Options of `ArrayHandle.stream`. */
export interface RowStreamOptions<E extends DType = DType> {
  /** Element type of the chunks, cast as they are read. @defaultValue the type of the array */
  readonly as?: E | ElementType<E>;
  /** Bytes a chunk at most; a longer row is a chunk of its own. @defaultValue 1 MiB (1,048,576) */
  readonly chunkBytes?: number;
  /** First row; negative counts from the end. @defaultValue 0 */
  readonly start?: number;
  /** Row to stop before; negative counts from the end. @defaultValue the number of rows */
  readonly stop?: number;
  /** Destroys the stream with `signal.reason`. */
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 1 << 20;
/** Chunks read ahead of the consumer, both at once. */
const READ_AHEAD = 2;
/** Fortran rows are gathered from every column, so that larger pieces of them take fewer, longer reads. */
const FORTRAN_WINDOW_BYTES = 8 << 20;

/** A `Readable` of consecutive {@link RowChunk}s. Destroying it, or leaving a `for await` over it, stops reading. */
export class RowStream<D extends DType = DType> extends Readable {
  readonly #rows: RowReader;
  readonly #where: NpyErrorLocation;
  readonly #chunkRows: number;
  readonly #stop: number;
  readonly #stopReading = new AbortController();
  readonly #unlisten: () => void;
  #row: number;
  #window: Uint8Array = new Uint8Array(0);
  /** Chunks that are being read, in their order. */
  readonly #ahead: Promise<RowChunk<D> | null>[] = [];

  /** @internal */
  constructor(rows: RowReader, where: NpyErrorLocation, options: RowStreamOptions<D>) {
    const { as, chunkBytes = CHUNK_BYTES, start, stop, signal } = options;
    checkOptionKeys("stream", options, ["as", "chunkBytes", "start", "stop", "signal"]);
    if (!Number.isInteger(chunkBytes) || chunkBytes < 1) {
      throw new RangeError(`chunkBytes is a whole number from 1, not ${chunkBytes}`);
    }
    super({ objectMode: true, highWaterMark: 1 });
    reuseFreedMemory();
    const range = resolveRows(rows.length, start, stop);
    this.#rows = castRows(rows.fork(), as);
    this.#where = where;
    this.#row = range.start;
    this.#stop = range.stop;
    const { rowBytes } = this.#rows;
    this.#chunkRows = rowBytes === 0 ? range.stop - range.start : Math.max(1, Math.floor(chunkBytes / rowBytes));
    const abort = (): void => void this.destroy(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#unlisten = () => signal?.removeEventListener("abort", abort);
    if (signal?.aborted) abort();
  }

  /** @internal */
  override _read(): void {
    // The rows of a Fortran array are cut from a window, one chunk after the other.
    const ahead = this.#rows.isRowMajor ? READ_AHEAD : 1;
    while (this.#ahead.length < ahead) {
      const chunk = this.#readChunk();
      // Its failure is told in its turn, or not at all once the stream is destroyed.
      chunk.catch(() => undefined);
      this.#ahead.push(chunk);
    }
    this.#ahead[0]?.then(
      (chunk) => {
        void this.#ahead.shift();
        this.push(chunk);
      },
      (error: unknown) => this.destroy(located(error, this.#where) as Error),
    );
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unlisten();
    this.#stopReading.abort();
    // Reads that are under way still fill their buffers.
    const release = Promise.allSettled(this.#ahead).then(() => this.#rows.release());
    release.then(
      () => callback(error),
      (closing: Error) => callback(error ?? closing),
    );
  }

  /** Iterates over the chunks; leaving the loop ends once no read is under way any more. */
  override async *[Symbol.asyncIterator](): NodeJS.AsyncIterator<RowChunk<D>> & AsyncGenerator<RowChunk<D>> {
    try {
      yield* super[Symbol.asyncIterator]();
    } finally {
      if (!this.closed) await new Promise((resolve) => this.once("close", resolve));
    }
  }

  async #readChunk(): Promise<RowChunk<D> | null> {
    const rowStart = this.#row;
    const rows = Math.min(this.#chunkRows, this.#stop - rowStart);
    if (rows <= 0) return null;
    this.#row += rows;
    const { type, shape, rowBytes, isRowMajor, isSequential } = this.#rows;
    // A chunk that takes several reads would go back behind those of the next one, each time inflating from the start.
    if (isSequential) await this.#ahead.at(-1);
    const bytes = isRowMajor ? await this.#readRows(rowStart, rows) : await this.#readWindow(rowStart, rows * rowBytes);
    const chunkShape = shape.length === 0 ? [] : [rows, ...shape.slice(1)];
    // The rows are of type D: that of the array, or the one asked for.
    const chunkType = type as ElementType<D>;
    return new RowChunk({ dtype: chunkType, shape: chunkShape, rowStart, data: viewData(chunkType, bytes) });
  }

  async #readRows(start: number, rows: number): Promise<Uint8Array> {
    const bytes = allocateBytes(rows * this.#rows.rowBytes);
    await this.#rows.readRows(bytes, start, { signal: this.#stopReading.signal });
    return bytes;
  }

  async #readWindow(start: number, byteLength: number): Promise<Uint8Array> {
    if (this.#window.length === 0) {
      const { rowBytes } = this.#rows;
      const chunks = Math.max(1, Math.floor(FORTRAN_WINDOW_BYTES / (this.#chunkRows * rowBytes)));
      this.#window = await this.#readRows(start, Math.min(chunks * this.#chunkRows, this.#stop - start));
    }
    // Copies of their own, so that a kept chunk keeps no window.
    const bytes = this.#window.slice(0, byteLength);
    this.#window = this.#window.subarray(byteLength);
    return bytes;
  }
}
