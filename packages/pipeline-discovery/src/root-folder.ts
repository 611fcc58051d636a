import { lstat } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import type { Logger } from "@npystream/codec";
import { isVisibleName, pathOf } from "./directory-listing.ts";
import { DirectorySweep, type SweepObserver } from "./directory-sweep.ts";
import { FILE_MARKER, FOLDER_MARKER } from "./file-inspector.ts";
import { errorCode, isMissing } from "./file-version.ts";
import { FolderHints, type HintListener, type HintSource, noHints } from "./folder-hints.ts";
import { hintBurst } from "./hint-burst.ts";
import type { SetNames } from "./set-names.ts";
import type { UnmatchedFile } from "./unmatched-file.ts";
import { Wake } from "./wake.ts";

/** Is told of files in a root; folders are relative to it, with `/`. */
export interface RootObserver {
  appeared(root: RootFolder, folder: string, names: readonly string[]): void;
  vanished(root: RootFolder, folder: string, names: readonly string[]): void;
  /** Something may have happened to a file that is known, or to any in the folder where there is no name. */
  touched(root: RootFolder, folder: string, name: string | null): void;
  /** Everything that is known of the root is due for another look, in case that a hint was lost. */
  doubted(root: RootFolder): void;
}

/** How a {@link RootFolder} is followed. */
export interface RootFolderOptions {
  readonly names: SetNames;
  readonly hints: "auto" | "none";
  /** Milliseconds between sweeps. */
  readonly sweepMs: number;
  readonly logger: Logger;
  readonly observer: RootObserver;
  /** Is told where no array in the root is named as the template and the roles say, once. */
  readonly onUnmatched: (file: UnmatchedFile) => void;
}

/** While there is no root, whether it is there is looked up this often: a root that is made late is not a sweep late. */
const MISSING_ROOT_MS = 250;
/** Sweep interval where events of the file system cannot be had, unless a shorter one is asked for. */
export const UNHINTED_SWEEP_MS = 1000;
/**
 * Time between looks at everything, for changes in place, which no folder's time of change tells of; more where there are so many
 * files that looking, 40 us of processor time a file off the main thread, would take more than a twentieth of the time.
 */
const FULL_SWEEP_MS = { auto: 300_000, none: 60_000 };
const FULL_SWEEP_MS_PER_FILE = 0.8;
/** How the names of files with arrays end, whether they are looked for or not. */
const ARRAY_NAME = /\.np[yz]$/;
/** Names that are looked up at once. */
const PROBES = 32;

