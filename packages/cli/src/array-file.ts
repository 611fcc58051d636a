import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { memberArrayName, NpyError } from "@npystream/codec";
import {
  type ArrayHandle,
  type FileSource,
  fileSource,
  type NpzArchive,
  openNpy,
  openNpz,
  regionSource,
  spool,
} from "@npystream/reader-stream";

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

  readonly #source: FileSource;

  private constructor(source: FileSource, archive: NpzArchive | undefined) {
    this.#source = source;
    this.byteLength = source.byteLength;
    this.archive = archive;
    this.kind = archive === undefined ? "npy" : "npz";
  }

  /**
   * Opens a path, or `stdin` for `-`. Pipes and devices are spooled to a temporary file, since they have no positions.
   *
   * @throws NpyError those of `openNpz`; system errors such as `ENOENT`.
   */
  static async open(path: string, stdin: Readable): Promise<ArrayFile> {
    const source = path === "-" ? await spool(stdin) : await openPath(path);
    try {
      return new ArrayFile(source, (await isZip(source)) ? await openNpz(source) : undefined);
    } catch (error) {
      await source.close();
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
      // A region, since closing the array leaves the file open.
      if (member === undefined) return openNpy(regionSource(this.#source, 0, this.byteLength));
      throw new NpyError("ERR_NPZ_MEMBER", "the file is a .npy, a single array without members", { member });
    }
    if (member === undefined) throw new TypeError("an array of an archive is opened by its name");
    return this.archive.open(member);
  }

  /** Gives the file's own bytes, which are readable until the file is closed. */
  async openSource(): Promise<FileSource> {
    return this.#source;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.close();
  }
}

async function openPath(path: string): Promise<FileSource> {
  if ((await stat(path)).isFile()) return await fileSource(path);
  // A folder is left to fail by itself: reading from it is the system's EISDIR.
  return await spool(createReadStream(path));
}

/** A local header or, in an archive without members, the end record (APPNOTE 4.3.7, 4.3.16). */
async function isZip(source: FileSource): Promise<boolean> {
  const start = new Uint8Array(Math.min(4, source.byteLength));
  await source.read(start, 0);
  const [p, k, first, second] = start;
  return p === 0x50 && k === 0x4b && ((first === 3 && second === 4) || (first === 5 && second === 6));
}
