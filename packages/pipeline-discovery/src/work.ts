import { setMaxListeners } from "node:events";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { NameFields } from "@npystream/codec";
import { childLogger } from "./logging.ts";
import type { JobVerdict, QueueConsumer, QueueEngine, QueueJob } from "./queue-engine.ts";
import { formatFailure, isChangedFailure } from "./queue-failure.ts";
import { parseMessage, type SetMessage } from "./queue-message.ts";
import { resolveRoots } from "./queue-roots.ts";
import { QueuedSet } from "./queue-set.ts";
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

/** Options of {@link work}: those of a stage, and where the files are. */
export interface WorkOptions extends StageOptions {
  /**
   * Where this machine has the root folders, by the names that `distribute` gives them: `{ in: '/mnt/in' }`. The folders must
   * be there.
   */
  readonly roots: Readonly<Record<string, string>>;
}

/**
 * Runs a function over sets that {@link distribute} publishes on another machine, until it is aborted.
 *
 * The function is that of `runStage`, with the same context. Before it runs, and again before a result gets its name, the
 * files must be those that were published: of the same size and time, and with the same headers when they are opened. A
 * set that it fails with is tried again after a pause, by whichever worker is free, and has failed for good after the last
 * attempt; the distributor then puts it into quarantine.
 *
 * A worker may die at any time. What it worked on is given to another one when its lease is over, so that the function
 * may run more than once for a set, and each result is there once.
 *
 * After an abort no more sets are taken. Those that are worked on have `drainMs` to end, and are then given back.
 *
 * @example
 * await work(engine, stage, { roots: { in: '/mnt/in' }, concurrency: 2, stopOn: ['SIGTERM'] });
 *
 * @throws NpyError `ERR_QUEUE_UNAVAILABLE`, `ERR_QUEUE_VOLATILE`; TypeError, RangeError for options that cannot be, and
 *   where a root folder is not there, or a set lies in a root that `roots` does not name; the set is then given back.
 */
export async function work<F extends object = NameFields, S extends SetContract = SetContract>(
  engine: QueueEngine,
  stage: StageFunction<F, S>,
  options: WorkOptions,
): Promise<StageResult> {
  const { roots, ...stageOptions } = options;
  const resolved = resolveStageOptions(stageOptions, "work");
  const folders = resolveRoots(roots);
  for (const [name, path] of folders) {
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isDirectory() !== true) {
      throw new TypeError(`roots.${name}: there is no folder ${path} on this machine`);
    }
  }
  // What a set has of fields and arrays is what was published for this stage, which types cannot follow through a queue.
  return await new QueueWork(stage as unknown as StageFunction, resolved, folders).run(engine);
}

class QueueWork {
  readonly #stage: StageFunction;
  readonly #options: ResolvedStageOptions;
  readonly #roots: ReadonlyMap<string, string>;
  readonly #stop: StopSignals;
  /** Aborts when what is under way is to end. */
  readonly #kill = new AbortController();
  readonly #tasks = new Set<Promise<unknown>>();
  readonly #counts = { done: 0, failed: 0, retried: 0, changed: 0, released: 0 };
  /** Sets that are done, until the queue has written that down and their files may be put away. */
  readonly #finished = new Map<string, QueuedSet>();
  #bytesInFlight = 0;
  #misuse: TypeError | undefined;
  #waitingForRoom: (() => void)[] = [];

