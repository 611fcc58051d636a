import { join } from "node:path";
import { type DirectoryStamp, directoryStamp, listDirectory, pathOf } from "./directory-listing.ts";

/**
 * Which folders a sweep lists: those marked dirty, also those whose times of change are others than before, or all.
 */
export type SweepMode = "dirty" | "changed" | "full";

/** Is told what a sweep finds. Folders and files are relative to the root, with `/`; the root itself is the empty text. */
export interface SweepObserver {
  /** A folder that was not there before is about to be listed. What happens in it from now on can be watched for. */
  entered(folder: string): void;
  /** A folder has gone, or another one took its place. */
  left(folder: string): void;
  /** Files are in `folder` that were not there at its last listing. */
  appeared(folder: string, names: readonly string[]): void;
  /** Files have gone from `folder`. */
  vanished(folder: string, names: readonly string[]): void;
  /** A folder could not be listed. What was known of it is kept, and the next sweep tries again. */
  failed(folder: string, error: unknown): void;
}

interface Folder {
  readonly files: Set<string>;
  folders: ReadonlySet<string>;
  /** Files added by {@link DirectorySweep.addFile} since the last listing began, which that listing may have missed. */
  fresh: Set<string>;
  /** Device and inode; nothing where another folder may be in its place that was given the same. */
  identity: string;
  /** Times of change at the last listing; `null` where a change since then could have the same. */
  times: string | null;
}

/**
 * A folder that changed this recently when it was listed is listed again: another change can fall into the same tick
 * of the file system's clock, which is 2 s on FAT and some milliseconds elsewhere.
 */
const SAME_TICK_MS = 2000;

/** Follows the files of one folder tree by listing as few folders as it can. */
export class DirectorySweep {
  readonly #root: string;
  readonly #accepts: (name: string) => boolean;
  readonly #maxDepth: number;
  readonly #observer: SweepObserver;
  readonly #folders = new Map<string, Folder>();
  #dirty = new Set<string>();

  /**
   * @param accepts - Tells whether a file of this name is of interest.
   * @param maxDepth - How many folders lie between the root and a file at most.
   */
  constructor(root: string, accepts: (name: string) => boolean, maxDepth: number, observer: SweepObserver) {
    this.#root = root;
    this.#accepts = accepts;
    this.#maxDepth = maxDepth;
    this.#observer = observer;
  }

  /** Whether the root was there at the last sweep. */
  get hasRoot(): boolean {
    return this.#folders.has("");
  }

  /** Number of files that are known. */
  get fileCount(): number {
    return [...this.#folders.values()].reduce((count, { files }) => count + files.size, 0);
  }

  /** Has the next sweep list the folder of this relative path, or the nearest one above it that is known. */
  markDirty(folder: string): void {
    this.#dirty.add(folder);
  }

  /** Has the next sweep enter the folder anew, since it has gone: another one in its place may have been given its inode. */
  markGone(folder: string): void {
    const known = this.#folders.get(folder);
    if (known !== undefined) {
      known.identity = "";
    }
    this.markDirty(folder);
  }

  /** Tells whether the file is known. */
  knows(folder: string, name: string): boolean {
    return this.#folders.get(folder)?.files.has(name) ?? false;
  }

  /** Takes up a file that was found without a listing; `false` where its folder is not known. */
  addFile(folder: string, name: string): boolean {
    const known = this.#folders.get(folder);
    known?.files.add(name);
    known?.fresh.add(name);
    return known !== undefined;
  }

  /** Forgets a file that was found to have gone, so that the next listing tells of it should it be there again. */
  dropFile(folder: string, name: string): void {
    const known = this.#folders.get(folder);
    if (known?.files.delete(name) === true) {
      known.times = null;
    }
  }

  /** Lists what `mode` asks for and tells the observer what changed. */
  async sweep(mode: SweepMode): Promise<void> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    if (!this.hasRoot) {
      await this.#enter("");
    } else if (mode === "full") {
      await this.#listAll("");
    } else {
      await this.#listStale(mode, dirty);
    }
  }

