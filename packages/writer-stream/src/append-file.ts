import { constants } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import { type ByteSink, isNpy, NPY_PREFIX_BYTES, NpyError, npyDataOffset } from "@npystream/codec";
import { Commitment } from "./commitment.ts";
import { DurableFile, type OpenFile } from "./durable-file.ts";
import { type FileLock, lockFile } from "./file-lock.ts";
import { openPartialFile, pathOf } from "./file-sink.ts";
import { GrowingHeader, type HeaderPatch } from "./growing-header.ts";
import { LockedPartialFile } from "./locked-partial-file.ts";
import { errnoOf, writeError } from "./write-error.ts";

/** What {@link AppendFile} is made of. */
export interface AppendFileInit {
  /** Open to read and write. */
  readonly handle: OpenFile;
  /** Path as it was asked for, absolute. */
  readonly path: string;
  /** Held until the end. */
  readonly lock: FileLock;
}

/**
 * Opens a `.npy` to add rows to, or, where there is no file, one that appears as `fileSink` makes it. Other appenders
 * are kept off until it is committed or aborted.
 *
 * @throws NpyError `ERR_WRITE_LOCKED` where another one appends; `ERR_WRITE_APPEND` for a file that cannot grow; those of
 *   `parseNpyHeader` and `ERR_NPY_TRUNCATED` for one that is not whole; `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO`.
 */
export async function openAppend(path: string | URL): Promise<AppendFile | LockedPartialFile> {
  const asked = pathOf(path);
  let lock: FileLock | undefined;
  try {
    // Whatever link it is come by, it is one file with one lock.
    const target = await realpath(asked).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
      return asked;
    });
    lock = await lockFile(target);
    const handle = await openIfAny(target);
    if (handle === undefined) return new LockedPartialFile(await openPartialFile(asked, false), lock);
    try {
      return await AppendFile.open({ handle, path: asked, lock });
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    await lock?.release();
    // A path that is none, one with a NUL in it, is a bad argument.
    throw error instanceof TypeError ? error : writeError(error, asked);
  }
}

/**
 * A `.npy` whose rows become more. New rows are written behind the old ones, where no reader looks as long as the header
 * does not tell of them; they are flushed to the disk, and then the header is changed by one write, and flushed too.
 */
export class AppendFile implements ByteSink {
  readonly seekable = false;
  /** Absolute path of the file. */
  readonly path: string;
  /** What the file says. */
  readonly growing: GrowingHeader;
  readonly #init: AppendFileInit;
  readonly #file: DurableFile;
  readonly #commitment: Commitment;
  /** Where the old rows end. */
  readonly #oldEnd: number;
  /** Bytes of the file, of which those behind the rows are what an append left that did not come to its end. */
  readonly #fileBytes: number;
  #end: number;
  #patch: HeaderPatch | undefined;
  #isPatched = false;
  /** Whether another program has changed the file, whose rows are not to be cut off. */
  #isForeign = false;

  /** Reads what is there. @throws what {@link openAppend} throws. */
  static async open(init: AppendFileInit): Promise<AppendFile> {
    const { handle, path } = init;
    const found = await handle.stat();
    if (!found.isFile()) throw new NpyError("ERR_WRITE_IO", `${path} is not a regular file`, { path });
    const prefix = await readBytes(handle, 0, NPY_PREFIX_BYTES);
    const growing = new GrowingHeader(await readBytes(handle, 0, npyDataOffset(prefix)));
    const { dataOffset, byteLength } = growing.header;
    const end = dataOffset + byteLength;
    if (found.size < end) {
      const message = `the header declares ${end} bytes and the file has ${found.size}: another program may still write it`;
      throw new NpyError("ERR_NPY_TRUNCATED", message, { path, offset: found.size });
    }
    const behind = await readBytes(handle, end, NPY_PREFIX_BYTES);
    if (behind.length === NPY_PREFIX_BYTES && isNpy(behind)) {
      const message = `another array follows in the file at ${end} and would be overwritten: rows are added to the last of a file only`;
      throw new NpyError("ERR_WRITE_APPEND", message, { path, offset: end });
    }
    return new AppendFile(init, growing, found.size);
  }

