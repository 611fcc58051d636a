import { checkOptionKeys, type DType, type DTypeLike } from "@npystream/codec";
import { isSink, type WriteTarget } from "./write-target.ts";

/** How far a write stream is. */
export interface WriteProgress {
  /** Rows taken so far. */
  readonly rows: number;
  /** Bytes taken so far, headers included. */
  readonly bytes: number;
}

/** Options of `createNpyWriteStream`. */
export interface NpyWriteOptions {
  /** Element type. @defaultValue that of the first chunk */
  readonly dtype?: DTypeLike;
  /**
   * Extents of one row, `[]` where a row is one element.
   *
   * @defaultValue that of the first chunk: an `NdArray`'s shape without its first axis, `[]` for a typed array
   */
  readonly rowShape?: readonly number[];
  /** Number of rows written, checked at the end. A sink that cannot seek needs it. @defaultValue whatever comes */
  readonly rows?: number;
  /**
   * `array`: all chunks make one array. `sequence`: each chunk is a complete `.npy` of its own, one after another, as
   * successive `np.save` calls on one file leave them and successive `np.load` calls read them.
   *
   * @defaultValue 'array'
   */
  readonly framing?: "array" | "sequence";
  /**
   * `create`: a new file. `append`: rows are added to the `.npy` that is there, which tells dtype and row shape (given
   * ones must be the same), or, where there is none, a file is created; for a path only.
   *
   * @defaultValue 'create'
   */
  readonly mode?: "create" | "append";
  /** Whether an existing file is replaced at the end; for a path only. @defaultValue false */
  readonly overwrite?: boolean;
  /** Most bytes gathered in memory before they are written. @defaultValue 2 MiB (2,097,152) */
  readonly highWaterMark?: number;
  /** Told how far the writing is, at most ten times a second, and once more at the end. @defaultValue nobody */
  readonly onProgress?: (progress: WriteProgress) => void;
  /** Aborts the writing: nothing is committed, and promises reject with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface NpyWriteResult {
  /** Absolute path of the file, where the target is one. */
  readonly path?: string;
  /** Element type, `float32`. */
  readonly dtype: DType;
  /** Shape of the array, old rows included; of a sequence, that of all its arrays one after another. */
  readonly shape: readonly number[];
  /** Size of the file: bytes written, headers and old rows included. */
  readonly byteLength: number;
}

/** Options with their defaults, checked. */
export interface ResolvedWriteOptions extends NpyWriteOptions {
  readonly framing: "array" | "sequence";
  readonly mode: "create" | "append";
  readonly overwrite: boolean;
  readonly highWaterMark: number;
}

const KEYS: readonly (keyof NpyWriteOptions)[] = [
  "dtype",
  "rowShape",
  "rows",
  "framing",
  "mode",
  "overwrite",
  "highWaterMark",
  "onProgress",
  "signal",
];

/**
 * Joins options with their defaults.
 *
 * @throws TypeError for an unknown option, framing or mode, for options that exclude each other, and for a sink that cannot seek where the number of rows is not
 *   known; RangeError for a number that is no count.
 */
export function resolveWriteOptions(target: WriteTarget, options: NpyWriteOptions): ResolvedWriteOptions {
  checkOptionKeys("createNpyWriteStream", options, KEYS);
  const { framing = "array", mode = "create", overwrite = false, highWaterMark = 2 << 20, rows } = options;
  if (framing !== "array" && framing !== "sequence") {
    throw new TypeError(`framing is 'array' or 'sequence', not ${JSON.stringify(framing)}`);
  }
  if (mode !== "create" && mode !== "append") {
    throw new TypeError(`mode is 'create' or 'append', not ${JSON.stringify(mode)}`);
  }
  if (mode === "append" && (isSink(target) || framing === "sequence" || overwrite)) {
    throw new TypeError(
      "rows are appended to the one array of a file: to a path, without overwrite and framing: 'sequence'",
    );
  }
  checkCount("highWaterMark", highWaterMark);
  if (rows !== undefined) checkCount("rows", rows);
  if (options.rowShape !== undefined && !Array.isArray(options.rowShape)) {
    throw new TypeError(`rowShape is a list of extents, not ${String(options.rowShape)}`);
  }
  for (const extent of options.rowShape ?? []) checkCount("an extent of rowShape", extent);
  if (isSink(target) && !target.seekable && framing === "array" && rows === undefined) {
    throw new TypeError(
      "the header, which holds the number of rows, cannot be changed in a sink that cannot seek: give rows or framing: 'sequence'",
    );
  }
  return { ...options, framing, mode, overwrite, highWaterMark };
}

/** @throws RangeError for what is no whole number from 0. */
export function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} is a whole number from 0, not ${value}`);
}