/** Follows the files below one root: events are hints, the listing is the truth. */
export class RootFolder implements SweepObserver, HintListener {
  /** Absolute path. */
  readonly path: string;
  readonly #prefix: string;
  readonly #options: RootFolderOptions;
  readonly #sweep: DirectorySweep;
  readonly #hints: HintSource;
  readonly #wake = new Wake();
  readonly #reported = new Set<string>();
  /** Whether a file has been seen that belongs to a set, and one that looks as if it might and does not. */
  #hasFile = false;
  #stranger: string | undefined;
  #hasWarned = false;
  #hinted = new Map<string, { readonly folder: string; readonly name: string }>();
  #sweepMs: number;
  #isDirty = false;
  #isDoubtful = false;
  #isClosed = false;
  readonly #onBurst = (): void => {
    this.#isDoubtful = true;
    this.#wake.call();
  };

  constructor(path: string, options: RootFolderOptions) {
    const { names, hints, sweepMs } = options;
    this.path = path;
    this.#prefix = path.endsWith(sep) ? path : path + sep;
    this.#options = options;
    this.#sweepMs = sweepMs;
    this.#sweep = new DirectorySweep(path, (name) => this.#accepts(name), names.maxDepth, this);
    this.#hints = hints === "none" ? noHints : new FolderHints(path, names.minDepth, this);
  }

  /** Lists everything once. */
  async list(): Promise<void> {
    await this.#sweep.sweep("full");
    if (!this.#sweep.hasRoot) {
      this.#options.logger.warn({ root: this.path }, "the root folder does not exist");
    }
    this.#warnOfStrangers();
  }

  /** Follows the root until it is closed. */
  async follow(): Promise<void> {
    if (this.#options.hints !== "none" && !this.#isClosed) {
      hintBurst.heed(this.#onBurst);
    }
    await this.#sweep.sweep("full");
    if (!this.#sweep.hasRoot) {
      this.#options.logger.info({ root: this.path }, "the root folder does not exist yet");
    }
    this.#warnOfStrangers();
    let fullAt = this.#nextFull();
    let sweepAt = performance.now() + this.#sweepMs;
    let calmAt = performance.now();
    while (!this.#isClosed) {
      const patience = this.#sweep.hasRoot ? this.#sweepMs : Math.min(MISSING_ROOT_MS, this.#sweepMs);
      await this.#wake.sleep(Math.max(0, Math.min(sweepAt - performance.now(), patience)));
      const now = performance.now();
      // Floods that follow each other have everything listed once in a sweep's time and not after each.
      const isFull = (this.#isDoubtful && now >= calmAt) || now >= fullAt;
      await this.#probeHinted(isFull);
      const isDue = isFull || now >= sweepAt;
      if (!this.#isClosed && (isDue || this.#isDirty || !this.#sweep.hasRoot)) {
        this.#isDirty = false;
        this.#isDoubtful &&= !isFull;
        await this.#sweep.sweep(isFull ? "full" : isDue ? "changed" : "dirty");
        sweepAt = isDue ? performance.now() + this.#sweepMs : sweepAt;
      }
      if (isFull && !this.#isClosed) {
        calmAt = sweepAt;
        this.#warnOfStrangers();
        fullAt = this.#nextFull();
        this.#options.observer.doubted(this);
      }
    }
  }

  /** The absolute path of what has this path below the root. */
  absolute(path: string): string {
    return this.#prefix + (sep === "/" ? path : path.replaceAll("/", sep));
  }

  /** Says that the file of this relative path was found to have gone. */
  dropFile(path: string): void {
    const at = path.lastIndexOf("/");
    this.#sweep.dropFile(path.slice(0, Math.max(0, at)), path.slice(at + 1));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    hintBurst.leave(this.#onBurst);
    this.#wake.call();
    await this.#hints.close();
  }

  entered(folder: string): void {
    if (!this.#isClosed) {
      this.#hints.entered(folder);
    }
  }

  left(folder: string): void {
    this.#hints.left(folder);
  }

  appeared(folder: string, names: readonly string[]): void {
    this.#hasFile ||= names.some((name) => this.#options.names.identify(pathOf(folder, name)) !== null);
    this.#stranger ??= names[0];
    this.#options.observer.appeared(this, folder, names);
  }

  vanished(folder: string, names: readonly string[]): void {
    this.#options.observer.vanished(this, folder, names);
  }

  failed(folder: string, error: unknown): void {
    this.#warnOnce(`list ${folder}`, { folder, err: error }, "a folder cannot be listed; it is tried again");
  }

  hinted(folder: string, name: string | null, isNew: boolean): void {
    const { names, observer } = this.#options;
    if (this.#isClosed) {
      return;
    }
    hintBurst.add();
    // A folder that is removed tells of itself by its own name.
    const isOwnName = isNew && name === basename(join(this.path, folder));
    if (isOwnName && !this.#options.names.accepts(name)) {
      this.gone(folder);
    } else if (name === null) {
      this.#sweep.markDirty(folder);
      this.#isDirty = true;
      this.#wake.call();
    } else if (name === FOLDER_MARKER) {
      observer.touched(this, folder, null);
    } else if (name.endsWith(FILE_MARKER)) {
      observer.touched(this, folder, name.slice(0, -FILE_MARKER.length));
    } else if (isVisibleName(name) && (names.accepts(name) || (isNew && this.#mayHoldFolders(folder)))) {
      this.#hinted.set(`${folder}/${name}`, { folder, name });
      this.#wake.call();
    }
  }

  gone(folder: string): void {
    this.#sweep.markGone(folder);
    this.#isDirty = true;
    this.#wake.call();
  }

  unwatched(folder: string, error: unknown): void {
    const isFull = ["ENOSPC", "EMFILE"].includes(errorCode(error));
    const why = isFull ? "the system has no more inotify watches to give" : "a folder cannot be watched";
    const key = isFull ? "watches" : `watch ${folder}`;
    this.#warnOnce(key, { folder, err: error }, `${why}; what happens there is found by sweeps`);
    this.#sweepMs = Math.min(this.#sweepMs, UNHINTED_SWEEP_MS);
    this.#isDoubtful = true;
    this.#wake.call();
  }

  #nextFull(): number {
    const { hints } = this.#options;
    return performance.now() + Math.max(FULL_SWEEP_MS[hints], this.#sweep.fileCount * FULL_SWEEP_MS_PER_FILE);
  }

  /** Looks at what the hints name, unless everything is listed in any case. */
  async #probeHinted(isFull: boolean): Promise<void> {
    const hinted = isFull ? [] : [...this.#hinted.values()];
    this.#hinted = new Map();
    for (let at = 0; at < hinted.length && !this.#isClosed; at += PROBES) {
      await Promise.all(hinted.slice(at, at + PROBES).map(({ folder, name }) => this.#probe(folder, name)));
    }
  }

  async #probe(folder: string, name: string): Promise<void> {
    const { names, observer } = this.#options;
    if (this.#sweep.knows(folder, name)) {
      observer.touched(this, folder, name);
      return;
    }
    const stats = await lstat(join(this.path, folder, name)).catch((error: unknown) => {
      return isMissing(error) ? null : undefined;
    });
    const isFile = stats?.isFile() === true && names.accepts(name);
    if (isFile && !this.#sweep.knows(folder, name) && this.#sweep.addFile(folder, name)) {
      observer.appeared(this, folder, [name]);
    } else if (stats?.isFile() !== true && this.#mayHoldFolders(folder)) {
      // A folder that came or went, or something that went before it was looked at.
      this.#sweep.markDirty(folder);
      this.#isDirty = true;
    }
  }

  #accepts(name: string): boolean {
    const isAccepted = this.#options.names.accepts(name);
    if (!isAccepted && ARRAY_NAME.test(name)) {
      this.#stranger ??= name;
    }
    return isAccepted;
  }

  /** A template or a role that is misspelt would else look like a folder into which nothing comes. */
  #warnOfStrangers(): void {
    if (!this.#hasFile && this.#stranger !== undefined && !this.#hasWarned) {
      const { names, logger, onUnmatched } = this.#options;
      const fields = { root: this.path, template: names.template, file: this.#stranger };
      this.#hasWarned = true;
      logger.warn(fields, "no array in the root is named as the template and the roles say");
      onUnmatched({ root: this.path, name: this.#stranger });
    }
  }

  #mayHoldFolders(folder: string): boolean {
    const depth = folder === "" ? 0 : folder.split("/").length;
    return depth < this.#options.names.maxDepth;
  }

  #warnOnce(key: string, fields: object, message: string): void {
    if (!this.#reported.has(key)) {
      this.#reported.add(key);
      this.#options.logger.warn({ root: this.path, ...fields }, message);
    }
  }
}
