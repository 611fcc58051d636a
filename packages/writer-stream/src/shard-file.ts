import { createHash } from "node:crypto";
import { join } from "node:path";
import { type ByteSink, formatNpyHeader, type ShardFileEntry } from "@npystream/codec";
import { openPartialFile, type PartialFile } from "./file-sink.ts";
import { GatherBuffer } from "./gather-buffer.ts";
import type { RowType } from "./row-encoder.ts";

/** What one file of a shard is to be. */
export interface ShardFileInit {
  readonly folder: string;
  readonly name: string;
  readonly row: RowType;
  /** Rows that it will have, unless it is the last. */
  readonly rows: number;
  readonly overwrite: boolean;
  readonly highWaterMark: number;
  /** Told when gathered rows could not be written. */
  readonly onFailure: (error: unknown) => void;
}

const REREAD_BYTES = 1 << 20;

/** One file of a shard on its way to its name, and the digest of its bytes. */
export class ShardFile {
  /** Where its rows go. */
  readonly gather: GatherBuffer;
  /** Bytes a row. */
  readonly rowBytes: number;
  readonly #init: ShardFileInit;
  readonly #sink: HashingSink;

  /** @throws NpyError `ERR_WRITE_EXISTS`, `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO` */
  static async open(init: ShardFileInit): Promise<ShardFile> {
    const file = await openPartialFile(join(init.folder, init.name), init.overwrite);
    const shard = new ShardFile(init, new HashingSink(file));
    // With the rows that a full shard has, so that only the last one's header is written twice.
    await shard.gather.write(shard.#header(init.rows));
    return shard;
  }

  private constructor(init: ShardFileInit, sink: HashingSink) {
    this.#init = init;
    this.#sink = sink;
    this.rowBytes = init.row.rowBytes;
    this.gather = new GatherBuffer(sink, init.highWaterMark, init.onFailure);
  }

  /** Writes what is gathered, and tells what the file is. @throws NpyError `ERR_WRITE_SHAPE` where bytes are missing. */
  async finish(rows: number): Promise<ShardFileEntry> {
    const header = this.#header(rows);
    if (rows !== this.#init.rows) await this.gather.rewriteStart(header);
    await this.gather.drain();
    this.gather.checkTotal(header.length + rows * this.rowBytes);
    const sha256 = await this.#sink.digest();
    return { name: this.#init.name, byteLength: this.gather.byteLength, sha256 };
  }

  /** Gives the file its name. */
  commit(): Promise<void> {
    return this.#sink.commit();
  }

  /** Removes the file, unless it has its name. */
  abort(): Promise<void> {
    return this.#sink.abort();
  }

  #header(rows: number): Uint8Array {
    const { type, rowShape } = this.#init.row;
    return formatNpyHeader({ dtype: type, shape: [rows, ...rowShape] });
  }
}

/** Takes the digest of a file while it is written. */
class HashingSink implements ByteSink {
  readonly seekable = true;
  readonly #file: PartialFile;
  #hash = createHash("sha256");
  /** Whether bytes were written over. */
  #isStale = false;

  constructor(file: PartialFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array, position?: number): Promise<void> {
    const writing = this.#file.write(bytes, position);
    if (position === undefined) this.#hash.update(bytes);
    else this.#isStale = true;
    await writing;
  }

  /** SHA-256 of everything written, in hexadecimal. Read again where it is not what was written one after another. */
  async digest(): Promise<string> {
    if (this.#isStale) {
      this.#hash = createHash("sha256");
      for await (const piece of this.#file.read(REREAD_BYTES)) this.#hash.update(piece);
    }
    return this.#hash.digest("hex");
  }

  commit(): Promise<void> {
    return this.#file.commit();
  }

  abort(): Promise<void> {
    return this.#file.abort();
  }
}
