import type { Logger } from "@npystream/codec";
import type { QuarantinedSet } from "./array-set.ts";
import type { Candidate } from "./set-candidate.ts";

/** Sets that were set aside, for as long as their files are as they were. */
export class Quarantine {
  readonly #sets = new Map<Candidate, QuarantinedSet>();
  readonly #logger: Logger;
  readonly #onQuarantine: (set: QuarantinedSet) => void;

  constructor(logger: Logger, onQuarantine: (set: QuarantinedSet) => void) {
    this.#logger = logger;
    this.#onQuarantine = onQuarantine;
  }

  /** The sets that are in it now, in the order in which they came. */
  get sets(): readonly QuarantinedSet[] {
    return [...this.#sets.values()];
  }

  /** Number of sets that are in it now. */
  get size(): number {
    return this.#sets.size;
  }

  /** Sets one aside, and tells of it unless it is here for the same reason. */
  add(candidate: Candidate, reason: string, error: Error): void {
    const { key, fields, root, absolutePaths: paths } = candidate;
    const set = { key, fields, root: root.path, paths, reason, error };
    const isNews = this.#sets.get(candidate)?.reason !== reason;
    this.#sets.set(candidate, set);
    if (isNews) {
      this.#logger.warn({ set: key, root: root.path, reason, err: error }, "a set is quarantined");
      this.#onQuarantine(set);
    }
  }

  /** Lets one go. */
  remove(candidate: Candidate): void {
    this.#sets.delete(candidate);
  }
}
