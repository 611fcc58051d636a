import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isNpyError, type NameFields, NpyError } from "@npystream/codec";
import pLimit from "p-limit";
import type { ArraySet, SetArray } from "./array-set.ts";
import { childLogger } from "./logging.ts";
import type { SetContract } from "./set-contract.ts";
import { tidySet } from "./set-tidy.ts";
import { backoffMs, runAttempt } from "./stage-attempt.ts";
import { createCommit } from "./stage-commit.ts";
import {
  type ResolvedStageOptions,
  resolveStageOptions,
  type StageFunction,
  type StageOptions,
  type StageResult,
} from "./stage-options.ts";
import { StopSignals } from "./stop-signals.ts";

/** Sets that wait for another attempt at most; beyond that nothing new is begun, since most of it would fail as well. */
const MOST_RETRYING = 64;

/**
 * Runs a function over every set, several at once, until there are no more or the stage is aborted.
 *
 * A set is acknowledged when the function has ended well. One it fails with is tried again, while others go on, and is
 * quarantined after the last attempt: with `ERR_STAGE_TIMEOUT` where that took too long, else with `ERR_STAGE_FAILED`,
 * whose `cause` is what the function threw. A set whose files change meanwhile is dropped, since it is delivered anew.
 *
 * After an abort no more sets are taken. Those that are worked on have `drainMs` to end, then their signal aborts and
 * they are released. An abort is the usual end of a stage that watches, so that the result tells of it and nothing is
 * thrown. The discovery is closed in any case.
 *
 * @example
 * await runStage(found, async (set, { commit, signal }) => {
 *   await using x = await set.arrays.features.open();
 *   await commit(names, { ...set.fields, role: 'embeddings' }, (out) => pipeline(x.stream(), embed(), out, { signal }));
 * }, { concurrency: 2 });
 *
 * @throws TypeError, RangeError for options that cannot be; whatever `found` fails with.
 */
export async function runStage<F extends object = NameFields, S extends SetContract = SetContract>(
  found: AsyncIterable<ArraySet<F, S>>,
  stage: StageFunction<F, S>,
  options: StageOptions = {},
): Promise<StageResult> {
  return await new StageRun(stage, resolveStageOptions(options)).run(found);
}

class StageRun<F extends object, S extends SetContract> {
  readonly #stage: StageFunction<F, S>;
  readonly #options: ResolvedStageOptions;
  readonly #limit: ReturnType<typeof pLimit>;
  /** Aborts when no more is to be begun. */
  readonly #stop: StopSignals;
  /** Aborts when what is under way is to end. */
  readonly #kill = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #counts = { done: 0, failed: 0, retried: 0, changed: 0, released: 0 };
  #retrying = 0;
  #bytesInFlight = 0;
  #failure: { readonly reason: unknown } | undefined;
  #change: (() => void) | undefined;
  /** Ends when a set that comes as the stage is to end has been given back. */
  #late: Promise<void> | undefined;

  constructor(stage: StageFunction<F, S>, options: ResolvedStageOptions) {
    this.#stage = stage;
    this.#options = options;
    this.#stop = new StopSignals(options);
    this.#limit = pLimit(options.concurrency);
  }

