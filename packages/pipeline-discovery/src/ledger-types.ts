import type { NameFields } from "@npystream/codec";

/**
 * Where a set stands in a ledger.
 *
 * - `pending`: it was put back, and is delivered when it is found the next time.
 * - `ready`: complete, and not taken yet; `claimed`: taken.
 * - `done`: acknowledged.
 * - `failed`: a stage failed with it for good; `quarantined`: it does not fit, or was set aside.
 */
export type LedgerState = "pending" | "ready" | "claimed" | "done" | "failed" | "quarantined";

/** Every state there is, in the order in which a set goes through them. */
export const LEDGER_STATES: readonly LedgerState[] = ["pending", "ready", "claimed", "done", "failed", "quarantined"];

/** One file of a set. */
export interface LedgerFile {
  /** What the file is in the set; the empty text for one that holds all roles. */
  readonly role: string;
  /** Path below the root, with `/`. */
  readonly path: string;
}

/** What a ledger knows of one generation of a set. */
export interface LedgerEntry {
  /** SHA-256 in hex of pipeline, key and generation. */
  readonly id: string;
  /** Name of the pipeline that the set was found for. */
  readonly pipeline: string;
  /** Names the set in its root. */
  readonly key: string;
  /** Absolute path of the root folder. */
  readonly root: string;
  /** Tells this state of the files from any other: SHA-256 in hex. */
  readonly generation: string;
  /** Where it stands. */
  readonly state: LedgerState;
  /** How often it was taken. */
  readonly deliveries: number;
  /** What the names of the files say. */
  readonly fields: NameFields;
  /** Its files, by role. */
  readonly files: readonly LedgerFile[];
  /** Why it failed or is in quarantine, for people; the empty text else. */
  readonly reason: string;
  /** When it was found. */
  readonly createdAt: Date;
  /** When it came into its state. */
  readonly updatedAt: Date;
}

/** Which entries of a ledger are meant: those to which all that is given applies. */
export interface LedgerQuery {
  /** SHA-256 of a set in hex, or at least eight of its first digits. */
  readonly id?: string;
  /** Name of a pipeline. */
  readonly pipeline?: string;
  /** Key of a set. */
  readonly key?: string;
  /** One state or several. */
  readonly state?: LedgerState | readonly LedgerState[];
}

/** What is to be written of a set when it comes into another state. */
export interface LedgerChange {
  readonly id: string;
  readonly state: LedgerState;
  readonly reason: string;
  /** What the set is, where it may be new to the ledger. */
  readonly set?: Pick<LedgerEntry, "pipeline" | "key" | "root" | "generation" | "fields" | "files"> & {
    /** Versions of the files, in the order of the roles. */
    readonly versions: readonly string[];
    /** Whether the ledger knows of no generation of it. */
    readonly isNew: boolean;
  };
}

/** What was done of a set last. */
export interface LastDone {
  readonly generation: string;
  /** Versions of the files, in the order of the roles. */
  readonly versions: readonly string[];
}

/** A discovery that writes the sets of a pipeline. */
export interface LedgerListener {
  /** Is told of each set that was put back or forgotten, so that it may come again. */
  onReopened(root: string, key: string): void;
  /** Is told when nothing can be written any more. */
  onFailed(error: unknown): void;
}

/** Options of `Ledger.prune`. */
export interface PruneOptions {
  /** Milliseconds since the set came into its state, at least. @defaultValue 0 */
  readonly olderThanMs?: number;
}
