import { Readable } from "node:stream";
import type { Batch } from "./batch.ts";
import type { RunPosition } from "./batch-schedule.ts";
import type { BatchState } from "./batch-state.ts";
import type { DatasetDTypes } from "./dataset-types.ts";
import { destroyOnAbort, failureOf } from "./destroy-on-abort.ts";

/** What a stream of batches takes them from. @internal */
export interface BatchStreamInit<T extends DatasetDTypes> {
  readonly batches: AsyncIterator<Batch<T>, undefined>;
  /** Gives where the iteration stands. */
  readonly place: () => RunPosition;
  /** Makes the state of a place. */
  readonly stateAt: (place: RunPosition) => BatchState;
  readonly signal: AbortSignal | undefined;
}

/** A `Readable` of batches in object mode. One is kept beside those that are made ready; destroying it ends the iteration. */
export class BatchStream<T extends DatasetDTypes = DatasetDTypes> extends Readable {
  readonly #init: BatchStreamInit<T>;
  /** Places behind the batches that are in the buffer, and behind the one before. */
  #places: RunPosition[];
  #unlink: () => void = () => undefined;

  /** @internal */
  constructor(init: BatchStreamInit<T>) {
    super({ objectMode: true, highWaterMark: 1 });
    this.#init = init;
    this.#places = [init.place()];
    this.#unlink = destroyOnAbort(this, init.signal);
  }

  /**
   * Says where the stream stands: behind the last batch that was read out of it. `state()` of the iterator counts those in the
   * buffer of the stream too. Streams that follow in a pipeline have buffers of their own.
   */
  state(): BatchState {
    // There is always one more than what is in the buffer.
    return this.#init.stateAt(this.#places.at(-1 - this.readableLength) as RunPosition);
  }

  /** @internal */
  override _read(): void {
    this.#init.batches.next().then(
      (result) => {
        // Those that were skipped at the end are done with as well.
        const before = result.done ? this.#places.slice(0, -1) : this.#places.slice(-1 - this.readableLength);
        this.#places = [...before, this.#init.place()];
        this.push(result.done ? null : result.value);
      },
      (error: unknown) => void this.destroy(failureOf(error)),
    );
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unlink();
    const ended = this.#init.batches.return?.() ?? Promise.resolve();
    ended.then(
      () => callback(error),
      (closing: Error) => callback(error ?? closing),
    );
  }
}
