import type { Logger } from "@npystream/codec";
import type { QuarantinedSet } from "./array-set.ts";
import type { Candidate } from "./set-candidate.ts";

/** Sets that were set aside, for as long as their files are as they were. */
export class Quarantine {
  readonly #sets = new Map<Candidate, QuarantinedSet>();
  /** Those of which a file is missing. */
  readonly #away = new WeakMap<Candidate, QuarantinedSet>();
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

  /** Lets one go for good. */
  remove(candidate: Candidate): void {
    this.#sets.delete(candidate);
    this.#away.delete(candidate);
  }

  /** Lets one go of which a file is missing, until that is back. */
  suspend(candidate: Candidate): void {
    const set = this.#sets.get(candidate);
    if (set !== undefined) {
      this.#sets.delete(candidate);
      this.#away.set(candidate, set);
    }
  }

  /** Takes one in again whose files are as they were. */
  restore(candidate: Candidate): void {
    const set = this.#away.get(candidate);
    if (set !== undefined) {
      this.#away.delete(candidate);
      this.#sets.set(candidate, set);
    }
  }
}
