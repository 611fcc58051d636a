import type { ByteSink } from "@npystream/codec";
import type { FileLock } from "./file-lock.ts";
import type { PartialFile } from "./file-sink.ts";

/** A file that is not there yet, or that takes another's place, kept from other appenders until it has its name. */
export class LockedPartialFile implements ByteSink {
  readonly seekable = true;
  /** Absolute path of the file that `commit` makes. */
  readonly path: string;
  readonly #file: PartialFile;
  readonly #lock: FileLock;

  constructor(file: PartialFile, lock: FileLock) {
    this.path = file.path;
    this.#file = file;
    this.#lock = lock;
  }

  write(bytes: Uint8Array, position?: number): Promise<void> {
    return this.#file.write(bytes, position);
  }

  async commit(): Promise<void> {
    try {
      await this.#file.commit();
    } finally {
      await this.#lock.release();
    }
  }

  async abort(): Promise<void> {
    try {
      await this.#file.abort();
    } finally {
      await this.#lock.release();
    }
  }
}
