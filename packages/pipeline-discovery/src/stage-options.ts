import { checkOptionKeys, type Logger, type NameFields } from "@npystream/codec";
import type { ArraySet } from "./array-set.ts";
import { defaultLogger } from "./logging.ts";
import { checkChoice, checkCount, checkMilliseconds } from "./option-checks.ts";
import type { SetContract } from "./set-contract.ts";
import type { AfterDone } from "./set-tidy.ts";
import type { Commit } from "./stage-commit.ts";
import { checkStopOn } from "./stop-signals.ts";

/** What a stage function is given beside the set. */
export interface StageContext {
  /** Writes a result, which appears whole or not at all. */
  readonly commit: Commit;
  /** Logs with the set, its generation and the attempt. */
  readonly log: Logger;
  /** Aborts when the time of the attempt is over, or when the stage is to end and has drained long enough. */
  readonly signal: AbortSignal;
  /** Number of this attempt at the set, from 1. */
  readonly attempt: number;
}

/** What a stage does with a set. It may run again for the same set, and must then give the same result. */
export type StageFunction<F extends object = NameFields, S extends SetContract = SetContract> = (
  set: ArraySet<F, S>,
  context: StageContext,
) => unknown;

/** How a set that a stage failed with is tried again. */
export interface RetryOptions {
  /** Attempts in all, after which the set is quarantined. @defaultValue 5 */
  readonly attempts?: number;
  /** Milliseconds before the second attempt at most. Each further wait is up to twice as long. @defaultValue 1000 */
  readonly baseMs?: number;
  /** Longest of these waits. @defaultValue 60,000 */
  readonly maxMs?: number;
}

/** Options of {@link runStage}. */
export interface StageOptions {
  /** Sets that are worked on at once. @defaultValue 1 */
  readonly concurrency?: number;
  /**
   * Bytes of data, by the headers, from which on no further set is begun until one of those under way has ended. One set
   * is worked on however large it is.
   *
   * @defaultValue no bound
   */
  readonly maxBytesInFlight?: number;
  /** How a set that the function fails with is tried again. */
  readonly retry?: RetryOptions;
  /** Milliseconds that one attempt may take. @defaultValue no bound */
  readonly timeoutMs?: number;
  /** Milliseconds for which attempts go on after an abort. @defaultValue 20,000 */
  readonly drainMs?: number;
  /**
   * What becomes of the files of a set that is done: they stay, are deleted, or get another name below the root of the set,
   * from the fields of the set and the role of each file. The new names must be none that are looked for.
   *
   * @defaultValue `'keep'`
   */
  readonly after?: AfterDone;
  /** Folder below which results are written. @defaultValue the root of the set */
  readonly out?: string;
  /** Takes what is logged; one that has `child`, as pino's do, is asked for a child for each attempt. @defaultValue pino at level `warn`, on standard error */
  readonly logger?: Logger;
  /** Ends the stage: no more sets are taken, and those that are worked on are drained. */
  readonly signal?: AbortSignal;
  /** Signals of the system that end the stage as `signal` does, as long as it runs. @defaultValue none */
  readonly stopOn?: readonly NodeJS.Signals[];
}

/** What came of a stage, in numbers of sets. */
export interface StageResult {
  /** Sets that are done. */
  readonly done: number;
  /** Sets that were quarantined after the last attempt. */
  readonly failed: number;
  /** Attempts that failed and were followed by another. */
  readonly retried: number;
  /** Sets whose files changed meanwhile, and which are delivered anew. */
  readonly changed: number;
  /** Sets that were given back unfinished because the stage was to end. */
  readonly released: number;
  /** Whether the stage ended because of `signal` or a signal of `stopOn`. */
  readonly aborted: boolean;
}

/** Options with their defaults, checked. */
export interface ResolvedStageOptions {
  readonly concurrency: number;
  readonly maxBytesInFlight: number;
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly timeoutMs: number | undefined;
  readonly drainMs: number;
  readonly after: AfterDone;
  readonly out: string | undefined;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
  readonly stopOn: readonly NodeJS.Signals[];
}

const KNOWN_OPTIONS = [
  "concurrency",
  "maxBytesInFlight",
  "retry",
  "timeoutMs",
  "drainMs",
  "after",
  "out",
  "logger",
  "signal",
  "stopOn",
];

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError, RangeError for options that cannot be.
 */
export function resolveStageOptions(options: StageOptions, caller = "runStage"): ResolvedStageOptions {
  checkOptionKeys(caller, options, KNOWN_OPTIONS);
  const {
    concurrency = 1,
    retry = {},
    timeoutMs,
    drainMs = 20_000,
    after = "keep",
    out,
    signal,
    stopOn = [],
  } = options;
  const { maxBytesInFlight = Number.POSITIVE_INFINITY } = options;
  checkOptionKeys("retry", retry, ["attempts", "baseMs", "maxMs"]);
  const { attempts = 5, baseMs = 1000, maxMs = 60_000 } = retry;
  checkCount("concurrency", concurrency, 1);
  checkCount("maxBytesInFlight", maxBytesInFlight, 1);
  checkCount("retry.attempts", attempts, 1);
  checkMilliseconds("retry.baseMs", baseMs);
  checkMilliseconds("retry.maxMs", maxMs);
  checkMilliseconds("drainMs", drainMs);
  checkMilliseconds("timeoutMs", timeoutMs ?? 0);
  if (typeof after !== "object" || typeof after?.move?.format !== "function") {
    checkChoice("after", after, ["keep", "delete"]);
  }
  checkStopOn(stopOn);
  if (out !== undefined && (typeof out !== "string" || out === "")) {
    throw new TypeError("out must be the path of a folder");
  }
  const logger = options.logger ?? defaultLogger();
  return {
    concurrency,
    maxBytesInFlight,
    attempts,
    baseMs,
    maxMs,
    timeoutMs,
    drainMs,
    after,
    out,
    logger,
    signal,
    stopOn,
  };
}