  private constructor(init: AppendFileInit, growing: GrowingHeader, fileBytes: number) {
    this.path = init.path;
    this.growing = growing;
    this.#init = init;
    this.#file = new DurableFile(init.handle, init.path);
    this.#oldEnd = growing.header.dataOffset + growing.header.byteLength;
    this.#fileBytes = fileBytes;
    this.#end = this.#oldEnd;
    this.#commitment = new Commitment({
      path: init.path,
      file: this.#file,
      publish: () => this.#publish(),
      undo: () => this.#undo(),
    });
  }

  /** Writes behind the rows that are there. */
  write(bytes: Uint8Array, position?: number): Promise<void> {
    if (position !== undefined) throw new TypeError("a file that is appended to takes bytes at its end only");
    const start = this.#end;
    this.#end += bytes.length;
    return this.#file.write(bytes, start);
  }

  /** Says how many rows the header tells of from the commit on. @throws NpyError `ERR_WRITE_APPEND` */
  grow(rows: number): void {
    this.#patch = this.growing.patch(rows);
  }

  commit(): Promise<void> {
    return this.#commitment.commit();
  }

  abort(): Promise<void> {
    return this.#commitment.abort();
  }

  async #publish(): Promise<void> {
    const { handle } = this.#init;
    if (this.#end > this.#oldEnd) {
      if (this.#fileBytes > this.#end) await handle.truncate(this.#end);
      await this.#file.sync();
    }
    await this.#checkUnchanged();
    this.#commitment.checkNotAborted();
    if (this.#patch !== undefined) {
      this.#isPatched = true;
      await writeAt(handle, this.#patch.bytes, this.#patch.position);
      await handle.sync();
    }
    this.#commitment.passed();
    await this.#close();
  }

  /** What does not know of the lock may have replaced the file, or added rows to it. */
  async #checkUnchanged(): Promise<void> {
    const { handle, path } = this.#init;
    const { header, bytes } = this.growing;
    const [ours, named] = await Promise.all([handle.stat({ bigint: true }), stat(path, { bigint: true })]);
    const found = await readBytes(handle, 0, header.dataOffset);
    this.#isForeign = found.length < bytes.length || bytes.some((byte, index) => byte !== found[index]);
    if (!this.#isForeign && ours.ino === named.ino && ours.dev === named.dev) return;
    throw new NpyError("ERR_WRITE_IO", "another program has changed or replaced the file meanwhile", { path });
  }

  async #undo(): Promise<void> {
    const { handle } = this.#init;
    try {
      // The old header first, and on the disk: a file that is shorter than its header says is read by nobody.
      if (this.#isPatched && this.#patch !== undefined) {
        await writeAt(handle, this.#patch.old, this.#patch.position);
        await handle.sync();
      }
      if (this.#end > this.#oldEnd && !this.#isForeign) await handle.truncate(this.#oldEnd);
    } catch (error) {
      throw writeError(error, this.path);
    } finally {
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    const { handle, lock } = this.#init;
    try {
      await handle.close();
    } finally {
      await lock.release();
    }
  }
}

async function openIfAny(path: string): Promise<OpenFile | undefined> {
  try {
    return await open(path, constants.O_RDWR);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Reads `length` bytes, or as many as there are. */
async function readBytes(handle: OpenFile, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

async function writeAt(handle: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  const { bytesWritten } = await handle.write(bytes, 0, bytes.length, position);
  // Bytes that are there already take no room; the system writes fewer only where the disk fails.
  if (bytesWritten < bytes.length) throw new Error(`${bytesWritten} of ${bytes.length} bytes were written`);
}
