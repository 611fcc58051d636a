import { once } from "node:events";
import { isNpyError, type Logger } from "@npystream/codec";
import type { ArraySet, StageContext } from "@npystream/pipeline-discovery";
import { durationText } from "./duration.ts";
import type { EventOutput } from "./event-output.ts";
import { JoinedAbort } from "./joined-abort.ts";
import { observeSets, type SetObserver } from "./observed-sets.ts";
import { printable } from "./printable-text.ts";
import { RowRate } from "./row-rate.ts";
import { CommandError, commandEnvironment, runSetCommand } from "./set-command.ts";
import { failedEvent, rowsOf, setEvent } from "./set-event.ts";
import type { StopSignals } from "./stop-signals.ts";
import { OutputError } from "./text-output.ts";

/** What a run does with its sets. */
export interface SetRunOptions {
  readonly events: EventOutput;
  readonly stop: StopSignals;
  /** Command for each set. @defaultValue none: a set is told of, and that is all */
  readonly exec: string | undefined;
  /**
   * Where the sets are from and where they are worked on: both here; found here and worked on by others; or found by
   * others and worked on here.
   */
  readonly place: "here" | "publish" | "work";
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What has come of the sets of a run. */
export interface SetCounts {
  readonly done: number;
  /** Attempts that failed. */
  readonly failed: number;
  readonly released: number;
}

/** Works on sets as a stage does, and tells of each as it goes. */
export class SetRun {
  readonly #options: SetRunOptions;
  readonly #running = new Map<string, number>();
  readonly #changed = new Set<string>();
  readonly #attempts = new WeakMap<ArraySet["arrays"], { readonly attempt: number; readonly ms: number }>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #rate = new RowRate(performance.now());
  readonly #counts = { done: 0, failed: 0, released: 0 };
  #fault: { readonly error: unknown } | undefined;

  constructor(options: SetRunOptions) {
    this.#options = options;
  }

  /** What has come of the sets so far. */
  get counts(): SetCounts {
    return this.#counts;
  }

  /** Whether sets are worked on by others. */
  get isPublishing(): boolean {
    return this.#options.place === "publish";
  }

  /** Number of sets that are worked on. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Rows of sets done a second. */
  get rowsPerSecond(): number {
    return this.#rate.at(performance.now());
  }

  /** Names the sets that are worked on, each with its time. */
  runningText(): string {
    const now = performance.now();
    return [...this.#running].map(([key, since]) => `${printable(key)} ${durationText(now - since)}`).join(", ");
  }

  /** Gives the sets of `found` so that this run hears what becomes of them. */
  observe(found: AsyncIterable<ArraySet>): AsyncIterable<ArraySet> {
    return observeSets(found, this.#observer);
  }

  /** Works on a set: what a stage calls. */
  readonly stage = async (set: ArraySet, context: StageContext): Promise<void> => {
    const task = this.#attempt(set, context);
    this.#tasks.add(task);
    await task.finally(() => this.#tasks.delete(task));
  };

  /** Waits for attempts that a stage no longer waits for, whose commands are being ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#tasks);
  }

  async #attempt(set: ArraySet, { attempt, signal }: StageContext): Promise<void> {
    const { stop } = this.#options;
    const started = performance.now();
    this.#running.set(set.key, started);
    using end = new JoinedAbort([signal, stop.force]);
    try {
      await this.#work(set, attempt, end.signal);
      this.#attempts.set(set.arrays, { attempt, ms: performance.now() - started });
      // What becomes of it in the queue is told to who has published it.
      if (this.#options.place === "work") await this.#done(set);
    } catch (error) {
      await this.#failed(set.key, attempt, error, signal);
      throw error;
    } finally {
      this.#running.delete(set.key);
    }
  }

  /** Ends the run because of something that no other set would be spared. */
  fail(error: unknown): void {
    this.#fault ??= { error };
    this.#options.stop.endNow(error);
  }

  /** Throws what the run was ended with, if it was. */
  throwIfFailed(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  async #work(set: ArraySet, attempt: number, signal: AbortSignal): Promise<void> {
    const { events, exec, place, environment } = this.#options;
    // The attempts before may have been made by another worker.
    if (attempt === 1 || place === "work") await events.emit(setEvent(set));
    if (exec === undefined) return;
    await set.verify();
    await runSetCommand(exec, {
      signal,
      environment: { ...environment, ...commandEnvironment(set, attempt) },
      onLine: (line) => events.line(set.key, line),
    });
  }

  async #failed(key: string, attempt: number, error: unknown, signal: AbortSignal): Promise<void> {
    const { events, stop, place } = this.#options;
    const isTimeout = isNpyError(error) && error.code === "ERR_STAGE_TIMEOUT";
    if (error instanceof OutputError || (error instanceof CommandError && error.isUnusable)) {
      this.fail(error);
    } else if (isNpyError(error) && error.code === "ERR_SET_CHANGED") {
      this.#changed.add(key);
    } else if (isTimeout || !(signal.aborted || stop.force.aborted)) {
      this.#counts.failed += 1;
      await events.emit(failedEvent(key, attempt, error));
    }
    if (place === "work" && stop.force.aborted && !signal.aborted) {
      // An attempt that was cut off says nothing of the set, and counts unless the worker drops it by itself.
      await once(signal, "abort");
    }
    if (place === "work" && signal.aborted && !isTimeout) await events.emit({ event: "released", key });
  }

  async #done(set: ArraySet): Promise<void> {
    const { events, exec, place } = this.#options;
    const rows = rowsOf(set);
    this.#counts.done += 1;
    this.#rate.add(rows, performance.now());
    if (exec === undefined && place === "here") return;
    const made = this.#attempts.get(set.arrays);
    const how = made === undefined ? {} : { attempt: made.attempt, ms: Math.round(made.ms) };
    // It is done, whether or not that can be told.
    await events.emit({ event: "done", key: set.key, rows, ...how }).catch((error: unknown) => this.fail(error));
  }

  readonly #observer: SetObserver = {
    taken: async (set) => {
      if (this.#options.place === "publish") await this.#options.events.emit(setEvent(set));
    },
    acked: async (set) => {
      await set.ack();
      await this.#done(set);
    },
    released: async (set) => {
      const event = this.#changed.delete(set.key) ? "changed" : "released";
      await set.release();
      if (event === "released") this.#counts.released += 1;
      await this.#options.events.emit({ event, key: set.key }).catch((error) => this.fail(error));
    },
    quarantined: async (set, reason) => {
      // An attempt that was cut off says nothing of the set.
      if (this.#options.stop.force.aborted) await this.#observer.released(set);
      else await set.quarantine(reason);
    },
  };
}

/** Prints on stderr what goes wrong beside the sets, which have events of their own. */
export function runLogger(events: EventOutput): Logger {
  const ignore = (): void => undefined;
  const warn: Logger["warn"] = (fields, message = "") => {
    const { set, err, file } = fields as { readonly set?: unknown; readonly err?: unknown; readonly file?: unknown };
    if (set !== undefined) return;
    const cause = err instanceof Error ? `: ${err.message}` : typeof file === "string" ? `: ${file}` : "";
    void events.note(`warning: ${message}${cause}`).catch(ignore);
  };
  return { debug: ignore, info: ignore, warn, error: warn };
}