  async run(found: AsyncIterable<ArraySet<F, S>>): Promise<StageResult> {
    using stop = this.#stop;
    const iterator = found[Symbol.asyncIterator]();
    try {
      await this.#claim(iterator);
    } catch (reason) {
      this.#fail(reason);
    }
    try {
      await this.#drain();
    } finally {
      if (iterator.return !== undefined) {
        await iterator.return();
        // Nothing comes any more; without a way to say so, what was asked for may never come.
        await this.#late;
      }
    }
    if (this.#failure !== undefined && !stop.isAsked) {
      throw this.#failure.reason;
    }
    return { ...this.#counts, aborted: stop.isAsked };
  }

  /** Takes sets as long as there is somebody to work on them. */
  async #claim(iterator: AsyncIterator<ArraySet<F, S>>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (!this.#hasRoom()) {
        const changed = new Promise<void>((settle) => {
          this.#change = settle;
        });
        await this.#stop.orStop(changed);
        continue;
      }
      const next = iterator.next();
      const result = await this.#stop.orStop(next);
      if (result === undefined) {
        // What comes after all is given back.
        this.#late = next.then(({ value }) => value?.release()).catch(() => undefined);
      } else if (result.done === true) {
        return;
      } else {
        this.#begin(result.value);
      }
    }
  }

  #hasRoom(): boolean {
    const { concurrency, maxBytesInFlight } = this.#options;
    const working = this.#limit.activeCount + this.#limit.pendingCount;
    return working < concurrency && this.#retrying < MOST_RETRYING && this.#bytesInFlight < maxBytesInFlight;
  }

  #begin(set: ArraySet<F, S>): void {
    const arrays: SetArray[] = Object.values(set.arrays);
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#bytesInFlight += bytes;
    const task = this.#work(set)
      // Only the ledger fails here, without which nothing can be settled.
      .catch((reason: unknown) => this.#fail(reason))
      .finally(() => {
        this.#tasks.delete(task);
        this.#bytesInFlight -= bytes;
        this.#change?.();
      });
    this.#tasks.add(task);
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#stop.stop(reason);
  }

  async #drain(): Promise<void> {
    const { drainMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const onStop = (): void => {
      timer ??= setTimeout(() => this.#kill.abort(this.#stop.signal.reason), drainMs);
    };
    this.#stop.signal.addEventListener("abort", onStop, { once: true });
    if (this.#stop.signal.aborted) {
      onStop();
    }
    await Promise.all(this.#tasks);
    clearTimeout(timer);
    this.#stop.signal.removeEventListener("abort", onStop);
  }

  /** Works on one set to the end, whatever that is. */
  async #work(set: ArraySet<F, S>): Promise<void> {
    const { attempts, baseMs, maxMs } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#limit(() => this.#attempt(set, attempt));
      if (outcome === undefined) {
        return;
      }
      if (attempt >= attempts) {
        this.#counts.failed += 1;
        await set.quarantine(outcome.error);
        return;
      }
      this.#counts.retried += 1;
      await this.#pause(backoffMs(attempt, baseMs, maxMs));
      if (this.#stop.signal.aborted) {
        this.#counts.released += 1;
        await set.release();
        return;
      }
    }
  }

  /** Makes one attempt, and settles the set unless that failed. */
  async #attempt(set: ArraySet<F, S>, attempt: number): Promise<{ readonly error: Error } | undefined> {
    const { logger, timeoutMs, out } = this.#options;
    const log = childLogger(logger, { set: set.key, generation: set.generation.slice(0, 16), attempt });
    try {
      await runAttempt(
        async (signal) => {
          const commit = createCommit({ out: resolve(out ?? set.root), signal, verify: () => set.verify() });
          await this.#stage(set, { commit, log, signal, attempt });
        },
        { timeoutMs, signal: this.#kill.signal },
      );
    } catch (error) {
      if (this.#kill.signal.aborted) {
        this.#counts.released += 1;
        await set.release();
        return undefined;
      }
      if (isNpyError(error) && error.code === "ERR_SET_CHANGED") {
        log.info({ err: error }, "a set changed while it was worked on");
        this.#counts.changed += 1;
        await set.release();
        return undefined;
      }
      log.warn({ err: error }, "an attempt of the stage failed");
      return { error: stageError(error, attempt) };
    }
    await set.ack();
    this.#counts.done += 1;
    await this.#tidy(set, log);
    return undefined;
  }

  async #tidy(set: ArraySet<F, S>, log: ReturnType<typeof childLogger>): Promise<void> {
    try {
      // The fields and arrays of the contract are some of those that any set may have.
      await tidySet(set as unknown as ArraySet, this.#options.after);
    } catch (error) {
      log.warn({ err: error }, "the files of a set that is done could not be put away");
    }
  }

  async #pause(delayMs: number): Promise<void> {
    this.#retrying += 1;
    this.#change?.();
    await sleep(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    this.#retrying -= 1;
  }
}

function stageError(cause: unknown, attempts: number): Error {
  if (isNpyError(cause) && cause.code === "ERR_STAGE_TIMEOUT") {
    return cause;
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  return new NpyError("ERR_STAGE_FAILED", `attempt ${attempts}, the last, failed: ${message}`, { cause });
}
