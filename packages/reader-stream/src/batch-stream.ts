import { Readable } from "node:stream";
import type { Batch } from "./batch.ts";
import type { DatasetDTypes } from "./dataset-types.ts";

/** A `Readable` of batches in object mode. One is kept beside those that are made ready; destroying it ends the iteration. */
export class BatchStream<T extends DatasetDTypes = DatasetDTypes> extends Readable {
  readonly #batches: AsyncIterator<Batch<T>, undefined>;

  /** @internal */
  constructor(batches: AsyncIterator<Batch<T>, undefined>) {
    super({ objectMode: true, highWaterMark: 1 });
    this.#batches = batches;
  }

  /** @internal */
  override _read(): void {
    this.#batches.next().then(
      (result) => void this.push(result.done ? null : result.value),
      (error: Error) => this.destroy(error),
    );
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const ended = this.#batches.return?.() ?? Promise.resolve();
    ended.then(
      () => callback(error),
      (closing: Error) => callback(error ?? closing),
    );
  }
}
