import { performance } from "node:perf_hooks";
import { reuseFreedMemory } from "./allocate-bytes.ts";
import type { Batch } from "./batch.ts";
import { BatchBuffers, type BatchBytes } from "./batch-buffers.ts";
import { batchOf, metaOf, transformed } from "./batch-making.ts";
import { BatchCounts, type BatchMetrics } from "./batch-metrics.ts";
import { type BatchesOptions, type CheckedOptions, checkOptions } from "./batch-options.ts";
import { type BatchPlan, planBatches } from "./batch-plan.ts";
import { BatchReader } from "./batch-reader.ts";
import { type PlannedBatch, type RunPosition, scheduleBatches } from "./batch-schedule.ts";
import { type BatchState, checkState, checkStateShape, describeFields, type RunState } from "./batch-state.ts";
import { BatchStream } from "./batch-stream.ts";
import type { DatasetDTypes } from "./dataset-types.ts";
import { ShardOrder } from "./epoch-order.ts";
import { EventTurns } from "./event-turns.ts";
import { type LinkedSignal, linkSignals } from "./link-signals.ts";
import type { RowFields } from "./row-fields.ts";
import { takeOver } from "./state-takeover.ts";

/** A batch that is ready, or was skipped. */
interface ReadyBatch<T extends DatasetDTypes> {
  readonly planned: PlannedBatch;
  readonly bytes: BatchBytes;
  readonly batch: Batch<T> | undefined;
}

interface Started {
  readonly signal: AbortSignal;
  readonly reader: BatchReader;
  readonly schedule: Iterator<PlannedBatch>;
}

/**
 * An iterator over batches with one position: leaving a loop over it ends it. The order depends on the rows, the options of
 * the order, the seed and the epoch; never on prefetch, memory or how files are cut and read. Made by `Dataset.batches`.
 */
