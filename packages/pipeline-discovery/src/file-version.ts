import { type BigIntStats, lstatSync } from "node:fs";
import { lstat } from "node:fs/promises";

/**
 * Tells one state of a file from another: device, inode, size in bytes, and times of modification and birth in nanoseconds. The
 * birth tells a file from an earlier one whose inode it was given, where both were unpacked with the same time of modification;
 * file systems that keep none say 0.
 */
export function fileVersion(stats: BigIntStats): string {
  return `${stats.dev}-${stats.ino}-${stats.size}-${stats.mtimeNs}-${stats.birthtimeNs}`;
}

/** Tells one file or folder from another that takes its place: device and inode, as {@link fileVersion} begins. */
export function fileIdentity(stats: BigIntStats): string {
  return `${stats.dev}-${stats.ino}`;
}

/** Looks up the version of the file at `path`; `null` where there is no regular file. Links are not followed. */
export async function currentVersion(path: string): Promise<string | null> {
  try {
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() ? fileVersion(stats) : null;
  } catch (error) {
    if (isMissing(error)) {
      return null;
    }
    throw error;
  }
}

/** Looks up the same on the main thread. */
export function versionNow(path: string): string | null {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats?.isFile() === true ? fileVersion(stats) : null;
}

/** A version as it is also after the system was started anew, when a device may have another number. */
export function withoutDevice(version: string): string {
  return version.replace(/^\d+-/, "");
}

/** Tells whether `error` says that there is nothing at a path, or a link where a file or folder was expected. */
export function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP", "EMLINK"].includes(errorCode(error));
}

/** The code of a system error, or nothing. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
