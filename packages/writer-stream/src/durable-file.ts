import type { FileHandle } from "node:fs/promises";
import { writeError } from "./write-error.ts";

/** What of an open file is used. */
export type OpenFile = Pick<
  FileHandle,
  "chmod" | "close" | "datasync" | "read" | "stat" | "sync" | "truncate" | "write"
>;

/**
 * Most bytes of one system call, between two of which an abort is noticed. 256 MiB of one array took 0.57 s in calls of
 * 4 MiB with flushes beside them, and 1.0 s in calls of 64 MiB with one flush at the end (medians of 7 turns, ext4).
 */
const CALL_BYTES = 4 << 20;
/** Bytes after which a flush to the disk begins, while more are made and written: 512 MiB in rows took 0.41 s for 0.56 s. */
const FLUSH_BYTES = 16 << 20;

/** An open file whose bytes are on their way to the disk while it is written, and of which no failure gets lost. */
export class DurableFile {
  readonly #handle: OpenFile;
  readonly #path: string;
  #unflushed = 0;
  #flushing: Promise<void> | undefined;
  /** The first write or flush that failed, whether or not anybody was told. */
  #failure: { readonly error: unknown } | undefined;
  #isStopped = false;
  /** Settles with the last write, and holds nothing of those before. */
  #writing: Promise<void> = Promise.resolve();

  /** @param path - What to call it in an error. */
  constructor(handle: OpenFile, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  /** Whether {@link stop} was called. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Writes all of `bytes`. @throws NpyError `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO` */
  write(bytes: Uint8Array, position: number): Promise<void> {
    const writing = this.#write(bytes, position);
    const before = this.#writing;
    this.#writing = writing.then(
      () => before,
      (error: unknown) => {
        this.#failure ??= { error };
        return before;
      },
    );
    return writing;
  }

  /** Flushes everything to the disk, also what is still being written. @throws the error of any write or flush so far. */
  async sync(): Promise<void> {
    await this.#writing;
    await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#handle.sync();
  }

  /** Lets no more be written, and waits for what is being written. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#writing;
    await this.#flushing;
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    // As it is now: a buffer that is transferred meanwhile has no bytes any more.
    const { length: all } = bytes;
    try {
      for (let done = 0; done < all; ) {
        if (this.#isStopped) throw stoppedError();
        if (bytes.length !== all) throw new Error("the bytes were taken away while they were being written");
        const length = Math.min(all - done, CALL_BYTES);
        const { bytesWritten } = await this.#handle.write(bytes, done, length, position + done);
        done += bytesWritten;
        this.#unflushed += bytesWritten;
        if (this.#unflushed >= FLUSH_BYTES) this.#flush();
      }
    } catch (error) {
      throw writeError(error, this.#path);
    }
  }

  #flush(): void {
    if (this.#flushing !== undefined) return;
    this.#unflushed = 0;
    this.#flushing = this.#handle
      .datasync()
      .catch((error: unknown) => {
        // Kept for the end: the system reports a lost write once, and the next flush succeeds.
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#flushing = undefined;
      });
  }
}

/** For a write or a commit after an abort. */
export function stoppedError(): Error {
  return new Error("the file was aborted");
}
