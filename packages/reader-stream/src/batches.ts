import { performance } from "node:perf_hooks";
import { reuseFreedMemory } from "./allocate-bytes.ts";
import type { Batch } from "./batch.ts";
import { BatchBuffers, type BatchBytes } from "./batch-buffers.ts";
import { batchOf, metaOf, transformed } from "./batch-making.ts";
import { BatchCounts, type BatchMetrics } from "./batch-metrics.ts";
import { type BatchesOptions, type CheckedOptions, checkOptions } from "./batch-options.ts";
import { type BatchPlan, planBatches } from "./batch-plan.ts";
import { BatchReader } from "./batch-reader.ts";
import { samplerOrder } from "./batch-sampler.ts";
import { type PlannedBatch, type RunPosition, scheduleBatches } from "./batch-schedule.ts";
import {
  type BatchState,
  checkState,
  checkStateShape,
  describeFields,
  positionOf,
  type RunState,
} from "./batch-state.ts";
import { BatchStream } from "./batch-stream.ts";
import type { DatasetDTypes } from "./dataset-types.ts";
import { ShardOrder } from "./epoch-order.ts";
import { type LinkedSignal, linkSignals } from "./link-signals.ts";
import type { RowFields } from "./row-fields.ts";

/** A batch that is ready, or was skipped. */
interface ReadyBatch<T extends DatasetDTypes> {
  readonly planned: PlannedBatch;
  readonly bytes: BatchBytes;
  readonly batch: Batch<T> | undefined;
}

interface Started {
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
  readonly #link: LinkedSignal;
  readonly #buffers: BatchBuffers;
  readonly #counts = new BatchCounts();
  readonly #ahead: Promise<ReadyBatch<T>>[] = [];
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
      const { shard, resume } = this.#checked;
      checkState(state, this.#runState(), resume);
      this.#place = { epoch: state.epoch, position: positionOf(state, shard.count, shard.lanes) };
    }
    this.#buffers = new BatchBuffers(fields, this.#checked.ownership);
    this.#link = linkSignals([options.signal]);
    this.#link.signal.addEventListener("abort", () => void this.#end(), { once: true });
    if (this.#link.signal.aborted) void this.#end();
  }

  /**
   * Gives the next batch. Calls that overlap are answered one after another.
   *
   * @throws What reading a field throws, `ERR_SOURCE_TRUNCATED` for example, or the transform; the iteration is over then.
   *   `ERR_MAP_UNAVAILABLE` where files are to be mapped and cannot be.
   */
  next(): Promise<IteratorResult<Batch<T>, undefined>> {
    const result = this.#queue.then(() => this.#next());
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Ends the iteration; resolves when no read is under way any more. */
  async return(): Promise<IteratorResult<Batch<T>, undefined>> {
    await this.#end();
    return { done: true, value: undefined };
  }

  /**
   * Says where the iteration stands: behind the last batch that was delivered, whatever is made ready already. Passed as
   * `state` it lets another run go on there, in this process or in another.
   */
  state(): BatchState {
    return { version: 1, ...this.#place, ...this.#runState() };
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
    return new BatchStream(this);
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
        await this.#readAhead(Math.max(1, this.#plan.prefetch));
        const ready = await this.#ahead.shift();
        this.#options.signal?.throwIfAborted();
        if (ready === undefined || this.#ending !== undefined) return await this.return();
        this.#place = ready.planned.after;
        this.#counts.release(byteLengthOf(ready.bytes));
        if (ready.batch === undefined) continue;
        this.#inUse = ready.bytes;
        this.#counts.batches++;
        this.#counts.rows += ready.planned.taken;
        await this.#prefetch();
        return { done: false, value: ready.batch };
      }
    } catch (error) {
      await this.#end();
      throw error;
    } finally {
      this.#counts.waitMs += performance.now() - before;
    }
  }

  async #readAhead(count: number): Promise<void> {
    this.#start ??= this.#begin();
    const { reader, schedule } = await this.#start;
    while (this.#ending === undefined && this.#ahead.length < count) {
      const planned = schedule.next();
      if (planned.done) return;
      const ready = this.#make(planned.value, reader);
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
    const { signal } = this.#link;
    const { shard, epochs, io } = this.#checked;
    const { sampler } = this.#options;
    const seed = this.#seed;
    const known = this.#plan.makeOrder?.(seed);
    const order =
      known ?? (sampler && (await samplerOrder(sampler, this.#fields, { seed, lanes: shard.lanes, signal })));
    if (order === undefined) throw new TypeError("there is no order without a sampler");
    const orders = new ShardOrder(order, shard, this.#fields.length);
    const common = { fields: this.#fields, plan: this.#plan, counts: this.#counts, signal };
    const reader = new BatchReader({ ...common, orders, epochs, io }, shard.lanes / shard.count);
    return { reader, schedule: scheduleBatches(orders, this.#checked, this.#place) };
  }

  async #make(planned: PlannedBatch, reader: BatchReader): Promise<ReadyBatch<T>> {
    const bytes = this.#buffers.take(planned.rows);
    this.#counts.take(byteLengthOf(bytes));
    const meta = metaOf(planned, this.#checked.last === "pad");
    try {
      await reader.fill(planned, bytes);
      const batch = batchOf<T>(this.#fields, planned.rows, bytes, meta);
      const { transform } = this.#options;
      return { planned, bytes, batch: transform ? await transformed(batch, transform, this.#seed) : batch };
    } catch (error) {
      const { onError } = this.#options;
      // An iteration that ends is no batch that fails.
      const isOver = this.#link.signal.aborted || this.#ending !== undefined;
      if (onError === undefined || isOver || onError({ error, meta }) !== "skip") throw error;
      return { planned, bytes, batch: undefined };
    }
  }

  /** Detaches the batch that the consumer is done with, where its memory is used again. */
  #retire(): void {
    if (this.#inUse !== undefined) this.#buffers.giveBack(this.#inUse);
    this.#inUse = undefined;
  }

  #runState(): RunState {
    const { shard } = this.#checked;
    this.#run ??= {
      seed: this.#seed,
      order: this.#plan.order,
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
    this.#link.unlink();
    this.#link.abort();
    await Promise.allSettled(this.#ahead.splice(0));
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
