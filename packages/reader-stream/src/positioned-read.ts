import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import {
  isNpyError,
  type LimitOptions,
  NPY_PREFIX_BYTES,
  NpyError,
  type NpyHeader,
  npyDataOffset,
  parseNpyHeader,
} from "@npystream/codec";
import { explainFormat, SIGNATURE_BYTES } from "./mistaken-format.ts";

/** Longest single read: Linux moves at most 2 GiB - 4 KiB at once and libuv takes no more than 2^31 - 1. */
export const MAX_READ_BYTES: number = 1 << 30;
/** A FIFO is opened too, and refused, where it would otherwise be waited for. Windows has no such flag. */
const NO_WAITING = constants.O_NONBLOCK ?? 0;
/** Flags to open a file with that is read. */
export const READ_FLAGS: number = constants.O_RDONLY | NO_WAITING;
/** Enough for nearly every header. */
const FIRST_READ_BYTES = 4096;

/** A regular file, open. */
export interface OpenFile {
  readonly fd: number;
  readonly path: string;
  readonly byteLength: number;
  readonly stats: BigIntStats;
}

/** Device, inode, size and modification time: what tells one state of a file from another. */
export function versionOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}-${ino}-${size}-${mtimeNs}`;
}

/**
 * Opens a file to read, or to read and write, at once.
 *
 * @throws System errors such as `ENOENT`; TypeError where it is a folder or a pipe, which have no positions.
 */
export function openFileSync(path: string, access: "r" | "r+"): OpenFile {
  const fd = openSync(path, access === "r" ? READ_FLAGS : constants.O_RDWR | NO_WAITING);
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) throw new TypeError(`${path} is not a regular file`);
    return { fd, path, byteLength: Number(stats.size), stats };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Fills `into` from `position` on, at once.
 *
 * @throws NpyError `ERR_SOURCE_TRUNCATED` where the file ends before `into` is full.
 */
export function readAtSync(fd: number, into: Uint8Array, position: number): void {
  for (let filled = 0; filled < into.length; ) {
    const wanted = Math.min(into.length - filled, MAX_READ_BYTES);
    const bytesRead = readSync(fd, into, filled, wanted, position + filled);
    if (bytesRead === 0) {
      const message = `expected ${into.length} bytes from ${position} on, found ${filled}: the file ends there`;
      throw new NpyError("ERR_SOURCE_TRUNCATED", message, { offset: position + filled });
    }
    filled += bytesRead;
  }
}

/**
 * Reads the header of a `.npy` file and checks that the data it declares is there.
 *
 * @throws NpyError those of `parseNpyHeader`; `ERR_NPY_TRUNCATED` where data is missing.
 */
export function readHeaderSync({ fd, byteLength }: OpenFile, options: LimitOptions): NpyHeader {
  let bytes = new Uint8Array(Math.min(FIRST_READ_BYTES, byteLength));
  readAtSync(fd, bytes, 0);
  const dataOffset = npyDataOffset(bytes.subarray(0, NPY_PREFIX_BYTES), options);
  if (dataOffset > bytes.length && dataOffset <= byteLength) {
    bytes = new Uint8Array(dataOffset);
    readAtSync(fd, bytes, 0);
  }
  const header = parseNpyHeader(bytes, options);
  checkDataIsThere(header, byteLength);
  return header;
}

/**
 * Checks that an array's data is inside its file or member.
 *
 * @param byteLength - Bytes of the file or member, header included.
 * @throws NpyError `ERR_NPY_TRUNCATED` where it is not.
 */
export function checkDataIsThere(header: NpyHeader, byteLength: number): void {
  const found = byteLength - header.dataOffset;
  if (found >= header.byteLength) return;
  const message = `the header declares ${header.byteLength} bytes of data and ${found} are there`;
  throw new NpyError("ERR_NPY_TRUNCATED", message, { offset: byteLength });
}

/** Says of an error of opening a mapped file where it is, and what to call for a file of the other format. */
export function explainMapping(error: unknown, { fd, path, byteLength }: OpenFile): unknown {
  if (!isNpyError(error)) return error;
  const start = new Uint8Array(Math.min(SIGNATURE_BYTES, byteLength));
  readSync(fd, start, 0, start.length, 0);
  error.locate({ path });
  return explainFormat(error, start);
}
