import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type ByteReadOptions, type ByteSource, NpyError } from "@npystream/codec";

/** A FIFO is opened too, and refused, where it would otherwise be waited for. Windows has no such flag. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
/** Longest single read: Linux moves at most 2 GiB - 4 KiB at once and libuv takes no more than 2^31 - 1. */
const MAX_READ_BYTES = 1 << 30;
/**
 * From here on a read is split in two that run at once: filling new memory is bound by page faults, which two threads
 * take in parallel (measured on 256 MiB: 0.59 of the time of one read).
 */
const SPLIT_BYTES = 8 << 20;

/**
 * Opens a file for positioned reads on one descriptor.
 *
 * @param file - A path, a `file:` URL, or an open `FileHandle`, which stays the caller's to close.
 * @throws System errors such as `ENOENT`; TypeError where it is a folder or a pipe, which have no positions.
 */
export async function fileSource(file: string | URL | FileHandle): Promise<FileSource> {
  const isHandle = typeof file === "object" && !(file instanceof URL);
  const handle = isHandle ? file : await open(file, OPEN_FLAGS);
  try {
    const stats = await handle.stat({ bigint: true });
    const path = isHandle ? undefined : file instanceof URL ? fileURLToPath(file) : file;
    if (!stats.isFile()) throw new TypeError(`${path ?? "the handle"} is not a regular file`);
    const version = `${stats.dev}-${stats.ino}-${stats.size}-${stats.mtimeNs}`;
    return new FileSource(handle, !isHandle, path, Number(stats.size), version);
  } catch (error) {
    if (!isHandle) await handle.close();
    throw error;
  }
}

/** A file, read by position. Made by {@link fileSource}. */
export class FileSource implements ByteSource {
  /** Path as given, where one was. */
  readonly path: string | undefined;
  readonly byteLength: number;
  readonly version: string;
  readonly #handle: FileHandle;
  readonly #isOwner: boolean;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(handle: FileHandle, isOwner: boolean, path: string | undefined, byteLength: number, version: string) {
    this.#handle = handle;
    this.#isOwner = isOwner;
    this.path = path;
    this.byteLength = byteLength;
    this.version = version;
  }

  /**
   * Fills `into` from `position` on.
   *
   * @throws NpyError `ERR_SOURCE_TRUNCATED` where the file ends before `into` is full.
   */
  async read(into: Uint8Array, position: number, options: ByteReadOptions = {}): Promise<void> {
    if (into.length < SPLIT_BYTES) {
      await this.#fill(into, position, options.signal);
      return;
    }
    const half = Math.ceil(into.length / 2 / 4096) * 4096;
    const halves = [
      this.#fill(into.subarray(0, half), position, options.signal),
      this.#fill(into.subarray(half), position + half, options.signal),
    ];
    // The buffer is the kernel's until both have ended, also where one fails.
    await Promise.allSettled(halves);
    await Promise.all(halves);
  }

  /** Closes the file, unless the handle was the caller's. */
  close(): Promise<void> {
    this.#closing ??= this.#isOwner ? this.#handle.close() : Promise.resolve();
    return this.#closing;
  }

  async #fill(into: Uint8Array, position: number, signal: AbortSignal | undefined): Promise<void> {
    let filled = 0;
    while (filled < into.length) {
      signal?.throwIfAborted();
      const wanted = Math.min(into.length - filled, MAX_READ_BYTES);
      const { bytesRead } = await this.#handle.read(into, filled, wanted, position + filled);
      if (bytesRead === 0) {
        throw new NpyError(
          "ERR_SOURCE_TRUNCATED",
          `expected ${into.length} bytes from ${position} on, found ${filled}: the file ends there`,
          { path: this.path, offset: position + filled },
        );
      }
      filled += bytesRead;
    }
  }
}
