import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { isNpyError, NpyError } from "@npystream/codec";

/** What the system calls a full disk and a spent quota. */
const NO_SPACE: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

/**
 * Gives an I/O failure its code: `ERR_WRITE_NO_SPACE` for a full disk or a spent quota, else `ERR_WRITE_IO`; the
 * system's own error is the `cause`. A folder that is missing is named. An `NpyError` stays the one it is.
 *
 * @param path - File or folder that was written to, where there is one.
 */
export function writeError(cause: unknown, path?: string): NpyError {
  if (isNpyError(cause)) return cause.locate({ path });
  if (errnoOf(cause) === "ENOENT" && path !== undefined && !existsSync(dirname(path))) {
    const message = `there is no folder ${dirname(path)}, and none is made: create it before`;
    return new NpyError("ERR_WRITE_IO", message, { path, cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return NO_SPACE.has(errnoOf(cause))
    ? new NpyError("ERR_WRITE_NO_SPACE", `there is no space left to write to: ${reason}`, { path, cause })
    : new NpyError("ERR_WRITE_IO", `writing failed: ${reason}`, { path, cause });
}

/** Refuses a target that exists, where it is not to be overwritten. */
export function existsError(path: string, cause?: unknown): NpyError {
  return new NpyError("ERR_WRITE_EXISTS", `${path} exists already; overwrite: true replaces it`, { path, cause });
}

/** Name of the system's error, `ENOENT`, where `error` is one. */
export function errnoOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
