import { constants, type Stats } from "node:fs";
import { type FileHandle, link, lstat, open, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ByteSink, NpyError } from "@npystream/codec";
import { checkOptionKeys } from "./option-keys.ts";
import { partialName, removeStalePartials } from "./partial-file.ts";
import { errnoOf, existsError, writeError } from "./write-error.ts";

/** Options of {@link fileSink}. */
export interface FileSinkOptions {
  /** Whether an existing file is replaced at the commit. @defaultValue false */
  readonly overwrite?: boolean;
}

/** A file that has its name only once it is whole. */
export interface FileSink extends ByteSink {
  readonly seekable: true;
  /** Absolute path of the file that `commit` makes. */
  readonly path: string;
}

/** Most bytes of one system call; Linux takes 2 GiB, and an abort is noticed between two. */
const CALL_BYTES = 64 << 20;
/**
 * Bytes after which a flush to the disk begins, while more are made and written: 512 MiB in rows took 0.41 s for 0.56 s
 * on ext4. Within larger writes nothing is made meanwhile, and it was slower.
 */
const FLUSH_BYTES = 16 << 20;
/** Systems and file systems say so where a folder cannot be opened or flushed; there is nothing to flush then. */
const NO_FOLDER_SYNC: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "EISDIR", "EINVAL", "ENOTSUP", "ENOSYS"]);
/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<unknown> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Opens a file to write so that it appears whole or not at all: bytes go to a hidden `.name.<unique>.partial` beside
 * it, and `commit` flushes that to the disk, gives it its name and flushes the folder. `abort` removes it and leaves
 * what was there.
 *
 * Partials of this name that dead processes left are removed. A symbolic link is followed; what it points to is
 * replaced, with its permissions kept.
 *
 * @param path - A relative one is resolved now.
 * @throws NpyError `ERR_WRITE_EXISTS` where the file exists and is not to be overwritten, now or at the commit;
 *   `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO` from here and from every method.
 */
export async function fileSink(path: string | URL, options: FileSinkOptions = {}): Promise<FileSink> {
  checkOptionKeys(options, ["overwrite"]);
  const { overwrite = false } = options;
  const asked = resolve(path instanceof URL ? fileURLToPath(path) : path);
  try {
    const mode = await existingMode(asked, overwrite);
    const target = mode === undefined ? asked : await realpath(asked);
    const folder = dirname(target);
    await removeStalePartials(folder, basename(target));
    const partial = join(folder, partialName(basename(target)));
    // 0o666 less the umask, as np.save creates files.
    const handle = await open(partial, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o666);
    return new PartialFile({ handle, partial, path: asked, target, overwrite, mode });
  } catch (error) {
    // A path that is none, one with a NUL in it, is a bad argument.
    throw error instanceof TypeError ? error : writeError(error, asked);
  }
}

interface PartialFileInit {
  readonly handle: FileHandle;
  readonly partial: string;
  readonly path: string;
  readonly target: string;
  readonly overwrite: boolean;
  readonly mode: number | undefined;
}

class PartialFile implements FileSink {
  readonly seekable = true;
  readonly path: string;
  readonly #init: PartialFileInit;
  #end = 0;
  #unflushed = 0;
  #flushing: Promise<void> | undefined;
  #flushFailure: { readonly error: unknown } | undefined;
  #aborted = false;
  #published = false;
  #commit: Promise<void> | undefined;
  #abort: Promise<void> | undefined;

  constructor(init: PartialFileInit) {
    this.path = init.path;
    this.#init = init;
  }

  async write(bytes: Uint8Array, position: number = this.#end): Promise<void> {
    const { byteLength } = bytes;
    this.#end = Math.max(this.#end, position + byteLength);
    try {
      for (let done = 0; done < byteLength; ) {
        if (this.#aborted) throw new Error("the file was aborted");
        const length = Math.min(byteLength - done, CALL_BYTES);
        const { bytesWritten } = await this.#init.handle.write(bytes, done, length, position + done);
        done += bytesWritten;
        this.#unflushed += bytesWritten;
        if (length < FLUSH_BYTES && this.#unflushed >= FLUSH_BYTES) this.#flush();
      }
    } catch (error) {
      throw writeError(error, this.path);
    }
  }

  async commit(): Promise<void> {
    this.#commit ??= this.#publish();
    try {
      await this.#commit;
    } catch (error) {
      await this.abort();
      throw writeError(error, this.path);
    }
  }

  abort(): Promise<void> {
    this.#aborted = true;
    this.#abort ??= this.#remove();
    return this.#abort;
  }

  #flush(): void {
    if (this.#flushing !== undefined) return;
    this.#unflushed = 0;
    this.#flushing = this.#init.handle
      .datasync()
      .catch((error: unknown) => {
        // Kept for the commit: the system reports a lost write once, and the next flush succeeds.
        this.#flushFailure ??= { error };
      })
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  async #publish(): Promise<void> {
    const { handle, partial, target, overwrite, mode } = this.#init;
    await this.#flushing;
    if (this.#flushFailure !== undefined) throw this.#flushFailure.error;
    if (mode !== undefined && ((await handle.stat()).mode & 0o7777) !== mode) await handle.chmod(mode);
    await handle.sync();
    await handle.close();
    // From here to the system call that gives the name nothing else runs, so an abort comes before it or too late.
    if (this.#aborted) throw new Error("the file was aborted");
    if (overwrite) await rename(partial, target);
    else await renameToNew(partial, target);
    this.#published = true;
    await syncFolder(dirname(target));
  }

  async #remove(): Promise<void> {
    // A commit under way ends first: closing waits for its calls, and only it knows whether the name was given.
    await this.#commit?.catch(() => undefined);
    if (this.#published) return;
    const { handle, partial } = this.#init;
    try {
      await handle.close();
    } finally {
      await rm(partial, { force: true });
    }
  }
}

/** Permissions of the file that is to be replaced; undefined where there is none. */
async function existingMode(path: string, overwrite: boolean): Promise<number | undefined> {
  const found = await lstatIfAny(path);
  if (found === undefined) return undefined;
  if (!overwrite) throw existsError(path);
  const file = found.isSymbolicLink() ? await lstatIfAny(await realpath(path)) : found;
  if (file?.isFile()) return file.mode & 0o7777;
  throw new NpyError("ERR_WRITE_IO", `${path} is not a regular file and is not replaced by one`, { path });
}

async function lstatIfAny(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Renames without replacing: a link fails where the name is taken, which a rename does not. */
async function renameToNew(partial: string, target: string): Promise<void> {
  try {
    await link(partial, target);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw existsError(target, error);
    if (!NO_LINKS.has(errnoOf(error))) throw error;
    // Without hard links there is a moment between looking and renaming in which another's file could be replaced.
    if ((await lstatIfAny(target)) !== undefined) throw existsError(target);
    await rename(partial, target);
    return;
  }
  // The file is complete under its name; a second name that stays behind is removed with the stale partials.
  await rm(partial, { force: true }).catch(() => undefined);
}

async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(errnoOf(error))) throw error;
  }
}
