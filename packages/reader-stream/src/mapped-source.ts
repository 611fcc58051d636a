import { closeSync, fstatSync } from "node:fs";
import { type ByteReadOptions, type ByteSource, checkOptionKeys, isNpyError, NpyError } from "@npystream/codec";
import { checkOpen, checkRange } from "./bytes-source.ts";
import { FileMapping, MAX_VIEW_BYTES } from "./file-mapping.ts";
import { localPath, NOT_MAPPED } from "./local-path.ts";
import { checkMappedSize } from "./mapped-layout.ts";
import { MAP_ALIGNMENT } from "./mapped-memory.ts";
import { type OpenFile, openFileSync, readAtSync, versionOf } from "./positioned-read.ts";

/** Options of {@link mappedSource}. */
export interface MappedSourceOptions {
  /**
   * Bytes of the file that are in view at once.
   *
   * @defaultValue the whole file where the runtime has an array of that size (4 GiB on Node 20), else 1 GiB
   */
  readonly windowBytes?: number;
}

const DEFAULT_WINDOW_BYTES = 1 << 30;
/** Shorter ranges that do not follow the last one are read: that costs 6 us, and a window of 64 MiB 200 to 800 us. */
const WORTH_A_WINDOW_BYTES = 1 << 20;

/**
 * Maps a file of any size as a source for `openNpy` and `openNpz`, whose arrays then copy rows out of its pages without
 * reads. Opening is at once.
 *
 * A file that is cut while it is mapped ends the process (SIGBUS) when the missing pages are read: `fileSource` reports it.
 *
 * @example
 * await using x = await openNpy(mappedSource("big.npy"));
 *
 * @throws NpyError `ERR_MAP_UNAVAILABLE` without koffi or where the system refuses. System errors such as `ENOENT`.
 */
export function mappedSource(path: string | URL, options: MappedSourceOptions = {}): MappedSource {
  checkOptionKeys("mappedSource", options, ["windowBytes"]);
  const { windowBytes } = options;
  if (windowBytes !== undefined && (!Number.isSafeInteger(windowBytes) || windowBytes < 1)) {
    throw new RangeError(`windowBytes is a whole number from 1, not ${windowBytes}`);
  }
  const file = openFileSync(localPath(path, NOT_MAPPED), "r");
  try {
    return new MappedSource(file, Math.min(windowBytes ?? defaultWindow(file.byteLength), MAX_VIEW_BYTES));
  } catch (error) {
    closeSync(file.fd);
    throw error;
  }
}

/** A mapped file. Views that `bytes` gave stay safe to read after `close`. Made by {@link mappedSource}. */
export class MappedSource implements ByteSource {
  /** Path of the file. */
  readonly path: string;
  /** Bytes of the file when it was opened. */
  readonly byteLength: number;
  /** Device, inode, size and modification time. */
  readonly version: string;
  readonly #mtimeNs: bigint;
  readonly #fd: number;
  readonly #windowBytes: number;
  readonly #mapping: FileMapping | undefined;
  #window: { readonly start: number; readonly bytes: Uint8Array } | undefined;
  /** End of the last range, which one that goes forward begins at. */
  #last = 0;
  #isClosed = false;

  /** @internal */
  constructor({ fd, path, byteLength, stats }: OpenFile, windowBytes: number) {
    this.path = path;
    this.byteLength = byteLength;
    this.version = versionOf(stats);
    this.#mtimeNs = stats.mtimeNs;
    this.#fd = fd;
    this.#windowBytes = windowBytes;
    this.#mapping = byteLength === 0 ? undefined : FileMapping.map({ fd, path, byteLength, mode: "c" });
  }

  /** Whether the file is in view whole, so that a view of it all costs no more than one of a part. @internal */
  get isViewedWhole(): boolean {
    return this.#windowBytes >= this.byteLength;
  }