export class Batches<T extends DatasetDTypes = DatasetDTypes>
  implements AsyncIterableIterator<Batch<T>>, AsyncDisposable
{
  readonly #fields: RowFields;
  readonly #options: BatchesOptions<T>;
  readonly #checked: CheckedOptions;
  readonly #plan: BatchPlan;
  readonly #seed: number;
  readonly #buffers: BatchBuffers;
  readonly #counts = new BatchCounts();
  readonly #turns = new EventTurns();
  readonly #ahead: Promise<ReadyBatch<T>>[] = [];
  /** The batch that is waited for. */
  #awaited: Promise<ReadyBatch<T>> | undefined;
  /** Made when the first batch is asked for: an iteration that nobody begins leaves nothing at a signal. */
  #link: LinkedSignal | undefined;
  #start: Promise<Started> | undefined;
  #place: RunPosition;
  #run: RunState | undefined;
  #inUse: BatchBytes | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #ending: Promise<void> | undefined;

  /** @internal */
  constructor(fields: RowFields, options: BatchesOptions<T>) {
    this.#checked = checkOptions(options);
    const { state } = options;
    if (state !== undefined) checkStateShape(state);
    this.#fields = fields;
    this.#options = options;
    this.#seed = options.seed ?? state?.seed ?? 0;
    this.#plan = planBatches(fields, options, this.#checked);
    this.#place = { epoch: 0, position: 0 };
    if (state !== undefined) {
      checkState(state, this.#runState(), this.#checked.resume);
      this.#place = takeOver(state, this.#checked.shard, this.#plan.order);
    }
    this.#buffers = new BatchBuffers(fields, this.#checked.ownership);
  }

  /**
   * Gives the next batch. Calls that overlap are answered one after another. Where batches wait for nothing, timers and I/O
   * have their turn every 10 ms.
   *
   * @throws What reading a field throws, `ERR_SOURCE_TRUNCATED` for example, or the transform; the iteration is over then.
   *   `ERR_MAP_UNAVAILABLE` where files are to be mapped and cannot be.
   */
  next(): Promise<IteratorResult<Batch<T>, undefined>> {
    const result = this.#queue.then(() => this.#next());
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /**
   * Ends the iteration; resolves when no read is under way any more. A call of `next` that waits is answered with the end. A
   * transform that is under way is not waited for: its signal is aborted.
   */
  async return(): Promise<IteratorResult<Batch<T>, undefined>> {
    await this.#end();
    return { done: true, value: undefined };
  }

  /**
   * Says where the iteration stands: behind the last batch that was delivered, whatever is made ready already. Passed as
   * `state` it lets another run go on there, in this process or in another.
   */
  state(): BatchState {
    return this.#stateAt(this.#place);
  }

  /** Gives what was read and delivered so far. */
  metrics(): BatchMetrics {
    return this.#counts.snapshot();
  }

  /**
   * Shows the batches as a `Readable` of batches, which ends the iteration when it is destroyed.
   *
   * @throws TypeError for pooled batches: a stream asks for the next one while this one is used.
   */
  stream(): BatchStream<T> {
    if (this.#checked.ownership === "pooled") throw new TypeError("a stream of batches cannot have ownership 'pooled'");
    const { signal } = this.#options;
    return new BatchStream({
      batches: this,
      place: () => this.#place,
      stateAt: (place) => this.#stateAt(place),
      signal,
    });
  }

  /** Gives the iterator itself: there is one position. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the iteration, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #next(): Promise<IteratorResult<Batch<T>, undefined>> {
    const before = performance.now();
    try {
      this.#options.signal?.throwIfAborted();
      if (this.#ending !== undefined) return await this.return();
      this.#retire();
      for (;;) {
        if (this.#turns.isDue) await this.#turns.take();
        await this.#readAhead(Math.max(1, this.#plan.prefetch));
        this.#awaited = this.#ahead.shift();
        const ready = await this.#awaited;
        this.#options.signal?.throwIfAborted();
        if (ready === undefined || this.#ending !== undefined) return await this.return();
        this.#place = ready.planned.after;
        this.#counts.release(byteLengthOf(ready.bytes));
        if (ready.batch === undefined) {
          this.#buffers.giveBack(ready.bytes);
          continue;
        }
        this.#inUse = ready.bytes;
        this.#counts.batches++;
        this.#counts.rows += ready.planned.taken;
        await this.#prefetch();
        return { done: false, value: ready.batch };
      }
    } catch (error) {
      const isLeft = this.#ending !== undefined;
      await this.#end();
      this.#options.signal?.throwIfAborted();
      // What a read was ended with is nothing to tell a consumer that left.
      if (isLeft) return { done: true, value: undefined };
      throw error;
    } finally {
      this.#counts.waitMs += performance.now() - before;
    }
  }

  async #readAhead(count: number): Promise<void> {
    this.#start ??= this.#begin();
    const { reader, schedule, signal } = await this.#start;
    while (this.#ending === undefined && this.#ahead.length < count) {
      const planned = schedule.next();
      if (planned.done) return;
      const ready = this.#make(planned.value, reader, signal);
      // Its failure is told when its turn comes; a consumer that leaves before does not hear of it.
      ready.catch(() => undefined);
      this.#ahead.push(ready);
    }
  }

  /** Begins with the batches behind the one that is delivered. */
  async #prefetch(): Promise<void> {
    const { prefetch } = this.#plan;
    const started = await this.#start;
    if (started?.reader.isResident !== true) return await this.#readAhead(prefetch);
    // Copies wait for nothing, so that this batch would wait for them: they are made while the consumer waits for something.
    setImmediate(() => void this.#readAhead(prefetch).catch(() => undefined));
  }

  async #begin(): Promise<Started> {
    if (this.#checked.ownership === "fresh") reuseFreedMemory();
    this.#link = linkSignals([this.#options.signal]);
    const { signal } = this.#link;
    signal.addEventListener("abort", () => void this.#end(), { once: true });
    const { shard, epochs, io } = this.#checked;
    const orders = new ShardOrder(await this.#plan.order.make(this.#seed, { signal }), shard);
    const common = { fields: this.#fields, plan: this.#plan, counts: this.#counts, signal };
    const reader = new BatchReader({ ...common, orders, epochs, io }, shard.lanes / shard.count);
    return { signal, reader, schedule: scheduleBatches(orders, this.#checked, this.#place) };
  }

  async #make(planned: PlannedBatch, reader: BatchReader, signal: AbortSignal): Promise<ReadyBatch<T>> {
    const bytes = this.#buffers.take(planned.rows);
    this.#counts.take(byteLengthOf(bytes));
    const meta = metaOf(planned, this.#checked.last === "pad");
    try {
      await reader.fill(planned, bytes);
      const batch = batchOf<T>(this.#fields, planned.rows, bytes, meta);
      const { transform } = this.#options;
      return { planned, bytes, batch: transform ? await transformed(batch, transform, this.#seed, signal) : batch };
    } catch (error) {
      const { onError } = this.#options;
      // An iteration that ends is no batch that fails.
      const isOver = signal.aborted || this.#ending !== undefined;
      if (onError === undefined || isOver || onError({ error, meta }) !== "skip") throw error;
      return { planned, bytes, batch: undefined };
    }
  }

  /** Detaches the batch that the consumer is done with, where its memory is used again. */
  #retire(): void {
    if (this.#inUse !== undefined) this.#buffers.giveBack(this.#inUse);
    this.#inUse = undefined;
  }

  #stateAt(place: RunPosition): BatchState {
    return { version: 1, ...place, ...this.#runState() };
  }

  #runState(): RunState {
    const { shard } = this.#checked;
    this.#run ??= {
      seed: this.#seed,
      order: this.#plan.order.text,
      shard: `${shard.index}/${shard.count}:${shard.lanes}`,
      rows: this.#fields.length,
      fields: describeFields(this.#fields),
      fingerprint: this.#fields.fingerprint.slice(0, 32),
    };
    return this.#run;
  }

  #end(): Promise<void> {
    this.#ending ??= this.#stop();
    return this.#ending;
  }

  async #stop(): Promise<void> {
    // After this turn, so that whoever asks finds that it is ending.
    await undefined;
    this.#link?.unlink();
    this.#link?.abort();
    await Promise.allSettled([this.#awaited, ...this.#ahead.splice(0)]);
    const started = await this.#start?.catch(() => undefined);
    await started?.reader.close();
    this.#retire();
    this.#buffers.clear();
  }
}

function byteLengthOf(bytes: BatchBytes): number {
  let total = 0;
  for (const { length } of bytes.values()) total += length;
  return total;
}
