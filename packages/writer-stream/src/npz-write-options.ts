import { checkOptionKeys } from "@npystream/codec";
import { checkCount, type NpyWriteOptions } from "./npy-write-options.ts";
import { isSink, type WriteTarget } from "./write-target.ts";

/** Options of `createNpzWriter`. */
export interface NpzWriterOptions {
  /** Whether members are deflated. @defaultValue false */
  readonly compress?: boolean;
  /** Deflate level, 0 (stored in blocks) to 9 (smallest). @defaultValue 6, as NumPy */
  readonly level?: number;
  /** Multiple in the file at which the data of stored members begins; `'page'` is 4096. @defaultValue 64 */
  readonly align?: 64 | "page";
  /**
   * `create`: a new archive. `append`: members are added to the one that is there, or, where there is none, one is
   * created; for a path only.
   *
   * @defaultValue 'create'
   */
  readonly mode?: "create" | "append";
  /** Whether an existing file is replaced at the end; for a path only. @defaultValue false */
  readonly overwrite?: boolean;
  /**
   * Blocks of about 1 MiB that are in memory to be deflated, of all members together. More than the threads of Node's
   * pool, which are 4 unless `UV_THREADPOOL_SIZE` says otherwise, are not deflated at once.
   *
   * @defaultValue 8
   */
  readonly concurrency?: number;
  /** Aborts the writing: nothing is committed, and promises reject with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** Options of `NpzWriter.member`. */
export interface NpzMemberOptions
  extends Pick<NpyWriteOptions, "dtype" | "rowShape" | "rows" | "highWaterMark" | "onProgress" | "signal"> {
  /** Whether this member is deflated. @defaultValue what the archive's `compress` says */
  readonly compress?: boolean;
}

/** Options of `NpzWriter.write`. */
export interface NpzArrayOptions extends Pick<NpyWriteOptions, "dtype" | "signal"> {
  /** Whether this member is deflated. @defaultValue what the archive's `compress` says */
  readonly compress?: boolean;
}

/** What was written. */
export interface NpzWriteResult {
  /** Absolute path of the file, where the target is one. */
  readonly path?: string;
  /** Names of the arrays that were written, without `.npy`, in the order they were asked for. */
  readonly names: readonly string[];
  /** Size of the file in bytes, with what an archive had before. */
  readonly byteLength: number;
}

/** Options with their defaults, checked. */
export interface ResolvedNpzOptions {
  readonly compress: boolean;
  readonly level: number;
  readonly align: 64 | "page";
  readonly mode: "create" | "append";
  readonly overwrite: boolean;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
}

const KEYS: readonly (keyof NpzWriterOptions)[] = [
  "compress",
  "level",
  "align",
  "mode",
  "overwrite",
  "concurrency",
  "signal",
];
const MEMBER_KEYS: readonly (keyof NpzMemberOptions)[] = [
  "compress",
  "dtype",
  "rowShape",
  "rows",
  "highWaterMark",
  "onProgress",
  "signal",
];
const ARRAY_KEYS: readonly (keyof NpzArrayOptions)[] = ["compress", "dtype", "signal"];

/**
 * Joins options with their defaults.
 *
 * @throws TypeError for an unknown option or mode and for options that exclude each other; RangeError for a level,
 *   alignment or concurrency that there is not.
 */
export function resolveNpzOptions(target: WriteTarget, options: NpzWriterOptions): ResolvedNpzOptions {
  checkOptionKeys("createNpzWriter", options, KEYS);
  const { compress = false, level = 6, align = 64, mode = "create", overwrite = false, concurrency = 8 } = options;
  if (!Number.isInteger(level) || level < 0 || level > 9) throw new RangeError(`level is 0 to 9, not ${level}`);
  if (align !== 64 && align !== "page") throw new RangeError(`align is 64 or "page", not ${String(align)}`);
  checkCount("concurrency", concurrency);
  if (concurrency === 0) throw new RangeError("concurrency is at least 1");
  if (mode !== "create" && mode !== "append") {
    throw new TypeError(`mode is 'create' or 'append', not ${JSON.stringify(mode)}`);
  }
  if (mode === "append" && (isSink(target) || overwrite)) {
    throw new TypeError("members are added to the archive of a path, and without overwrite");
  }
  return { compress, level, align, mode, overwrite, concurrency, signal: options.signal };
}

/** @throws TypeError for an unknown option. */
export function checkMemberOptions(options: NpzMemberOptions): void {
  checkOptionKeys("member", options, MEMBER_KEYS);
}

/** @throws TypeError for an unknown option. */
export function checkArrayOptions(options: NpzArrayOptions): void {
  checkOptionKeys("write", options, ARRAY_KEYS);
}