  async #listStale(mode: SweepMode, dirty: ReadonlySet<string>): Promise<void> {
    const stale = new Set([...dirty].map((folder) => this.#nearestKnown(folder)));
    for (const folder of mode === "changed" ? [...this.#folders.keys()] : []) {
      if (!stale.has(folder) && (await this.#isChanged(folder))) {
        stale.add(folder);
      }
    }
    for (const folder of [...stale].sort()) {
      // The listing of one above, which comes first, may have found that it is gone.
      if (this.#folders.has(folder)) {
        await this.#listAgain(folder);
      }
    }
  }

  async #isChanged(folder: string): Promise<boolean> {
    const known = this.#folders.get(folder);
    const stamp = await this.#stamp(folder);
    return known !== undefined && (stamp?.times !== known.times || stamp?.identity !== known.identity);
  }

  async #listAll(folder: string): Promise<void> {
    const known = [...(this.#folders.get(folder)?.folders ?? [])];
    await this.#listAgain(folder);
    for (const name of known) {
      if (this.#folders.get(folder)?.folders.has(name) === true) {
        await this.#listAll(pathOf(folder, name));
      }
    }
  }

  /** Begins to follow a folder, if there is one. */
  async #enter(folder: string): Promise<void> {
    const stamp = await this.#stamp(folder);
    if (stamp) {
      const { identity } = stamp;
      this.#folders.set(folder, { files: new Set(), folders: new Set(), fresh: new Set(), identity, times: null });
      this.#observer.entered(folder);
      await this.#list(folder, stamp);
    }
  }

  /** Lists a folder that is known, unless another has taken its place. */
  async #listAgain(folder: string): Promise<void> {
    const stamp = await this.#stamp(folder);
    if (stamp?.identity === this.#folders.get(folder)?.identity && stamp) {
      await this.#list(folder, stamp);
    } else if (stamp !== undefined) {
      this.#leave(folder);
      await this.#enter(folder);
    }
  }

  /** Lists a folder that is known, and those that are new in it. */
  async #list(folder: string, stamp: DirectoryStamp): Promise<void> {
    const known = this.#folders.get(folder);
    if (known === undefined) {
      return;
    }
    known.fresh = new Set();
    const listing = await listDirectory(this.#absolute(folder)).catch((error: unknown) => {
      known.times = null;
      this.#observer.failed(folder, error);
      return undefined;
    });
    if (listing === null) {
      this.#leave(folder);
    } else if (listing !== undefined) {
      const newest = BigInt(Date.now() - SAME_TICK_MS) * 1_000_000n;
      known.times = stamp.ctimeNs < newest ? stamp.times : null;
      this.#compareFiles(folder, known, listing.files.filter(this.#accepts));
      await this.#compareFolders(folder, known, listing.folders);
    }
  }

  #compareFiles(folder: string, known: Folder, names: readonly string[]): void {
    const listed = new Set(names);
    const vanished = [...known.files].filter((name) => !listed.has(name) && !known.fresh.has(name));
    const appeared = names.filter((name) => !known.files.has(name));
    for (const name of vanished) {
      known.files.delete(name);
    }
    for (const name of appeared) {
      known.files.add(name);
    }
    if (vanished.length > 0) {
      this.#observer.vanished(folder, vanished);
    }
    if (appeared.length > 0) {
      this.#observer.appeared(folder, appeared);
    }
  }

  async #compareFolders(folder: string, known: Folder, names: readonly string[]): Promise<void> {
    const depth = folder === "" ? 0 : folder.split("/").length;
    const before = known.folders;
    known.folders = new Set(depth < this.#maxDepth ? names : []);
    for (const name of before) {
      if (!known.folders.has(name)) {
        this.#leave(pathOf(folder, name));
      }
    }
    for (const name of known.folders) {
      // One that could not be entered the last time is tried again.
      if (!this.#folders.has(pathOf(folder, name))) {
        await this.#enter(pathOf(folder, name));
      }
    }
  }

  #leave(folder: string): void {
    const known = this.#folders.get(folder);
    if (known !== undefined) {
      this.#folders.delete(folder);
      this.#observer.left(folder);
      this.#observer.vanished(folder, [...known.files]);
      for (const name of known.folders) {
        this.#leave(pathOf(folder, name));
      }
    }
  }

  /** The stamp of a folder, `null` where there is none, nothing where it cannot be looked up. */
  async #stamp(folder: string): Promise<DirectoryStamp | null | undefined> {
    try {
      // The root may be a link, as its owner likes. Any other folder that became one leads out of the root, or in circles.
      return await directoryStamp(this.#absolute(folder), folder === "");
    } catch (error) {
      this.#observer.failed(folder, error);
      return undefined;
    }
  }

  #nearestKnown(folder: string): string {
    let known = folder;
    while (known !== "" && !this.#folders.has(known)) {
      known = known.slice(0, Math.max(0, known.lastIndexOf("/")));
    }
    return known;
  }

  #absolute(folder: string): string {
    return join(this.#root, folder);
  }
}
