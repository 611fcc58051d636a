import type { BigIntStats } from "node:fs";
import { type ElementType, isNpyError, type NpyError, type Order, type ReadRequest } from "@npystream/codec";
import { fileVersion, isMissing } from "./file-version.ts";
import { HeaderCache } from "./header-cache.ts";

/**
 * What looking into a file says about it.
 *
 * - `complete`: as long as its header declares, and nothing speaks against it.
 * - `suspicious`: as long as declared, but perhaps preallocated: it must stay unchanged for a while.
 * - `incomplete`: shorter or longer than declared, without a whole header, or not readable now.
 * - `invalid`: no `.npy` or `.npz` that can be read, whatever is written behind.
 * - `missing`: there is no regular file.
 */
export type Verdict = "complete" | "suspicious" | "incomplete" | "invalid" | "missing";

/** What is known of an array without its data. Headers and opened arrays have this shape. */
export interface ArrayFacts {
  readonly type: ElementType;
  readonly order: Order;
  readonly shape: readonly number[];
  /** The files whose rows make up the array, for a manifest of shards. */
  readonly shards?: readonly ShardFile[];
}

/** One file of a sharded array. */
export interface ShardFile {
  /** Absolute path. */
  readonly path: string;
  /** Device, inode, size and time of modification. */
  readonly version: string;
}

/** Result of looking into one file. */
export interface Inspection {
  readonly verdict: Verdict;
  /** Why the file is not complete, for people. */
  readonly reason: string;
  /** Device, inode, size and time of modification; nothing where there is no file. */
  readonly version: string;
  /** What grows while a preallocated file is filled without a change of its size: 512-byte blocks on disk. */
  readonly blocks: bigint;
  /** Milliseconds since the epoch at which anything about the file changed last, by the clock of its file system. */
  readonly changedAt: number;
  /** Arrays by member name, where their headers are whole; a `.npy` has one, named by the empty text. */
  readonly arrays: ReadonlyMap<string, ArrayFacts>;
  /** SHA-256 of the content in hex, where that was asked for and the file is as long as it says; for a manifest also that of its shards. */
  readonly digest?: string;
  /** The error of an invalid file. */
  readonly error: NpyError | undefined;
}

/** Thrown inside for a file that is still being written. */
export class IncompleteError extends Error {}

/** Enough for nearly every header, and one page of most file systems. */
const FIRST_READ_BYTES = 4096;
/** How much of the end must not be zero: a page, so that arrays which end in a few zeros are not delayed. */
const TAIL_BYTES = 4096;
/** Unit of `stat.blocks`, whatever the file system's block size is (POSIX `sys/stat.h`, as Linux and libuv have it). */
const STAT_BLOCK_BYTES = 512n;

const headers = new HeaderCache();
const noArrays: ReadonlyMap<string, ArrayFacts> = new Map();

/**
 * Decides by its content whether a `.npy` is completely written: it is when its header is whole and header and data
 * make up exactly its size. One whose blocks on disk do not cover its size, or whose last page is all zero, may be
 * preallocated and is only suspicious of being complete.
 *
 * It does no I/O: it yields what it wants to read and is sent exactly those bytes, which it does not keep.
 */
export function* inspectArray(stats: BigIntStats): Generator<ReadRequest, Inspection, Uint8Array> {
  try {
    const size = Number(stats.size);
    let bytes = yield { position: 0, length: Math.min(size, FIRST_READ_BYTES) };
    if (isZero(bytes)) {
      throw new IncompleteError("nothing is written in it yet");
    }
    let header = headers.parse(bytes);
    if (typeof header === "number") {
      bytes = yield { position: 0, length: Math.min(size, header) };
      header = headers.parse(bytes);
    }
    if (typeof header === "number") {
      throw new IncompleteError("its header is not whole");
    }
    if (header.fileBytes !== size) {
      throw new IncompleteError(`its header declares ${header.fileBytes} bytes and it has ${size}`);
    }
    const tailBytes = Math.min(header.dataBytes, TAIL_BYTES);
    const tail =
      size <= bytes.length ? bytes.subarray(size - tailBytes) : yield { position: size - tailBytes, length: tailBytes };
    const suspicion = tailBytes > 0 && isZero(tail) ? `its last ${tailBytes} bytes are all zero` : "";
    return judge(stats, header.arrays, suspicion);
  } catch (error) {
    // Only the header is ever cut off here: data that is missing shows in the size.
    const unfinished = isNpyError(error) && error.code === "ERR_NPY_TRUNCATED";
    return failedInspection(unfinished ? new IncompleteError("its header is not whole") : error, stats);
  }
}

/** Tells whether a file whose content is whole is complete or suspicious; `suspicion` says what speaks against it. */
export function judge(stats: BigIntStats, arrays: ReadonlyMap<string, ArrayFacts>, suspicion: string): Inspection {
  const covered = stats.blocks * STAT_BLOCK_BYTES >= stats.size;
  const doubt = covered ? suspicion : "its blocks on disk do not cover its size";
  return inspection(doubt === "" ? "complete" : "suspicious", doubt, stats, arrays);
}

/** Tells from the error that looking into a file ended with, whether it is unfinished, unreadable, wrong or not there. */
export function failedInspection(error: unknown, stats: BigIntStats | undefined): Inspection {
  if (isMissing(error)) {
    return missingFile;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof IncompleteError) {
    return inspection("incomplete", message, stats);
  }
  if (isNpyError(error)) {
    return inspection("invalid", `${error.code}: ${message}`, stats, noArrays, error);
  }
  // A file that cannot be read now may be readable later, so this is no end either.
  return inspection("incomplete", `it cannot be read: ${message}`, stats);
}

/** What is found where there is no regular file. */
export const missingFile: Inspection = inspection("missing", "there is no file", undefined);

function inspection(
  verdict: Verdict,
  reason: string,
  stats: BigIntStats | undefined,
  arrays: ReadonlyMap<string, ArrayFacts> = noArrays,
  error: NpyError | undefined = undefined,
): Inspection {
  const version = stats === undefined ? "" : fileVersion(stats);
  return {
    verdict,
    reason,
    version,
    blocks: stats?.blocks ?? 0n,
    changedAt: Number(stats?.ctimeMs ?? 0n),
    arrays,
    error,
  };
}

/** From the end, where data that is not zero mostly shows at the first byte. */
function isZero(bytes: Uint8Array): boolean {
  let at = bytes.length - 1;
  while (at >= 0 && bytes[at] === 0) {
    at--;
  }
  return at < 0;
}
