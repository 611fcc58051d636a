import { type FSWatcher, realpathSync, watch } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { watch as watchTree } from "chokidar";
import { isVisibleName } from "./directory-listing.ts";
import { errorCode, isMissing } from "./file-version.ts";

/** Is told where something may have happened. A hint may come twice, late or never. */
export interface HintListener {
  /**
   * @param folder - Relative to the root, with `/`.
   * @param name - What it happened to in the folder, or `null` where that is not known.
   * @param isNew - Whether a name came or went; else content changed.
   */
  hinted(folder: string, name: string | null, isNew: boolean): void;
  /** A folder was removed or moved away; by now another may be in its place, of which nothing is heard. */
  gone(folder: string): void;
  /** A folder cannot be watched: nothing more is heard of it until it is entered again. */
  unwatched(folder: string, error: unknown): void;
}

/** What follows a root folder by the events of its file system. */
export interface HintSource {
  /** Begins to watch a folder, before it is listed, so that nothing falls between. */
  entered(folder: string): void;
  left(folder: string): void;
  close(): Promise<void>;
}

/** Watches nothing: for file systems without events, such as network mounts. */
export const noHints: HintSource = { entered: () => undefined, left: () => undefined, close: async () => undefined };

/**
 * How long chokidar may take to watch a folder that it has told of; what comes in meanwhile, it does not tell. Nor that a folder
 * was made again within 100 ms of its removal.
 */
const UNWATCHED_MS = 250;

/**
 * Watches the folders of one root, each by itself and no file.
 *
 * Folders that may hold files of sets are watched with `node:fs`, whose events name the file, also when it is only
 * written to. Those above, which hold nothing but folders, are left to chokidar. It reads and stats all of a folder's
 * entries again at every event, which is nothing for a few folders and ruin for files: measured with 1,000 files in a
 * folder while another is written in 500 steps, 5.5 s of processor time of 5.7 s, and 0.03 s with `node:fs`.
 */
export class FolderHints implements HintSource {
  readonly #root: string;
  readonly #minDepth: number;
  readonly #listener: HintListener;
  readonly #watchers = new Map<string, FSWatcher>();
  /** Folders that chokidar watches. */
  readonly #branches = new Set<string>();
  #closeTree: (() => Promise<void>) | undefined;
  readonly #again = new Set<NodeJS.Timeout>();

  /** @param minDepth - How many folders lie between the root and a file at least. */
  constructor(root: string, minDepth: number, listener: HintListener) {
    this.#root = root;
    this.#minDepth = minDepth;
    this.#listener = listener;
  }

  entered(folder: string): void {
    this.left(folder);
    if (depthOf(folder) >= this.#minDepth) {
      this.#watchFolder(folder);
    } else {
      this.#branches.add(folder);
      if (folder === "") {
        this.#watchTree();
      }
    }
  }

  left(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
    this.#branches.delete(folder);
    if (folder === "") {
      void this.#closeTree?.();
      this.#closeTree = undefined;
    }
  }

  async close(): Promise<void> {
    for (const folder of [...this.#watchers.keys()]) {
      this.left(folder);
    }
    for (const timer of this.#again) {
      clearTimeout(timer);
    }
    await this.#closeTree?.();
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(join(this.#root, folder), (kind, name) => {
        this.#listener.hinted(folder, name, kind === "rename");
      });
      watcher.on("error", (error) => this.#fail(folder, error));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#fail(folder, error);
    }
  }

  #watchTree(): void {
    try {
      // chokidar watches the link itself where a root is one, and not the folder it leads to.
      const root = realpathSync(this.#root);
      const tree = watchTree(root, {
        ignored: (path, stats) => stats !== undefined && !(stats.isDirectory() && isVisible(root, path)),
        depth: this.#minDepth - 1,
        followSymlinks: false,
        ignoreInitial: true,
        atomic: false,
      });
      const parentOf = (path: string): string => toFolder(relative(root, join(path, "..")));
      const changed = (path: string): void => {
        this.#listener.hinted(parentOf(path), null, true);
        const folder = toFolder(relative(root, path));
        if (depthOf(folder) < this.#minDepth) {
          this.#hintAgain(folder);
        }
      };
      tree.on("addDir", changed).on("unlinkDir", (path) => {
        this.#listener.gone(toFolder(relative(root, path)));
        changed(path);
        this.#hintAgain(parentOf(path));
      });
      tree.on("ready", () => {
        for (const folder of this.#branches) {
          this.#listener.hinted(folder, null, true);
        }
      });
      tree.on("error", (error) => {
        if (!isMissing(error)) {
          this.#listener.unwatched("", error);
        }
      });
      this.#closeTree = () => tree.close();
    } catch (error) {
      this.#fail("", error);
    }
  }

  #hintAgain(folder: string): void {
    const timer = setTimeout(() => {
      this.#again.delete(timer);
      this.#listener.hinted(folder, null, true);
    }, UNWATCHED_MS);
    this.#again.add(timer);
  }

  #fail(folder: string, error: unknown): void {
    this.left(folder);
    // Windows answers so where the folder has been removed, which the next listing finds.
    if (!isMissing(error) && errorCode(error) !== "EPERM") {
      this.#listener.unwatched(folder, error);
    }
  }
}

function isVisible(root: string, path: string): boolean {
  return relative(root, path) === "" || isVisibleName(basename(path));
}

function depthOf(folder: string): number {
  return folder === "" ? 0 : folder.split("/").length;
}

/** The path of a folder as listings have it. */
function toFolder(path: string): string {
  return path
    .split(sep)
    .join("/")
    .replace(/^\.\..*$/, "");
}
