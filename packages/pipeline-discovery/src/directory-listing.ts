import { lstat, readdir, stat } from "node:fs/promises";
import { fileIdentity, isMissing } from "./file-version.ts";

/** Visible content of one folder. */
export interface DirectoryListing {
  /** Names of the regular files, sorted. */
  readonly files: readonly string[];
  /** Names of the folders, sorted. */
  readonly folders: readonly string[];
}

/** What tells one state of a folder from another. */
export interface DirectoryStamp {
  /** Device and inode: another where the folder was removed and made again. */
  readonly identity: string;
  /**
   * Times of the folder's last change, by which one state of it is told from another. The time of modification alone can be put
   * back by whoever writes into the folder, as rsync and tar do.
   */
  readonly times: string;
  /** The later one of them that nobody can set, in nanoseconds. */
  readonly ctimeNs: bigint;
}

const UNFINISHED_SUFFIXES = [".tmp", ".part", ".partial"];

/**
 * Tells whether discovery looks at a file or folder of this name: not one that begins with a dot or an underscore, and
 * not one that ends in `.tmp`, `.part` or `.partial`.
 */
export function isVisibleName(name: string): boolean {
  return !name.startsWith(".") && !name.startsWith("_") && !UNFINISHED_SUFFIXES.some((suffix) => name.endsWith(suffix));
}

/** The path below the root of what has this name in a folder of it. */
export function pathOf(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Lists the visible files and folders in `path`, links and everything else left out; `null` where there is no folder. */
export async function listDirectory(path: string): Promise<DirectoryListing | null> {
  try {
    const files: string[] = [];
    const folders: string[] = [];
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (isVisibleName(entry.name)) {
        if (entry.isFile()) {
          files.push(entry.name);
        } else if (entry.isDirectory()) {
          folders.push(entry.name);
        }
      }
    }
    return { files: files.sort(), folders: folders.sort() };
  } catch (error) {
    if (isMissing(error)) {
      return null;
    }
    throw error;
  }
}

/**
 * Looks up the stamp of the folder at `path`; `null` where there is none.
 *
 * @param mayBeLink - Whether a link to a folder counts as one.
 */
export async function directoryStamp(path: string, mayBeLink: boolean): Promise<DirectoryStamp | null> {
  try {
    const stats = await (mayBeLink ? stat : lstat)(path, { bigint: true });
    if (!stats.isDirectory()) {
      return null;
    }
    const { mtimeNs, ctimeNs } = stats;
    return { identity: fileIdentity(stats), times: `${mtimeNs}-${ctimeNs}`, ctimeNs };
  } catch (error) {
    if (isMissing(error)) {
      return null;
    }
    throw error;
  }
}
