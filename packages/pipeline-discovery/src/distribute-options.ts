import { checkOptionKeys, type Logger } from "@npystream/codec";
import { defaultLogger } from "./logging.ts";
import { checkCount } from "./option-checks.ts";
import { RootNames, resolveRoots } from "./queue-roots.ts";
import { checkStopOn } from "./stop-signals.ts";

/** Options of {@link distribute}. */
export interface DistributeOptions {
  /**
   * Names of the root folders of the discovery, by which workers find them: `{ in: 'incoming' }`.
   *
   * @defaultValue `in` for the only one
   */
  readonly roots?: Readonly<Record<string, string>>;
  /** Sets that are published and have not ended at most; no more is taken before one of them has. @defaultValue 1000 */
  readonly maxPublished?: number;
  /** Takes what is logged. @defaultValue pino at level `warn`, on standard error */
  readonly logger?: Logger;
  /** Ends the distribution: what is published goes on in the queue, and is taken up by the next one. */
  readonly signal?: AbortSignal;
  /** Signals of the system that end the distribution as `signal` does, as long as it runs. @defaultValue none */
  readonly stopOn?: readonly NodeJS.Signals[];
}

/** What came of a distribution, in numbers of sets. */
export interface DistributeResult {
  /** Sets that were given to the queue. */
  readonly published: number;
  /** Sets that the queue had already, from another distributor or before a restart. */
  readonly known: number;
  /** Sets that a worker is done with. */
  readonly done: number;
  /** Sets that were quarantined, because workers failed with them. */
  readonly failed: number;
  /** Sets whose files changed meanwhile, and which are delivered anew. */
  readonly changed: number;
  /** Sets whose end was not waited for because the distribution was to end. Workers go on with them. */
  readonly released: number;
  /** Whether the distribution ended because of `signal` or `stopOn`. */
  readonly aborted: boolean;
}

/** Options with their defaults, checked. */
export interface ResolvedDistributeOptions {
  readonly rootNames: RootNames;
  readonly maxPublished: number;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
  readonly stopOn: readonly NodeJS.Signals[];
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError, RangeError for options that cannot be.
 */
export function resolveDistributeOptions(options: DistributeOptions): ResolvedDistributeOptions {
  checkOptionKeys("distribute", options, ["roots", "maxPublished", "logger", "signal", "stopOn"]);
  const { roots, maxPublished = 1000, logger = defaultLogger(), signal, stopOn = [] } = options;
  checkCount("maxPublished", maxPublished, 1);
  checkStopOn(stopOn);
  const rootNames = new RootNames(roots === undefined ? undefined : resolveRoots(roots));
  return { rootNames, maxPublished, logger, signal, stopOn };
}
