import { Readable } from "node:stream";
import { type DType, type ElementType, isNpyError, type NpyErrorLocation, RowChunk, viewData } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { checkOptionKeys } from "./option-keys.ts";
import { resolveRows } from "./row-range.ts";
import type { ShardList } from "./shard-list.ts";

/** Options of `ArrayHandle.stream`. */
export interface RowStreamOptions {
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
/** Chunks read ahead of the consumer. */
const READ_AHEAD = 2;
/** Fortran rows are gathered from every column, so that larger pieces of them take fewer, longer reads. */
const FORTRAN_WINDOW_BYTES = 8 << 20;

/** A `Readable` of consecutive {@link RowChunk}s. Destroying it, or leaving a `for await` over it, stops reading. */
export class RowStream<D extends DType = DType> extends Readable {
  readonly #shards: ShardList<D>;
  readonly #type: ElementType<D>;
  readonly #rank: number;
  readonly #where: NpyErrorLocation;
  readonly #chunkRows: number;
  readonly #stop: number;
  readonly #stopReading = new AbortController();
  readonly #unlisten: () => void;
  #row: number;
  #window: Uint8Array = new Uint8Array(0);
  #reading: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(
    shards: ShardList<D>,
    type: ElementType<D>,
    rank: number,
    where: NpyErrorLocation,
    options: RowStreamOptions,
  ) {
    const { chunkBytes = CHUNK_BYTES, start, stop, signal } = options;
    checkOptionKeys("stream", options, ["chunkBytes", "start", "stop", "signal"]);
    if (!Number.isInteger(chunkBytes) || chunkBytes < 1) {
      throw new RangeError(`chunkBytes is a whole number from 1, not ${chunkBytes}`);
    }
    super({ objectMode: true, highWaterMark: READ_AHEAD });
    const range = resolveRows(shards.length, start, stop);
    this.#shards = shards;
    this.#type = type;
    this.#rank = rank;
    this.#where = where;
    this.#row = range.start;
    this.#stop = range.stop;
    this.#chunkRows =
      shards.rowBytes === 0 ? range.stop - range.start : Math.max(1, Math.floor(chunkBytes / shards.rowBytes));
    const abort = (): void => void this.destroy(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#unlisten = () => signal?.removeEventListener("abort", abort);
    if (signal?.aborted) abort();
  }

  /** @internal */
  override _read(): void {
    this.#reading = this.#readChunk().then(
      (chunk) => void this.push(chunk),
      (error: unknown) => void this.destroy(isNpyError(error) ? error.locate(this.#where) : (error as Error)),
    );
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unlisten();
    this.#stopReading.abort();
    // The read that is under way still fills its buffer.
    const release = this.#reading.then(() => this.#shards.release());
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
    const { first, rowBytes } = this.#shards;
    const bytes = first.isRowMajor
      ? await this.#readRows(rowStart, rows)
      : await this.#readWindow(rowStart, rows * rowBytes);
    const shape = this.#rank === 0 ? [] : [rows, ...this.#shards.shape.slice(1)];
    return new RowChunk({ dtype: this.#type, shape, rowStart, data: viewData(this.#type, bytes) });
  }

  async #readRows(start: number, rows: number): Promise<Uint8Array> {
    const bytes = allocateBytes(rows * this.#shards.rowBytes);
    await this.#shards.readRows(bytes, start, { signal: this.#stopReading.signal });
    return bytes;
  }

  async #readWindow(start: number, byteLength: number): Promise<Uint8Array> {
    if (this.#window.length === 0) {
      const { rowBytes } = this.#shards;
      const chunks = Math.max(1, Math.floor(FORTRAN_WINDOW_BYTES / (this.#chunkRows * rowBytes)));
      this.#window = await this.#readRows(start, Math.min(chunks * this.#chunkRows, this.#stop - start));
    }
    // Copies of their own, so that a kept chunk keeps no window.
    const bytes = this.#window.slice(0, byteLength);
    this.#window = this.#window.subarray(byteLength);
    return bytes;
  }
}