  /**
   * Gives `length` bytes from `position` on: a view of the pages, which a change does not write to the file. Of a file
   * that is not in view whole, a short range that is outside the window and does not follow the last one is a copy.
   *
   * @throws NpyError `ERR_SOURCE_TRUNCATED` where the file ends before; `ERR_MAP_TOO_LARGE` where `length` passes the
   *   runtime's largest array; where the window has to move, `ERR_SOURCE_TRUNCATED` or `ERR_SOURCE_CHANGED` for a file that
   *   was cut or modified since it was opened. TypeError once the source is closed.
   */
  bytes(position: number, length: number): Uint8Array {
    return this.#located(() => {
      checkRange(this.byteLength, position, length);
      checkMappedSize(length, "ask for less");
      const view = this.#view(position, length);
      if (view !== undefined) return view;
      const copy = new Uint8Array(length);
      readAtSync(this.#fd, copy, position);
      return copy;
    });
  }

  /** Fills `into` from `position` on, at once. @throws As {@link MappedSource.bytes}. */
  readSync(into: Uint8Array, position: number): void {
    this.#located(() => {
      checkRange(this.byteLength, position, into.length);
      for (let filled = 0; filled < into.length; ) {
        const from = position + filled;
        const part = into.subarray(filled, filled + Math.min(into.length - filled, this.#windowBytes));
        const view = this.#view(from, part.length);
        if (view === undefined) readAtSync(this.#fd, part, from);
        else part.set(view);
        filled += part.length;
      }
    });
  }

  /**
   * Fills `into` from `position` on, at once; what it resolves with is of one state of the file.
   *
   * @throws As {@link MappedSource.bytes}, `ERR_SOURCE_TRUNCATED` and `ERR_SOURCE_CHANGED` whatever the window.
   */
  async read(into: Uint8Array, position: number, options?: ByteReadOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    // Before, since missing pages end the process, and after.
    this.checkUnchanged();
    this.readSync(into, position);
    this.checkUnchanged();
  }

  /** @throws NpyError `ERR_SOURCE_TRUNCATED`, `ERR_SOURCE_CHANGED`; TypeError once it is closed. @internal */
  checkUnchanged(): void {
    this.#located(() => this.#checkUnchanged());
  }

  /** Closes the file. It stays mapped until the last view was collected. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#window = undefined;
    this.#mapping?.close();
    closeSync(this.#fd);
  }

  #view(position: number, length: number): Uint8Array | undefined {
    const follows = position === this.#last;
    this.#last = position + length;
    let window = this.#window;
    const isInside =
      window !== undefined && position >= window.start && this.#last <= window.start + window.bytes.length;
    if (!isInside) {
      const isWhole = this.#windowBytes >= this.byteLength;
      if (!isWhole && !follows && length < WORTH_A_WINDOW_BYTES) return undefined;
      window = this.#move(isWhole ? 0 : position, length);
    }
    const at = position - (window?.start ?? 0);
    return window?.bytes.subarray(at, at + length);
  }

  #move(position: number, length: number): { readonly start: number; readonly bytes: Uint8Array } | undefined {
    this.#checkUnchanged();
    const start = position - (position % MAP_ALIGNMENT);
    const end = Math.min(this.byteLength, Math.max(position + length, start + this.#windowBytes));
    const buffer = this.#mapping?.view(start, end - start);
    this.#window = buffer && { start, bytes: new Uint8Array(buffer) };
    return this.#window;
  }

  #checkUnchanged(): void {
    const { size, mtimeNs } = fstatSync(this.#fd, { bigint: true });
    checkRange(Number(size), 0, this.byteLength);
    if (Number(size) === this.byteLength && mtimeNs === this.#mtimeNs) return;
    throw new NpyError("ERR_SOURCE_CHANGED", `the file was modified since it was opened; it has ${size} bytes now`);
  }

  #located<T>(act: () => T): T {
    checkOpen(this.#isClosed);
    try {
      return act();
    } catch (error) {
      throw isNpyError(error) ? error.locate({ path: this.path }) : error;
    }
  }
}

function defaultWindow(byteLength: number): number {
  return byteLength <= MAX_VIEW_BYTES ? Math.max(1, byteLength) : DEFAULT_WINDOW_BYTES;
}
