import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { partialName } from "./partial-file.ts";
import { writeError } from "./write-error.ts";

/** Bytes read at once. */
const PIECE_BYTES = 1 << 20;

/** A file for what has no place yet. It loses its name as soon as it is open, so nothing is left however the process ends. */
export class SpoolFile {
  readonly #handle: FileHandle;
  readonly #target: string | undefined;
  #end = 0;

  private constructor(handle: FileHandle, target: string | undefined) {
    this.#handle = handle;
    this.#target = target;
  }

  /**
   * Opens one in `folder`.
   *
   * @param name - Name of the file that it is for, whose next writer removes it where the process dies right here.
   * @param target - Path of that file, for errors.
   * @throws NpyError `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO`, from every method.
   */
  static async open(folder: string, name: string, target: string | undefined): Promise<SpoolFile> {
    try {
      const path = join(folder, partialName(name));
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        await rm(path);
      } catch (error) {
        await handle.close();
        throw error;
      }
      return new SpoolFile(handle, target);
    } catch (error) {
      throw writeError(error, target);
    }
  }

  /** Bytes that were written, or are being written. */
  get end(): number {
    return this.#end;
  }

  /** Writes all of `bytes`, by default at the end, where several may be on their way at once. */
  async write(bytes: Uint8Array, position: number = this.#end): Promise<void> {
    this.#end = Math.max(this.#end, position + bytes.length);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
      }
    } catch (error) {
      throw writeError(error, this.#target);
    }
  }

  /** Reads a part in pieces; each is valid until the next one. */
  async *read(position: number, byteLength: number): AsyncGenerator<Uint8Array, void> {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, byteLength));
    for (let done = 0; done < byteLength; ) {
      const wanted = Math.min(piece.length, byteLength - done);
      let found: number;
      try {
        found = (await this.#handle.read(piece, 0, wanted, position + done)).bytesRead;
        if (found === 0) throw new Error("a spooled member was cut");
      } catch (error) {
        throw writeError(error, this.#target);
      }
      done += found;
      yield piece.subarray(0, found);
    }
  }

  /** Closes it, which gives its space back. Closing twice is harmless. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
