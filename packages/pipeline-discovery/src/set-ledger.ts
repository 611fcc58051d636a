import { type Logger, NpyError } from "@npystream/codec";
import type { Ledger } from "./ledger.ts";
import type { LedgerListener, LedgerState } from "./ledger-types.ts";
import { openLedger } from "./open-ledger.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Recollection } from "./set-assembly-options.ts";
import type { Candidate, Finding } from "./set-candidate.ts";
import { generationOf, setId } from "./set-identity.ts";
import type { Refusal } from "./set-judge.ts";
import type { SetNames } from "./set-names.ts";

/** Codes of errors that say that a stage failed, and not that a set is wrong. */
const STAGE_ERRORS = ["ERR_STAGE_FAILED", "ERR_STAGE_TIMEOUT"];

/** What {@link SetLedger} works with. */
export interface SetLedgerOptions {
  readonly pipeline: string;
  readonly names: SetNames;
  readonly roles: readonly string[];
  /** Whether the same set can be found twice: the root is no part of what it is. */
  readonly hasSeveralRoots: boolean;
  readonly quarantine: Quarantine;
  readonly logger: Logger;
  /** Is told what becomes of the ledger. */
  readonly listener: LedgerListener;
}

/** Writes to a ledger what becomes of the sets of one discovery, and reads from it what has. */
export class SetLedger {
  readonly #ledger: Ledger;
  readonly #isOwn: boolean;
  /** Ids of the sets that are in flight, which the file says a moment later. */
  readonly #inFlight = new Set<string>();
  /** Sets of which nothing stands in the ledger, which is asked for many at once. */
  readonly #unknown = new WeakSet<Candidate>();
  #isClosed = false;
  readonly #options: SetLedgerOptions;

  private constructor(ledger: Ledger, isOwn: boolean, options: SetLedgerOptions) {
    this.#ledger = ledger;
    this.#isOwn = isOwn;
    this.#options = options;
  }

  /**
   * Begins to write to a ledger, which is opened where its path is given, and then closed as well.
   *
   * @throws NpyError those of `openLedger`; TypeError where another discovery writes the sets of the same pipeline.
   */
  static async open(ledger: string | Ledger, options: SetLedgerOptions): Promise<SetLedger> {
    const isOwn = typeof ledger === "string";
    const opened = isOwn ? await openLedger(ledger, { logger: options.logger }) : ledger;
    try {
      opened.join(options.pipeline, options.listener);
    } catch (error) {
      if (isOwn) {
        await opened.close();
      }
      throw error;
    }
    return new SetLedger(opened, isOwn, options);
  }

  /** Whether nothing more is to be delivered for now, since the ledger cannot be written. */
  get isStuck(): boolean {
    return this.#ledger.isStuck;
  }

  /** Whether nothing can be written any more. */
  get isLost(): boolean {
    return this.#ledger.isLost;
  }

  /** Tells what is known of a set that was found complete, and takes it up where that is nothing. */
  recall(finding: Finding): Recollection {
    const { quarantine } = this.#options;
    const { candidate, generation } = finding;
    const id = this.#id(candidate, generation);
    const isNew = this.#isNew(candidate);
    const known = isNew ? undefined : this.#ledger.recall(id);
    if (known?.state === "claimed" || this.#inFlight.has(id)) {
      return "taken";
    }
    if (known?.state === "done") {
      return "settled";
    }
    if (known?.state === "failed" || known?.state === "quarantined") {
      const code = known.state === "failed" ? "ERR_STAGE_FAILED" : "ERR_SET_CONTRACT";
      quarantine.add(candidate, known.reason, new NpyError(code, known.reason, { path: candidate.absolutePaths[0] }));
      return "settled";
    }
    this.#post(id, candidate, { ...finding, isNew }, "ready", "");
    return "new";
  }

