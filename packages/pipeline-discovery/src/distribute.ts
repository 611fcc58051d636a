import { setTimeout as sleep } from "node:timers/promises";
import type { NameFields } from "@npystream/codec";
import pLimit from "p-limit";
import type { ArraySet } from "./array-set.ts";
import {
  type DistributeOptions,
  type DistributeResult,
  type ResolvedDistributeOptions,
  resolveDistributeOptions,
} from "./distribute-options.ts";
import type { EndedJob, QueueEngine, QueuePublisher } from "./queue-engine.ts";
import { describeSet } from "./queue-message.ts";
import { type SetEnd, settleByJob, settleUnpublished } from "./queue-settlement.ts";
import type { SetContract } from "./set-contract.ts";
import { StopSignals } from "./stop-signals.ts";

/** Milliseconds between looks at all that is published: news of the end of a job are hints, and may be lost. */
const SWEEP_MS = 1000;
/** Jobs that are looked at at once. */
const LOOKS = 32;
/** After a look at all that is published, it is left alone for so many times as long as that took. */
const SWEEP_REST = 10;
/** Milliseconds until something that the queue could not do is tried again. */
const RETRY_MS = 1000;

/** A set on its way. */
interface Published {
  readonly id: string;
  /** More than one where the same files have a name in several roots. */
  readonly sets: ArraySet[];
  payload: string;
  /** Whether the queue has it. */
  isAdded: boolean;
}

/**
 * Publishes sets for workers on other machines, which run {@link work}, and settles each as they end with it: a set that is
 * done is acknowledged, and one that failed for good is quarantined with `ERR_STAGE_FAILED` or `ERR_STAGE_TIMEOUT`.
 *
 * What is published is what a set is and where its files are, and no data. A set has the same name in the queue whoever
 * publishes it: several discoveries of the same files need no leader, and after a restart nothing runs again that is
 * waiting, running or done. A set that had failed for good before it was delivered is tried anew.
 *
 * It ends when `found` does and every set is settled, or after an abort, which leaves in the queue what is published.
 * The discovery is closed in any case.
 *
 * @example
 * await using found = discover({ roots: 'incoming', names, sets, ledger: 'state/ledger.db' });
 * await distribute(found, bullmqEngine({ queue: 'digits', connection: 'redis://queue-host:6380' }), { stopOn: ['SIGTERM'] });
 *
 * @throws NpyError `ERR_QUEUE_UNAVAILABLE`, `ERR_QUEUE_VOLATILE`; TypeError, RangeError for options that cannot be;
 *   whatever `found` fails with.
 */
export async function distribute<F extends object = NameFields, S extends SetContract = SetContract>(
  found: AsyncIterable<ArraySet<F, S>>,
  engine: QueueEngine,
  options: DistributeOptions = {},
): Promise<DistributeResult> {
  // The fields and arrays of the contract are some of those that any set may have.
  return await new Distribution(resolveDistributeOptions(options)).run(
    found as unknown as AsyncIterable<ArraySet>,
    engine,
  );
}

class Distribution {
  readonly #options: ResolvedDistributeOptions;
  readonly #stop: StopSignals;
  readonly #counts = { published: 0, known: 0, done: 0, failed: 0, changed: 0, released: 0 };
  /** What has not ended, by id. */
  readonly #published = new Map<string, Published>();
  readonly #tasks = new Set<Promise<void>>();
  #failure: { readonly reason: unknown } | undefined;
  #isQueueAway = false;
  #change: (() => void) | undefined;

  constructor(options: ResolvedDistributeOptions) {
    this.#options = options;
    this.#stop = new StopSignals(options);
  }

  async run(found: AsyncIterable<ArraySet>, engine: QueueEngine): Promise<DistributeResult> {
    using stop = this.#stop;
    const { logger, maxPublished } = this.#options;
    const iterator = found[Symbol.asyncIterator]();
    let publisher: QueuePublisher | undefined;
    let sweep: Promise<void> | undefined;
    try {
      publisher = await engine.connectPublisher({ logger, onEnded: (id, state) => this.#hear(id, state) });
      sweep = this.#sweep(publisher);
      await this.#claim(iterator, publisher, maxPublished);
      await this.#untilFewerThan(1);
    } catch (reason) {
      this.#fail(reason);
    } finally {
      stop.stop(new Error("the distribution has ended"));
      await sweep;
      while (this.#tasks.size > 0) {
        // News that comes meanwhile makes others.
        await Promise.all(this.#tasks);
      }
      await this.#releaseAll();
      await publisher?.close();
      await iterator.return?.();
    }
    if (this.#failure !== undefined && !stop.isAsked) {
      throw this.#failure.reason;
    }
    return { ...this.#counts, aborted: stop.isAsked };
  }

  /** Takes sets as long as there is room for them in the queue. */
  async #claim(iterator: AsyncIterator<ArraySet>, publisher: QueuePublisher, maxPublished: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#untilFewerThan(maxPublished);
      if (this.#stop.signal.aborted) {
        return;
      }
      const next = iterator.next();
      const result = await this.#stop.orStop(next);
      if (result === undefined) {
        // What comes after all is given back.
        next.then(({ value }) => value?.release()).catch(() => undefined);
      } else if (result.done === true) {
        return;
      } else {
        this.#begin(result.value, publisher);
      }
    }
  }

  /** Waits until fewer sets than `count` are on their way, or until the end. */
  async #untilFewerThan(count: number): Promise<void> {
    while (this.#published.size >= count && !this.#stop.signal.aborted) {
      const changed = new Promise<void>((settle) => {
        this.#change = settle;
      });
      await this.#stop.orStop(changed);
    }
  }

  #begin(set: ArraySet, publisher: QueuePublisher): void {
    const { id } = set;
    const other = this.#published.get(id);
    if (other !== undefined) {
      other.sets.push(set);
      return;
    }
    const entry = { id, sets: [set], payload: "", isAdded: false };
    this.#published.set(id, entry);
    this.#track(this.#publish(set, entry, publisher));
  }

