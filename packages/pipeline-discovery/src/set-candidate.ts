import type { NameFields } from "@npystream/codec";
import type { ArrayFacts } from "./completeness.ts";
import type { RootFolder } from "./root-folder.ts";

/**
 * Where a set stands.
 *
 * - `partial`: files are missing.
 * - `queued`: to be looked at; `looking`: it is.
 * - `waiting`: not complete, and looked at again later.
 * - `taken`: complete, and in somebody's hands as the same set; looked at again later.
 * - `ready`: complete and not yet taken.
 * - `settled`: delivered or quarantined as it is now.
 */
export type CandidateState = "partial" | "queued" | "looking" | "waiting" | "taken" | "ready" | "settled";

/** A set that was found complete, as it was then. */
export interface Finding {
  readonly candidate: Candidate;
  /** Versions of the files, in the order of the roles; of one file for an archive. */
  readonly versions: readonly string[];
  readonly arrays: ReadonlyMap<string, ArrayFacts>;
  /** Tells this state of the set from any other: SHA-256 in hex. */
  readonly generation: string;
  /** When it was looked at, in milliseconds of `performance.now()`. */
  readonly at: number;
}

/** A set of which at least one file is there, by name. */
export class Candidate {
  readonly root: RootFolder;
  readonly key: string;
  readonly fields: NameFields;
  /** Paths of the files relative to the root in the order of the roles, empty where there is none. */
  readonly paths: string[];
  state: CandidateState = "partial";
  /** Whether something happened to it while it was looked at. */
  isStale = false;
  /** Versions of the files when the set was delivered or quarantined last; nothing before. */
  settled: readonly string[] = [];
  /** Generation that was delivered last; nothing before. */
  settledGeneration = "";
  /** Files (device and inode) that came into being unfinished where only whole ones should. */
  barred: readonly string[] = [];
  /** Why it is not complete, for people. */
  reason = "";
  /** Since when it has not been complete, in milliseconds of `performance.now()`. */
  pendingSince: number = performance.now();
  /** Whether it was reported as incomplete since then. */
  isReported = false;
  /** When it was looked at last, and how often it was. */
  lookedAt: number = Number.NEGATIVE_INFINITY;
  look = 0;
  /** Milliseconds until the next look that nothing calls for. */
  backoffMs = 0;
  /** What was seen of files that may be preallocated, and since when they are so. */
  doubt: { readonly progress: string; readonly since: number } | undefined;
  timer: NodeJS.Timeout | undefined;
  /** When the timer ends. */
  dueAt: number = Number.POSITIVE_INFINITY;
  /** What it is ready with. */
  finding: Finding | undefined;

  constructor(root: RootFolder, key: string, fields: NameFields, fileCount: number) {
    this.root = root;
    this.key = key;
    this.fields = fields;
    this.paths = new Array<string>(fileCount).fill("");
  }

  /** Whether every file is there by name. */
  get isWhole(): boolean {
    return !this.paths.includes("");
  }

  /** Whether no file is left. */
  get isEmpty(): boolean {
    return this.paths.every((path) => path === "");
  }

  /** Absolute paths of the files that are there. */
  get absolutePaths(): string[] {
    return this.paths.filter((path) => path !== "").map((path) => this.root.absolute(path));
  }

  /** Moves to another state; the next look that was planned is off. */
  enter(state: CandidateState): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.finding = undefined;
    const isPending = state !== "ready" && state !== "settled";
    if (isPending && (this.state === "ready" || this.state === "settled")) {
      this.beginWait();
    }
    this.state = state;
  }

  /** Counts from now on how long it has not been complete. */
  beginWait(): void {
    this.pendingSince = performance.now();
    this.isReported = false;
  }

  /** Forgets that it was delivered or refused. */
  forgetSettled(): void {
    this.settled = [];
    this.settledGeneration = "";
  }

  /** Is now being looked at; gives the number of this look. */
  beginLook(): number {
    this.enter("looking");
    this.isStale = false;
    this.lookedAt = performance.now();
    this.look += 1;
    return this.look;
  }
}