  /** Has sets that were not looked at yet be known as done with the files that were so, to be compared with those there are. */
  remember(candidates: readonly Candidate[]): void {
    const fresh = candidates.filter(({ hasSettled }) => !hasSettled);
    for (const root of new Set(fresh.map((candidate) => candidate.root))) {
      const own = fresh.filter((candidate) => candidate.root === root);
      const keys = own.map(({ key }) => key);
      const done = this.#ledger.lastDone(this.#options.pipeline, root.path, keys);
      for (const candidate of own) {
        const last = done.get(candidate.key);
        if (!done.has(candidate.key)) {
          this.#unknown.add(candidate);
        }
        if (last !== undefined) {
          candidate.settle(last.versions, last.generation);
        }
      }
    }
  }

  /** Takes note that a set does not fit, unless that stands there already. */
  refused(candidate: Candidate, { versions, reason }: Refusal): void {
    const generation = generationOf(versions, new Map());
    const isNew = this.#isNew(candidate);
    const id = this.#id(candidate, generation);
    const known = isNew ? undefined : this.#ledger.recall(id);
    if (known?.state !== "quarantined" || known.reason !== reason) {
      this.#post(id, candidate, { generation, versions, isNew }, "quarantined", reason);
    }
  }

  /**
   * Takes note that a set is taken; `false` where the same set was found elsewhere as well, and is in somebody's hands or
   * settled by now.
   */
  claim({ candidate, generation }: Finding): boolean {
    const id = this.#id(candidate, generation);
    const state = this.#options.hasSeveralRoots ? this.#ledger.recall(id)?.state : undefined;
    if (this.#inFlight.has(id) || state === "done" || state === "failed" || state === "quarantined") {
      return false;
    }
    this.#ledger.post({ id, state: "claimed", reason: "" });
    this.#inFlight.add(id);
    return true;
  }

  /** Waits until it is on disk that a set was given back. At the end of a discovery all are. */
  async released(finding: Finding): Promise<void> {
    if (!this.#isClosed) {
      await this.#settle(finding, "ready", "");
    }
  }

  /** Waits until it is on disk that a set is done. */
  async done(finding: Finding): Promise<void> {
    await this.#settle(finding, "done", "");
  }

  /** Waits until it is on disk that a set is set aside. */
  async quarantined(finding: Finding, error: Error): Promise<void> {
    const isStage = error instanceof NpyError && STAGE_ERRORS.includes(error.code);
    await this.#settle(finding, isStage ? "failed" : "quarantined", error.message);
  }

  /**
   * Gives back what is in flight, and lets another discovery write the sets of the pipeline.
   *
   * @throws NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE` where the last changes cannot be written.
   */
  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    try {
      this.#ledger.leave(this.#options.pipeline);
    } finally {
      if (this.#isOwn) {
        await this.#ledger.close();
      }
    }
  }

  async #settle({ candidate, generation }: Finding, state: LedgerState, reason: string): Promise<void> {
    const id = this.#id(candidate, generation);
    await this.#ledger.commit({ id, state, reason });
    this.#inFlight.delete(id);
  }

  /** Whether nothing stands in the ledger of a set, and nothing of it can have been written from another root. */
  #isNew(candidate: Candidate): boolean {
    return this.#unknown.delete(candidate) && !this.#options.hasSeveralRoots;
  }

  #post(
    id: string,
    candidate: Candidate,
    found: Pick<Finding, "generation" | "versions"> & { readonly isNew: boolean },
    state: LedgerState,
    reason: string,
  ): void {
    const { pipeline, names, roles } = this.#options;
    const { key, fields, root, paths } = candidate;
    const files = paths.map((path, at) => ({ role: names.isOneFile ? "" : (roles[at] ?? ""), path }));
    const { generation, versions, isNew } = found;
    const set = { pipeline, key, root: root.path, generation, fields, files, versions, isNew };
    this.#ledger.post({ id, state, reason, set });
  }

  #id({ key }: Candidate, generation: string): string {
    return setId(this.#options.pipeline, key, generation);
  }
}