  async #publish(set: ArraySet, entry: Published, publisher: QueuePublisher): Promise<void> {
    const root = this.#options.rootNames.of(set.root);
    try {
      entry.payload = await describeSet(set, root);
    } catch (error) {
      await this.#giveUp(entry, error);
      return;
    }
    await this.#whileQueueIsAway(() => this.#add(entry, publisher));
  }

  async #add(entry: Published, publisher: QueuePublisher): Promise<void> {
    const { id, payload } = entry;
    const state = await publisher.look(id);
    const isNew = state.kind === "unknown" || state.kind === "failed";
    if (state.kind === "failed") {
      // It was delivered again since, so that it is to be tried again.
      await publisher.remove(id);
    }
    if (isNew) {
      await publisher.add(id, payload);
    }
    this.#counts[isNew ? "published" : "known"] += 1;
    entry.isAdded = true;
    if (state.kind === "done") {
      this.#hear(id, state);
    }
  }

  /** Tries something with the queue until it goes, or until the end. */
  async #whileQueueIsAway(action: () => Promise<void>): Promise<void> {
    const { logger } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#stop.orStop(action());
        if (this.#isQueueAway) {
          logger.info({}, "the queue can be reached again");
        }
        this.#isQueueAway = false;
        return;
      } catch (error) {
        if (!this.#isQueueAway) {
          logger.warn({ err: error }, "the queue cannot be reached or refuses; it is tried again");
        }
        this.#isQueueAway = true;
      }
      await this.#pause(RETRY_MS);
    }
  }

  /** Takes note of news from the queue. */
  #hear(id: string, state: EndedJob): void {
    const entry = this.#published.get(id);
    // That a job failed may be news of an earlier life of it, and is looked up by the next sweep.
    if (entry !== undefined && state.kind === "done") {
      this.#end(entry, state);
    }
  }

  /** Looks at everything that is published, again and again. */
  async #sweep(publisher: QueuePublisher): Promise<void> {
    const limit = pLimit(LOOKS);
    let restMs = SWEEP_MS;
    for (await this.#pause(restMs); !this.#stop.signal.aborted; await this.#pause(restMs)) {
      const started = performance.now();
      const added = [...this.#published.values()].filter(({ isAdded }) => isAdded);
      await this.#whileQueueIsAway(async () => {
        await Promise.all(added.map((entry) => limit(() => this.#lookAt(entry, publisher))));
      });
      restMs = Math.max(SWEEP_MS, SWEEP_REST * (performance.now() - started));
    }
  }

  async #lookAt(entry: Published, publisher: QueuePublisher): Promise<void> {
    const { id, payload } = entry;
    if (this.#published.get(id) !== entry || this.#stop.signal.aborted) {
      return;
    }
    const state = await publisher.look(id);
    if (state.kind === "unknown") {
      this.#options.logger.warn({ job: id }, "the queue has lost a set, which is published again");
      await publisher.add(id, payload);
    } else if (state.kind !== "pending") {
      this.#end(entry, state);
    }
  }

  /** Settles the sets of a job that has ended. */
  #end(entry: Published, state: EndedJob): void {
    if (this.#published.delete(entry.id)) {
      this.#track(this.#count(entry, (set) => settleByJob(set, state)));
    }
  }

  /** Settles sets that cannot be published. */
  async #giveUp(entry: Published, error: unknown): Promise<void> {
    this.#published.delete(entry.id);
    await this.#count(entry, (set) => settleUnpublished(set, error));
  }

  async #count({ sets }: Published, settle: (set: ArraySet) => Promise<SetEnd>): Promise<void> {
    for (const end of await Promise.all(sets.map(settle))) {
      this.#counts[end] += 1;
    }
  }

  async #releaseAll(): Promise<void> {
    for (const { sets } of this.#published.values()) {
      for (const set of sets) {
        this.#counts.released += 1;
        await set.release().catch((reason: unknown) => this.#fail(reason));
      }
    }
    this.#published.clear();
  }

  #track(work: Promise<void>): void {
    const task = work
      .catch((reason: unknown) => this.#fail(reason))
      .finally(() => {
        this.#tasks.delete(task);
        this.#change?.();
      });
    this.#tasks.add(task);
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#stop.stop(reason);
  }

  async #pause(delayMs: number): Promise<void> {
    await sleep(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
