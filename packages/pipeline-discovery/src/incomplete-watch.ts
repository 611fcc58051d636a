import { NpyError } from "@npystream/codec";
import type { IncompleteSet } from "./array-set.ts";
import type { ResolvedOptions } from "./discover-options.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Candidate } from "./set-candidate.ts";
import type { SetTable } from "./set-table.ts";

/** The sets are gone through four times in the time after which they count as abandoned, within these bounds. */
const SHORTEST_CHECK_MS = 20;
const LONGEST_CHECK_MS = 5000;

/** Is told by an {@link IncompleteWatch}. */
export interface IncompleteListener {
  /** Delivers a set as it is. */
  readonly onEmit: (candidate: Candidate) => Promise<void>;
  /** Is called with what a report, or what it called, failed with. */
  readonly onFailed: (error: unknown) => void;
}

/** Reports sets that have not become complete for too long. */
export class IncompleteWatch {
  readonly #options: ResolvedOptions;
  readonly #table: SetTable;
  readonly #quarantine: Quarantine;
  readonly #listener: IncompleteListener;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ResolvedOptions, table: SetTable, quarantine: Quarantine, listener: IncompleteListener) {
    this.#listener = listener;
    this.#options = options;
    this.#table = table;
    this.#quarantine = quarantine;
  }

  /** Reports from now on every set as its time is over. */
  start(): void {
    const { incompleteMs } = this.#options;
    const interval = Math.min(LONGEST_CHECK_MS, Math.max(SHORTEST_CHECK_MS, incompleteMs / 4));
    this.#timer = setInterval(() => {
      this.report(performance.now() - incompleteMs).catch(this.#listener.onFailed);
    }, interval);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Reports every set that has been incomplete since before this time of `performance.now()`. Gives whether any is to be
   * delivered as it is.
   */
  async report(before: number): Promise<boolean> {
    const emitted: Promise<void>[] = [];
    for (const candidate of this.#table.candidates()) {
      const isWaiting = candidate.state === "partial" || candidate.state === "waiting";
      if (isWaiting && !candidate.isReported && candidate.pendingSince <= before) {
        candidate.isReported = true;
        this.#report(candidate);
        if (this.#options.incompleteAction === "emit") {
          emitted.push(this.#listener.onEmit(candidate));
        }
      }
    }
    await Promise.all(emitted);
    return emitted.length > 0;
  }

  #report(candidate: Candidate): void {
    const { logger, incompleteAction, onReport } = this.#options;
    const { key, fields, root, absolutePaths: paths } = candidate;
    const missing = this.#table.missingRoles(candidate);
    const reason = missing.length > 0 ? `there is no file of ${missing.join(", ")}` : candidate.reason;
    const set: IncompleteSet = { key, fields, root: root.path, paths, missing, reason };
    logger.warn({ set: key, root: root.path, missing, reason }, "a set is still incomplete");
    onReport(set);
    if (incompleteAction === "quarantine") {
      this.#quarantine.add(candidate, reason, new NpyError("ERR_SET_CONTRACT", reason, { path: paths[0] }));
    }
  }
}
