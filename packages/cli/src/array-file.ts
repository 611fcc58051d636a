import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { memberArrayName, NpyError } from "@npystream/codec";
import {
  type ArrayHandle,
  type FileSource,
  fileSource,
  type NpzArchive,
  openNpy,
  openNpz,
} from "@npystream/reader-stream";
import { spool } from "./spool.ts";

/** An array of an {@link ArrayFile}. */
export interface ArrayName {
  /** As NumPy names it, without `.npy`. */
  readonly name: string;
  /** As the archive stores it, which tells `x.npy` from `x.npy.npy`. */
  readonly stored: string;
}

/** A file of the command line, opened: one array, or an archive of arrays. */
export class ArrayFile implements AsyncDisposable {
  /** What the content is, whatever the name says. */
  readonly kind: "npy" | "npz";
  /** Bytes of the file. */
  readonly byteLength: number;
  /** The archive, where it is one. */
  readonly archive: NpzArchive | undefined;

  readonly #file: FileHandle;

  private constructor(file: FileHandle, byteLength: number, archive: NpzArchive | undefined) {
    this.#file = file;
    this.byteLength = byteLength;
    this.archive = archive;
    this.kind = archive === undefined ? "npy" : "npz";
  }

  /**
   * Opens a path, or `stdin` for `-`. Pipes and devices are spooled to a temporary file, since they have no positions.
   *
   * @throws NpyError those of `openNpz`; system errors such as `ENOENT`.
   */
  static async open(path: string, stdin: Readable): Promise<ArrayFile> {
    const file = path === "-" ? await spool(stdin) : await openPath(path);
    try {
      const { size } = await file.stat();
      const archive = (await isZip(file)) ? await openNpz(file) : undefined;
      return new ArrayFile(file, size, archive);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The arrays of an archive, in the order of its directory; none for a `.npy`, whose array has no name. */
  get arrays(): readonly ArrayName[] {
    const members = this.archive?.members ?? [];
    return members
      .filter(({ name }) => name.endsWith(".npy"))
      .map(({ name: stored }) => ({ name: memberArrayName(stored), stored }));
  }

  /**
   * Opens one array, whose header is read.
   *
   * @param member - Its name in an archive, with or without `.npy`; left out for a `.npy`.
   * @throws NpyError those of `openNpy`; `ERR_NPZ_MEMBER` where there is no such member.
   */
  async openNpy(member?: string): Promise<ArrayHandle> {
    if (this.archive === undefined) {
      if (member === undefined) return openNpy(this.#file);
      throw new NpyError("ERR_NPZ_MEMBER", "the file is a .npy, a single array without members", { member });
    }
    if (member === undefined) throw new TypeError("an array of an archive is opened by its name");
    return this.archive.open(member);
  }

  /** Gives the file's own bytes, which are readable until the file is closed. */
  async openSource(): Promise<FileSource> {
    return fileSource(this.#file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.archive?.close();
    } finally {
      await this.#file.close();
    }
  }
}

async function openPath(path: string): Promise<FileHandle> {
  const file = await open(path, "r");
  try {
    const stats = await file.stat();
    // A folder is left to fail by itself: reading from it is the system's EISDIR.
    if (stats.isFile() || stats.isDirectory()) return file;
    return await spool(file.createReadStream());
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A local header or, in an archive without members, the end record (APPNOTE 4.3.7, 4.3.16). */
async function isZip(file: FileHandle): Promise<boolean> {
  const { buffer } = await file.read(new Uint8Array(4), 0, 4, 0);
  const [p, k, first, second] = buffer;
  return p === 0x50 && k === 0x4b && ((first === 3 && second === 4) || (first === 5 && second === 6));
}
