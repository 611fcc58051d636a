import { closeSync, fstatSync } from "node:fs";
import { type ByteReadOptions, type ByteSource, NpyError } from "@npystream/codec";
import { checkOpen, checkRange } from "./bytes-source.ts";
import { type FileSource, fileSource } from "./file-source.ts";
import { openFileSync, readAtSync, versionOf } from "./positioned-read.ts";

/** Files of long lists that are open at once in this process: an eighth of what a shell mostly allows, 1,024. */
const MOST_OPEN_FILES = 128;

/** Files that are open, and closed again from the one on that was read longest ago. */
export class FilePool {
  readonly #mostOpen: number;
  /** The file read last at the end. */
  readonly #open = new Set<PooledFile>();

  /** @param mostOpen - Files left open; more are only while they are being read. */
  constructor(mostOpen: number) {
    this.#mostOpen = mostOpen;
  }

  /** Notes that a file is open and was just read. */
  add(file: PooledFile): void {
    this.#open.delete(file);
    this.#open.add(file);
    this.trim();
  }

  remove(file: PooledFile): void {
    this.#open.delete(file);
  }

  /** Closes what is too much and not being read. */
  trim(): void {
    let tooMany = this.#open.size - this.#mostOpen;
    if (tooMany <= 0) return;
    for (const file of this.#open) {
      if (file.isInUse) continue;
      this.#open.delete(file);
      file.giveUp();
      if (--tooMany === 0) return;
    }
  }
}

const pool = new FilePool(MOST_OPEN_FILES);

/**
 * Opens a file for positioned reads as `fileSource` does, for a list of so many that they cannot all stay open: its
 * descriptor may be closed between two reads, and the file opened again by its name.
 *
 * What is read is of one state of the file as there, but a file that was replaced or removed by its name is changed here.
 *
 * @throws Those of `fileSource`. Reads `ERR_SOURCE_CHANGED` where the name is no longer that file's.
 */
export async function pooledFile(path: string, within: FilePool = pool): Promise<ByteSource> {
  return new PooledFile(path, await fileSource(path), within);
}

/** A file whose descriptor comes and goes. */
class PooledFile implements ByteSource {
  readonly path: string;
  readonly byteLength: number;
  readonly version: string;
  readonly #pool: FilePool;
  #file: FileSource | undefined;
  #reopening: Promise<FileSource> | undefined;
  /** Resolves when no descriptor that was given up is open any more. */
  #givenUp: Promise<void> = Promise.resolve();
  #reads = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined;

  constructor(path: string, file: FileSource, within: FilePool) {
    this.path = path;
    this.byteLength = file.byteLength;
    this.version = file.version;
    this.#pool = within;
    this.#file = file;
    within.add(this);
  }

  /** Whether a read is under way. */
  get isInUse(): boolean {
    return this.#reads > 0;
  }

  async read(into: Uint8Array, position: number, options: ByteReadOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    this.#check(position, into.length);
    this.#reads++;
    try {
      const file = this.#file ?? (await this.#reopen());
      this.#pool.add(this);
      await file.read(into, position, options);
      checkOpen(this.#isClosed);
    } finally {
      this.#reads--;
      if (this.#reads === 0) this.#onIdle?.();
      this.#pool.trim();
    }
  }

  /** Where the file is not open, for this read alone. */
  readSync(into: Uint8Array, position: number): void {
    this.#check(position, into.length);
    if (this.#file !== undefined) {
      this.#file.readSync(into, position);
      this.#pool.add(this);
      return;
    }
    const { fd, stats } = this.#named(() => openFileSync(this.path, "r"));
    try {
      this.#checkSame(versionOf(stats));
      readAtSync(fd, into, position);
      this.#checkSame(versionOf(fstatSync(fd, { bigint: true })));
    } finally {
      closeSync(fd);
    }
  }

  /** Closes the file for now. */
  giveUp(): void {
    const file = this.#file;
    this.#file = undefined;
    // Nothing was written, so that nothing can be lost where it fails.
    const closing = file?.close().catch(() => undefined);
    if (closing !== undefined) this.#givenUp = Promise.all([this.#givenUp, closing]).then(() => undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pool.remove(this);
    if (this.isInUse) {
      await new Promise<void>((resolve) => {
        const before = this.#onIdle;
        this.#onIdle = () => {
          before?.();
          resolve();
        };
      });
    }
    this.#pool.remove(this);
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    await this.#givenUp;
  }

  #check(position: number, length: number): void {
    checkOpen(this.#isClosed);
    checkRange(this.byteLength, position, length, this.path);
  }

  async #reopen(): Promise<FileSource> {
    // Several reads at once open it once.
    this.#reopening ??= this.#openAgain().finally(() => {
      this.#reopening = undefined;
    });
    return await this.#reopening;
  }

  async #openAgain(): Promise<FileSource> {
    let file: FileSource;
    try {
      file = await fileSource(this.path);
    } catch (error) {
      throw this.#gone(error);
    }
    try {
      this.#checkSame(file.version);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    return file;
  }

  #named<T>(open: () => T): T {
    try {
      return open();
    } catch (error) {
      throw this.#gone(error);
    }
  }

  #checkSame(version: string): void {
    if (version === this.version) return;
    const message = "the file was modified or replaced since it was opened; of a long list each file is opened again";
    throw new NpyError("ERR_SOURCE_CHANGED", message, { path: this.path });
  }

  /** What an error of opening the file again means. */
  #gone(error: unknown): unknown {
    const isGone = error instanceof TypeError || (error instanceof Error && "code" in error && error.code === "ENOENT");
    if (!isGone) return error;
    const message = "the file was removed or replaced since it was opened; of a long list each file is opened again";
    return new NpyError("ERR_SOURCE_CHANGED", message, { path: this.path, cause: error });
  }
}
