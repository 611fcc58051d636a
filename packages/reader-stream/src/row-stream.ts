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
import { ChunkMemory } from "./chunk-memory.ts";
import { destroyOnAbort, failureOf, thrownOf } from "./destroy-on-abort.ts";
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
  /**
   * `fresh`: every chunk has memory of its own. `pooled`: faster, a chunk is detached and its memory used again once the
   * next is asked for; such a stream is read with `for await` and not piped.
   *
   * @defaultValue `'fresh'`
   */
  readonly ownership?: "fresh" | "pooled";
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
  readonly #memory: ChunkMemory;
  readonly #isPooled: boolean;
  readonly #stopReading = new AbortController();
  #unlisten: () => void = () => undefined;
  #row: number;
  #window: Uint8Array = new Uint8Array(0);
  /** Chunks that are being read, in their order. */
  readonly #ahead: Promise<RowChunk<D> | null>[] = [];

  /** @internal */
  constructor(rows: RowReader, where: NpyErrorLocation, options: RowStreamOptions<D>) {
    const { as, chunkBytes = CHUNK_BYTES, start, stop, ownership = "fresh", signal } = options;
    checkOptionKeys("stream", options, ["as", "chunkBytes", "start", "stop", "ownership", "signal"]);
    if (!Number.isInteger(chunkBytes) || chunkBytes < 1) {
      throw new RangeError(`chunkBytes is a whole number from 1, not ${chunkBytes}`);
    }
    if (ownership !== "fresh" && ownership !== "pooled") {
      throw new RangeError(`ownership is 'fresh' or 'pooled', not ${JSON.stringify(ownership)}`);
    }
    super({ objectMode: true, highWaterMark: 1 });
    const range = resolveRows(rows.length, start, stop);
    this.#rows = castRows(rows.fork(), as);
    this.#where = where;
    this.#row = range.start;
    this.#stop = range.stop;
    const { rowBytes } = this.#rows;
    this.#chunkRows = rowBytes === 0 ? range.stop - range.start : Math.max(1, Math.floor(chunkBytes / rowBytes));
    this.#memory = new ChunkMemory(ownership);
    this.#isPooled = ownership === "pooled";
    if (!this.#isPooled) reuseFreedMemory((range.stop - range.start) * rowBytes);
    this.#unlisten = destroyOnAbort(this, signal);
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
      (error: unknown) => this.destroy(failureOf(located(error, this.#where))),
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

  /** Pipes the chunks. @throws TypeError with `ownership: 'pooled'`, since streams hold several chunks at once. */
  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    if (this.#isPooled) throw new TypeError("a stream with ownership 'pooled' is not piped: read it with for await");
    return super.pipe(destination, options);
  }

  /** Iterates over the chunks; leaving the loop ends once no read is under way any more. */
  override async *[Symbol.asyncIterator](): NodeJS.AsyncIterator<RowChunk<D>> & AsyncGenerator<RowChunk<D>> {
    try {
      for await (const chunk of super[Symbol.asyncIterator]() as AsyncIterable<RowChunk<D>>) {
        yield chunk;
        this.#memory.giveBack(chunk.data);
      }
    } catch (error) {
      throw thrownOf(error);
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
    const bytes = this.#memory.take(rows * rowBytes);
    if (isRowMajor) await this.#readRows(rowStart, bytes);
    else await this.#readWindow(rowStart, bytes);
    const chunkShape = shape.length === 0 ? [] : [rows, ...shape.slice(1)];
    // The rows are of type D: that of the array, or the one asked for.
    const chunkType = type as ElementType<D>;
    return new RowChunk({ dtype: chunkType, shape: chunkShape, rowStart, data: viewData(chunkType, bytes) });
  }

  async #readRows(start: number, into: Uint8Array): Promise<void> {
    await this.#rows.readRows(into, start, { signal: this.#stopReading.signal });
  }

  async #readWindow(start: number, into: Uint8Array): Promise<void> {
    if (this.#window.length === 0) {
      const { rowBytes } = this.#rows;
      const chunks = Math.max(1, Math.floor(FORTRAN_WINDOW_BYTES / (this.#chunkRows * rowBytes)));
      const window = allocateBytes(Math.min(chunks * this.#chunkRows, this.#stop - start) * rowBytes);
      await this.#readRows(start, window);
      this.#window = window;
    }
    // Copied, so that a kept chunk keeps no window.
    into.set(this.#window.subarray(0, into.length));
    this.#window = this.#window.subarray(into.length);
  }
}
