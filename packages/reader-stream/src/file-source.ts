import { type BigIntStats, fstatSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type ByteReadOptions, type ByteSource, NpyError } from "@npystream/codec";
import { checkOpen, checkRange } from "./bytes-source.ts";
import { localPath } from "./local-path.ts";
import { MAX_READ_BYTES, READ_FLAGS, versionOf } from "./positioned-read.ts";

/**
 * From here on a read is split in two that run at once: filling new memory is bound by page faults, which two threads
 * take in parallel (measured on 256 MiB: 0.59 of the time of one read).
 */
const SPLIT_BYTES = 8 << 20;

/**
 * Opens a file for positioned reads on one descriptor.
 *
 * What is read is of one state of the file: after every read its size and modification time have to be those it was
 * opened with. A file that is replaced by another of its name is read on as it was. Two changes within one tick of the
 * file system's clock, 4 ms on Linux, cannot be told apart.
 *
 * @param file - A path, a `file:` URL, or an open `FileHandle`, which stays the caller's to close.
 * @throws System errors such as `ENOENT`; TypeError where it is a folder or a pipe, which have no positions.
 */
export async function fileSource(file: string | URL | FileHandle): Promise<FileSource> {
  const isHandle = isFileHandle(file);
  const path = isHandle
    ? undefined
    : localPath(file, "fileSource opens a file: httpSource reads an http: or https: URL");
  const handle = isHandle ? file : await open(file, READ_FLAGS);
  const close = isHandle ? async (): Promise<void> => undefined : (): Promise<void> => handle.close();
  try {
    return await openFileSource(handle, { path, close });
  } catch (error) {
    await close();
    throw error;
  }
}

/** Tells whether a value is a file that `fs/promises` opened. */
export function isFileHandle(value: unknown): value is FileHandle {
  return typeof value === "object" && value !== null && "fd" in value && "read" in value && "stat" in value;
}

/** What is known of a file that is open already. */
export interface OpenedFile {
  readonly path?: string | undefined;
  /** Gives the file up. */
  readonly close: () => Promise<void>;
}

/**
 * Makes a source of a file that is open already, and takes it over.
 *
 * @throws TypeError where it is not a regular file; it is left open then.
 */
export async function openFileSource(handle: FileHandle, file: OpenedFile): Promise<FileSource> {
  // First, so that a change between the two is found by the first read.
  const { mtimeMs } = fstatSync(handle.fd);
  const stats = await handle.stat({ bigint: true });
  if (!stats.isFile()) throw new TypeError(`${file.path ?? "the handle"} is not a regular file`);
  return new FileSource(handle, { ...file, stats, mtimeMs });
}

/** What a {@link FileSource} is made of, beside its open file. @internal */
export interface FileSourceInit extends OpenedFile {
  readonly stats: BigIntStats;
  readonly mtimeMs: number;
}

/** A file, read by position. Made by {@link fileSource} and `spool`. */
export class FileSource implements ByteSource {
  /** Path as given, where one was. */
  readonly path: string | undefined;
  /** Bytes of the file when it was opened. */
  readonly byteLength: number;
  /** Device, inode, size and modification time. */
  readonly version: string;
  readonly #handle: FileHandle;
  readonly #mtimeMs: number;
  readonly #closeFile: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(handle: FileHandle, { stats, mtimeMs, path, close }: FileSourceInit) {
    this.#handle = handle;
    this.#mtimeMs = mtimeMs;
    this.#closeFile = close;
    this.path = path;
    this.byteLength = Number(stats.size);
    this.version = versionOf(stats);
  }

  /**
   * Fills `into` from `position` on. A read that is under way is not cut short by the signal, only what follows it.
   *
   * @throws NpyError `ERR_SOURCE_TRUNCATED` where the file ends before `into` is full, or became shorter;
   *   `ERR_SOURCE_CHANGED` where it was modified since it was opened. TypeError once it is closed.
   */
  async read(into: Uint8Array, position: number, options: ByteReadOptions = {}): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    this.#check(position, into.length);
    if (into.length === 0) return;
    if (into.length < SPLIT_BYTES) {
      await this.#fill(into, position, signal);
    } else {
      const half = Math.ceil(into.length / 2 / 4096) * 4096;
      const halves = [
        this.#fill(into.subarray(0, half), position, signal),
        this.#fill(into.subarray(half), position + half, signal),
      ];
      // The buffer is the kernel's until both have ended, also where one fails.
      await Promise.allSettled(halves);
      await Promise.all(halves);
    }
    signal?.throwIfAborted();
    this.#checkUnchanged(position);
  }

  /**
   * Fills `into` from `position` on while the thread waits. Faster than `read` for a few KiB of a file in the page cache
   * (measured on 4 KiB: 6 us against 25), slower where a disk or a network is waited for.
   *
   * @throws Those of `read`.
   */
  readSync(into: Uint8Array, position: number): void {
    this.#check(position, into.length);
    for (let filled = 0; filled < into.length; ) {
      const wanted = Math.min(into.length - filled, MAX_READ_BYTES);
      const bytesRead = readSync(this.#handle.fd, into, filled, wanted, position + filled);
      if (bytesRead === 0) this.#fail(position + filled);
      filled += bytesRead;
    }
    this.#checkUnchanged(position);
  }

  /** Closes the file, unless the handle was the caller's. Reads that are under way fail. */
  close(): Promise<void> {
    this.#closing ??= this.#closeFile();
    return this.#closing;
  }

  #check(position: number, length: number): void {
    checkOpen(this.#closing !== undefined);
    checkRange(this.byteLength, position, length, this.path);
  }

  async #fill(into: Uint8Array, position: number, signal: AbortSignal | undefined): Promise<void> {
    for (let filled = 0; filled < into.length; ) {
      signal?.throwIfAborted();
      const wanted = Math.min(into.length - filled, MAX_READ_BYTES);
      const { bytesRead } = await this.#handle.read(into, filled, wanted, position + filled);
      if (bytesRead === 0) this.#fail(position + filled);
      filled += bytesRead;
    }
  }

  /** Once the bytes have arrived, since a change before that may be in them. */
  #checkUnchanged(position: number): void {
    checkOpen(this.#closing !== undefined);
    // Not awaited, which takes 25 us in place of 3, and not as bigints, which takes half as long again (both measured): as
    // milliseconds, times of today are told apart down to 0.3 us.
    const { size, mtimeMs } = fstatSync(this.#handle.fd);
    if (size < this.byteLength) throw this.#truncated(size);
    if (size === this.byteLength && mtimeMs === this.#mtimeMs) return;
    throw new NpyError("ERR_SOURCE_CHANGED", `the file was modified since it was opened; it has ${size} bytes now`, {
      path: this.path,
      offset: position,
    });
  }

  /** The file ended within its length: it is shorter now, or was until a moment ago. */
  #fail(found: number): never {
    this.#checkUnchanged(found);
    throw this.#truncated(found);
  }

  #truncated(found: number): NpyError {
    const message = `the file had ${this.byteLength} bytes when it was opened and ends at ${found} now`;
    return new NpyError("ERR_SOURCE_TRUNCATED", message, { path: this.path, offset: found });
  }
}
