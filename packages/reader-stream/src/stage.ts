import { Transform, type TransformCallback } from "node:stream";
import { type NdArray, RowChunk } from "@npystream/codec";
import pLimit, { type LimitFunction } from "p-limit";
import { checkOptionKeys } from "./option-keys.ts";

/** Options of {@link stage}. */
export interface StageOptions {
  /** Chunks worked on at once. @defaultValue 1 */
  readonly concurrency?: number;
  /** Destroys the stream with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** What a stage's function gives for a chunk: rows of any dtype and number, or nothing to drop them. */
export type StageResult = NdArray | null | undefined;

/**
 * Makes a `Transform` of a function over row chunks. Results keep the order of the chunks, whatever the concurrency.
 *
 * As many chunks as `concurrency` are in memory, and one more on each side.
 *
 * @param work - Takes a chunk and its place; its result's first axis are rows.
 * @throws TypeError or RangeError for an option that cannot be. What `work` throws destroys the stream.
 */
export function stage(
  work: (chunk: RowChunk, index: number) => StageResult | Promise<StageResult>,
  options: StageOptions = {},
): Transform {
  return new StageTransform(work, options);
}

class StageTransform extends Transform {
  readonly #work: (chunk: RowChunk, index: number) => StageResult | Promise<StageResult>;
  readonly #concurrency: number;
  readonly #limit: LimitFunction;
  readonly #results: Promise<StageResult>[] = [];
  readonly #unlisten: () => void;
  #index = 0;
  #rowStart = 0;

  constructor(work: (chunk: RowChunk, index: number) => StageResult | Promise<StageResult>, options: StageOptions) {
    const { concurrency = 1, signal } = options;
    checkOptionKeys("stage", options, ["concurrency", "signal"]);
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      throw new RangeError(`concurrency is a whole number from 1, not ${concurrency}`);
    }
    super({ objectMode: true, highWaterMark: 1 });
    this.#work = work;
    this.#concurrency = concurrency;
    this.#limit = pLimit(concurrency);
    const abort = (): void => void this.destroy(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#unlisten = () => signal?.removeEventListener("abort", abort);
    if (signal?.aborted) abort();
  }

  override _transform(chunk: RowChunk, _encoding: BufferEncoding, callback: TransformCallback): void {
    const result = this.#limit(async () => this.#work(chunk, this.#index++));
    // Its failure is told in its turn, or not at all once the stream is destroyed.
    result.catch(() => undefined);
    this.#results.push(result);
    // The next chunk is taken while there is room, and only then the oldest is waited for.
    if (this.#results.length < this.#concurrency) callback();
    else this.#emitTo(1, callback);
  }

  override _flush(callback: TransformCallback): void {
    this.#emitTo(this.#results.length, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unlisten();
    this.#limit.clearQueue();
    callback(error);
  }

  #emitTo(count: number, callback: TransformCallback): void {
    // A callback without an error means success, so a stage that throws nothing is given something to say.
    const fail = (error: unknown): void =>
      callback(error instanceof Error ? error : new Error("the stage failed", { cause: error }));
    this.#emit(count).then(() => callback(), fail);
  }

  async #emit(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const result = await this.#results.shift();
      if (result === null || result === undefined) continue;
      const { type, shape, strides, offset, data } = result;
      this.push(new RowChunk({ dtype: type, shape, strides, offset, data, rowStart: this.#rowStart }));
      this.#rowStart += result.length;
    }
  }
}