  constructor(stage: StageFunction, options: ResolvedStageOptions, roots: ReadonlyMap<string, string>) {
    this.#stage = stage;
    this.#options = options;
    this.#roots = roots;
    this.#stop = new StopSignals(options);
    setMaxListeners(0, this.#kill.signal);
  }

  async run(engine: QueueEngine): Promise<StageResult> {
    const { logger, concurrency, drainMs } = this.#options;
    using stop = this.#stop;
    let consumer: QueueConsumer | undefined;
    try {
      if (!stop.signal.aborted) {
        consumer = await engine.connectConsumer({
          logger,
          concurrency,
          run: (job) => this.#track(this.#run(job)),
          onRecorded: (id, verdict) => this.#record(id, verdict),
        });
      }
      await stop.wait();
      consumer?.pause();
      const timer = setTimeout(() => this.#kill.abort(stop.signal.reason), drainMs);
      await this.#settled();
      clearTimeout(timer);
    } finally {
      await consumer?.close();
    }
    // The last are only written down while the queue is closed.
    await this.#settled();
    if (this.#misuse !== undefined) {
      throw this.#misuse;
    }
    return { ...this.#counts, aborted: true };
  }

  async #settled(): Promise<void> {
    while (this.#tasks.size > 0) {
      await Promise.all(this.#tasks);
    }
  }

  #track<T>(task: Promise<T>): Promise<T> {
    this.#tasks.add(task);
    return task.finally(() => this.#tasks.delete(task));
  }

  /** Works on a job once. */
  async #run(job: QueueJob): Promise<JobVerdict> {
    const { logger, attempts, baseMs, maxMs } = this.#options;
    let message: SetMessage;
    try {
      message = parseMessage(job.payload);
    } catch (error) {
      logger.error({ err: error, job: job.id }, "a job cannot be read");
      return { kind: "failed", reason: formatFailure(error) };
    }
    const root = this.#roots.get(message.root);
    if (root === undefined) {
      this.#refuse(message);
      return this.#released();
    }
    const set = new QueuedSet(job.id, message, root);
    const bytes = Object.values(set.arrays).reduce((sum, { byteLength }) => sum + byteLength, 0);
    await this.#enter(bytes);
    const { attempt } = job;
    const log = childLogger(logger, { set: set.key, generation: set.generation.slice(0, 16), attempt });
    try {
      if (this.#stop.signal.aborted) {
        return this.#released();
      }
      await this.#attempt(set, job, log);
      if (this.#options.after !== "keep") {
        this.#finished.set(job.id, set);
      }
      return { kind: "done" };
    } catch (error) {
      if (this.#kill.signal.aborted) {
        return this.#released();
      }
      if (job.lease.aborted) {
        log.warn({ err: error }, "a set was given to another worker, because this one did not renew its lease in time");
        return { kind: "released" };
      }
      log.warn({ err: error }, "an attempt of the stage failed");
      const reason = formatFailure(error);
      return attempt < attempts
        ? { kind: "retry", reason, delayMs: backoffMs(attempt, baseMs, maxMs) }
        : { kind: "failed", reason };
    } finally {
      this.#leave(bytes);
    }
  }

  /** Ends this worker, which could do no set of that root: it would be the first to fail with each, before others that could. */
  #refuse({ key, root }: SetMessage): void {
    const known = [...this.#roots.keys()].join(", ");
    this.#misuse ??= new TypeError(
      `the set ${key} lies in the root ${root}, and roots names no folder for that: ${known}`,
    );
    this.#stop.stop(this.#misuse);
  }

  async #attempt(set: QueuedSet, { lease, attempt }: QueueJob, log: ReturnType<typeof childLogger>): Promise<void> {
    const { timeoutMs, out } = this.#options;
    const end = new AbortController();
    const onKill = (): void => end.abort(this.#kill.signal.reason);
    const onLost = (): void => end.abort(lease.reason);
    this.#kill.signal.addEventListener("abort", onKill, { once: true });
    lease.addEventListener("abort", onLost, { once: true });
    try {
      await runAttempt(
        async (signal) => {
          await set.verify();
          const commit = createCommit({ out: resolve(out ?? set.root), signal, verify: () => set.verify() });
          await this.#stage(set, { commit, log, signal, attempt });
        },
        { timeoutMs, signal: end.signal },
      );
    } finally {
      this.#kill.signal.removeEventListener("abort", onKill);
      lease.removeEventListener("abort", onLost);
    }
  }

  #released(): JobVerdict {
    this.#counts.released += 1;
    return { kind: "released" };
  }

  #record(id: string, verdict: JobVerdict): void {
    if (verdict.kind === "done") {
      this.#counts.done += 1;
      const set = this.#finished.get(id);
      this.#finished.delete(id);
      if (set !== undefined) {
        void this.#track(this.#tidy(set));
      }
    } else if (verdict.kind === "retry") {
      this.#counts.retried += 1;
    } else if (verdict.kind === "failed") {
      this.#counts[isChangedFailure(verdict.reason) ? "changed" : "failed"] += 1;
    }
  }

  async #tidy(set: QueuedSet): Promise<void> {
    try {
      await tidySet(set, this.#options.after);
    } catch (error) {
      this.#options.logger.warn({ err: error, set: set.key }, "the files of a set that is done could not be put away");
    }
  }

  /** Waits until there is room for so many bytes of data; one set has room however large it is. */
  async #enter(bytes: number): Promise<void> {
    while (this.#bytesInFlight >= this.#options.maxBytesInFlight && !this.#stop.signal.aborted) {
      const room = new Promise<void>((settle) => this.#waitingForRoom.push(settle));
      await this.#stop.orStop(room);
    }
    this.#bytesInFlight += bytes;
  }

  #leave(bytes: number): void {
    this.#bytesInFlight -= bytes;
    for (const resume of this.#waitingForRoom.splice(0)) {
      resume();
    }
  }
}
