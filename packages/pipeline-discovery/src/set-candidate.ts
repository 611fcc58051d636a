import type { NameFields } from "@npystream/codec";
import type { ArrayFacts } from "./completeness.ts";
import { pathOf } from "./directory-listing.ts";
import type { RootFolder } from "./root-folder.ts";
import type { SetNames } from "./set-names.ts";

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

const NONE: readonly string[] = [];
const NO_FIELDS: NameFields = {};

/**
 * A set of which at least one file is there, by name. There may be a million, so that what can be worked out again is not kept,
 * and what others keep as well is shared.
 */
export class Candidate {
  readonly root: RootFolder;
  readonly key: string;
  readonly #names: SetNames;
  /** Folder and name of each file in the order of the roles, empty where there is none: those of the listing. */
  readonly #files: string[];
  /** What the names of the files said, once none is left. */
  #lastFields = NO_FIELDS;
  /** Versions of the files when the set was delivered or quarantined last, as one text; nothing before. */
  #settled = "";
  state: CandidateState = "partial";
  /** Whether something happened to it while it was looked at. */
  isStale = false;
  /** Generation that was delivered last; nothing before. */
  settledGeneration = "";
  /** Files (device and inode) that came into being unfinished where only whole ones should. */
  barred: readonly string[] = NONE;
  /** Why it is not complete, for people. */
  reason = "";
  /** Since when it has not been complete, in whole milliseconds of `performance.now()`. */
  pendingSince: number = Math.floor(performance.now());
  /** Whether it was reported as incomplete since then. */
  isReported = false;
  /** When it was looked at last, in whole milliseconds, and how often it was. */
  lookedAt: number | undefined;
  look = 0;
  /** Milliseconds until the next look that nothing calls for. */
  backoffMs = 0;
  /** What was seen of files that may be preallocated, and since when they are so. */
  doubt: { readonly progress: string; readonly since: number } | undefined;
  timer: NodeJS.Timeout | undefined;
  /** When the timer ends, if there is one. */
  dueAt: number | undefined;
  /** What it is ready with. */
  finding: Finding | undefined;

  constructor(root: RootFolder, key: string, names: SetNames, fileCount: number) {
    this.root = root;
    this.key = key;
    this.#names = names;
    this.#files = new Array<string>(2 * fileCount).fill("");
  }

  /** What the names of the files say. */
  get fields(): NameFields {
    const path = this.paths.find((one) => one !== "");
    return (path === undefined ? undefined : this.#names.identify(path)?.fields) ?? this.#lastFields;
  }

  /** Paths of the files relative to the root in the order of the roles, empty where there is none. */
  get paths(): string[] {
    const files = this.#files;
    return Array.from({ length: this.fileCount }, (_, at) => {
      const name = files[2 * at + 1] ?? "";
      return name === "" ? "" : pathOf(files[2 * at] ?? "", name);
    });
  }

  /** Number of files that make up the set. */
  get fileCount(): number {
    return this.#files.length / 2;
  }

  /** Takes up the file of a role. */
  place(at: number, folder: string, name: string): void {
    this.#files[2 * at] = folder;
    this.#files[2 * at + 1] = name;
  }

  /** Takes out the file of this path. */
  drop(path: string): void {
    const at = this.paths.indexOf(path);
    if (at >= 0) {
      const { fields } = this;
      this.place(at, "", "");
      this.#lastFields = this.isEmpty ? fields : NO_FIELDS;
    }
  }

  /** Whether a file of it stands in the folder. */
  isIn(folder: string): boolean {
    return this.#files.some((text, at) => at % 2 === 0 && text === folder && this.#files[at + 1] !== "");
  }

  /** Whether every file is there by name. */
  get isWhole(): boolean {
    return this.#files.every((text, at) => at % 2 === 0 || text !== "");
  }

  /** Whether no file is left. */
  get isEmpty(): boolean {
    return this.#files.every((text, at) => at % 2 === 0 || text === "");
  }

  /** Absolute paths of the files that are there. */
  get absolutePaths(): string[] {
    return this.paths.filter((path) => path !== "").map((path) => this.root.absolute(path));
  }

  /** Moves to another state; the next look that was planned is off. */
  enter(state: CandidateState): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.dueAt = undefined;
    this.finding = undefined;
    const isPending = state !== "ready" && state !== "settled";
    if (isPending && (this.state === "ready" || this.state === "settled")) {
      this.beginWait();
    }
    this.state = state;
  }

  /** Counts from now on how long it has not been complete. */
  beginWait(): void {
    this.pendingSince = Math.floor(performance.now());
    this.isReported = false;
  }

  /** Whether it was delivered or refused before. */
  get hasSettled(): boolean {
    return this.#settled !== "";
  }

  /** Versions of the files when it was delivered or refused last, in the order of the roles; nothing before. */
  get settled(): readonly string[] {
    return this.hasSettled ? this.#settled.split("\n") : NONE;
  }

  /** Whether the files are those with which it was delivered or refused; `null` stands for one that is not there. */
  isSettledAs(versions: readonly (string | null)[]): boolean {
    return this.hasSettled && !versions.includes(null) && this.#settled === versions.join("\n");
  }

  /** Takes note of what it was delivered as, or refused as: then the generation stays that of the last delivery. */
  settle(versions: readonly string[], generation: string = this.settledGeneration): void {
    this.#settled = versions.join("\n");
    this.settledGeneration = generation;
  }

  /** Forgets that it was delivered or refused. */
  forgetSettled(): void {
    this.#settled = "";
    this.settledGeneration = "";
  }

  /** Is now being looked at; gives the number of this look. */
  beginLook(): number {
    this.enter("looking");
    this.isStale = false;
    this.lookedAt = Math.floor(performance.now());
    this.look += 1;
    return this.look;
  }
}
