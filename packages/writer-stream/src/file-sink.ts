import { constants, type Stats } from "node:fs";
import { chmod, copyFile, type FileHandle, link, lstat, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ByteSink, checkOptionKeys, NpyError } from "@npystream/codec";
import { Commitment } from "./commitment.ts";
import { DurableFile } from "./durable-file.ts";
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
  checkOptionKeys("fileSink", options, ["overwrite"]);
  return await openPartialFile(path, options.overwrite ?? false);
}

/**
 * Opens a file as {@link fileSink} does, which can also be read until it is committed.
 *
 * @param base - What it takes over from the existing file. @defaultValue nothing
 * @throws what `fileSink` throws.
 */
export async function openPartialFile(
  path: string | URL,
  overwrite: boolean,
  base?: PartialFileBase,
): Promise<PartialFile> {
  const asked = pathOf(path);
  try {
    const mode = await existingMode(asked, overwrite);
    const target = mode === undefined ? asked : await realpath(asked);
    const folder = dirname(target);
    await removeStalePartials(folder, basename(target));
    const partial = join(folder, partialName(basename(target)));
    const handle = base === undefined ? await createFile(partial) : await copyStart(target, partial, base.byteLength);
    return new PartialFile({ handle, partial, path: asked, target, overwrite, mode, base });
  } catch (error) {
    // A path that is none, one with a NUL in it, is a bad argument.
    throw error instanceof TypeError ? error : writeError(error, asked);
  }
}

/** Absolute path of a path or URL. @throws TypeError for what is neither, and an empty path, which would be the folder. */
export function pathOf(path: string | URL): string {
  if (path === "") throw new TypeError("the path is empty");
  return resolve(path instanceof URL ? fileURLToPath(path) : path);
}

/** What a file takes over from the one that it replaces. */
export interface PartialFileBase {
  /** Bytes that it begins with; writing goes on behind them. */
  readonly byteLength: number;
  /** Looks, right before it gets the name, whether the other is still as it was. @throws NpyError `ERR_WRITE_IO` */
  readonly checkUnchanged: () => Promise<void>;
}

interface PartialFileInit {
  readonly handle: FileHandle;
  readonly partial: string;
  readonly path: string;
  readonly target: string;
  readonly overwrite: boolean;
  readonly mode: number | undefined;
  readonly base: PartialFileBase | undefined;
}

/** A file on its way to its name. */
export class PartialFile implements FileSink {
  readonly seekable = true;
  readonly path: string;
  readonly #init: PartialFileInit;
  readonly #file: DurableFile;
  readonly #commitment: Commitment;
  #end = 0;

  /** @internal */
  constructor(init: PartialFileInit) {
    this.path = init.path;
    this.#init = init;
    this.#end = init.base?.byteLength ?? 0;
    this.#file = new DurableFile(init.handle, init.path);
    this.#commitment = new Commitment({
      path: init.path,
      file: this.#file,
      publish: () => this.#publish(),
      undo: () => this.#remove(),
    });
  }

  write(bytes: Uint8Array, position: number = this.#end): Promise<void> {
    this.#end = Math.max(this.#end, position + bytes.length);
    return this.#file.write(bytes, position);
  }

  /** Reads what was written, a piece at a time into the same memory. */
  async *read(pieceBytes: number): AsyncGenerator<Uint8Array, void> {
    const piece = new Uint8Array(pieceBytes);
    for (let position = 0; position < this.#end; ) {
      const { bytesRead } = await this.#init.handle.read(piece, 0, pieceBytes, position);
      if (bytesRead === 0) throw new NpyError("ERR_WRITE_IO", `the file ends at ${position}`, { path: this.path });
      yield piece.subarray(0, bytesRead);
      position += bytesRead;
    }
  }

  commit(): Promise<void> {
    return this.#commitment.commit();
  }

  abort(): Promise<void> {
    return this.#commitment.abort();
  }

  async #publish(): Promise<void> {
    const { handle, partial, target, overwrite, mode } = this.#init;
    if (mode !== undefined && ((await handle.stat()).mode & 0o7777) !== mode) await handle.chmod(mode);
    await this.#file.sync();
    await handle.close();
    await this.#init.base?.checkUnchanged();
    this.#commitment.checkNotAborted();
    if (overwrite) await rename(partial, target);
    else await renameToNew(partial, target);
    this.#commitment.passed();
    await syncFolder(dirname(target));
  }

  async #remove(): Promise<void> {
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
  // Of a link to nothing a new file is told that it exists, and one that replaces has the system's error.
  const file = found.isSymbolicLink() ? await (overwrite ? stat(path) : stat(path).catch(() => undefined)) : found;
  if (file !== undefined && !file.isFile()) {
    const what = file.isDirectory() ? "a folder" : "not a regular file";
    throw new NpyError("ERR_WRITE_IO", `${path} is ${what} and is not replaced by a file`, { path });
  }
  if (file === undefined || !overwrite) throw existsError(path);
  return file.mode & 0o7777;
}

function createFile(path: string): Promise<FileHandle> {
  // 0o666 less the umask, as np.save creates files.
  return open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o666);
}

/** Copies the first bytes of a file, sharing them with it where the file system can. */
async function copyStart(from: string, to: string, byteLength: number): Promise<FileHandle> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    // The copy has the permissions of the file, which may not allow writing.
    await chmod(to, 0o600);
    const handle = await open(to, constants.O_RDWR);
    await handle.truncate(byteLength).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
    return handle;
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
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

/** Flushes what a folder says of its files, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(errnoOf(error))) throw error;
  }
}
