import type { ByteReadOptions } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import type { BatchCounts } from "./batch-metrics.ts";
import { eachConcurrently } from "./each-concurrently.ts";
import { ResidentRows } from "./resident-rows.ts";
import type { RowFields } from "./row-fields.ts";

/** Bytes of one read. */
const READ_BYTES = 4 << 20;
/** Reads under way at once. */
const CONCURRENCY = 4;

/** Reads all rows of all fields one after the other, where they fit in memory, to copy them from there in any order. */
export class WholeRows {
  readonly #fields: RowFields;
  readonly #counts: BatchCounts;
  readonly #options: ByteReadOptions;
  readonly #buffers = new Map<string, Uint8Array>();
  #loading: Promise<ReadonlyMap<string, ResidentRows>> | undefined;
  #isLoaded = false;

  constructor(fields: RowFields, counts: BatchCounts, options: ByteReadOptions) {
    this.#fields = fields;
    this.#counts = counts;
    this.#options = options;
  }

  /** Whether all rows are there. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Gives the rows of each field, read when they are first asked for; where that fails, it is tried again. */
  load(): Promise<ReadonlyMap<string, ResidentRows>> {
    this.#loading ??= this.#read().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** Resolves when no read is under way any more, and gives the memory up. */
  async close(): Promise<void> {
    await this.#loading?.catch(() => undefined);
    for (const { length } of this.#buffers.values()) this.#counts.release(length);
    this.#buffers.clear();
    this.#loading = undefined;
  }

  async #read(): Promise<ReadonlyMap<string, ResidentRows>> {
    const fields = this.#fields;
    const resident = new Map<string, ResidentRows>();
    const jobs: (() => Promise<void>)[] = [];
    for (const name of fields.names) {
      const rowBytes = fields.rowBytes(name);
      if (rowBytes === 0) continue;
      const bytes = this.#bufferOf(name, fields.length * rowBytes);
      const type = fields.type(name);
      resident.set(name, new ResidentRows([bytes], rowBytes, type, type));
      const perRead = rowsOfRead(rowBytes);
      for (let row = 0; row < fields.length; row += perRead) {
        const into = bytes.subarray(row * rowBytes, Math.min(fields.length, row + perRead) * rowBytes);
        jobs.push(() => this.#readRows(name, row, into));
      }
    }
    await eachConcurrently(jobs, CONCURRENCY, (job) => job());
    this.#isLoaded = true;
    return resident;
  }

  #bufferOf(name: string, byteLength: number): Uint8Array {
    let buffer = this.#buffers.get(name);
    if (buffer === undefined) {
      buffer = allocateBytes(byteLength);
      this.#counts.take(byteLength);
      this.#buffers.set(name, buffer);
    }
    return buffer;
  }

  async #readRows(name: string, start: number, into: Uint8Array): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#counts.reads++;
    this.#counts.bytes += into.length;
    await this.#fields.readRows(name, start, into, this.#options);
  }
}

/** Number of reads that all rows of all fields take. */
export function wholeReads(fields: RowFields): number {
  return fields.names.reduce((sum, name) => {
    const rowBytes = fields.rowBytes(name);
    return rowBytes === 0 ? sum : sum + Math.ceil(fields.length / rowsOfRead(rowBytes));
  }, 0);
}

function rowsOfRead(rowBytes: number): number {
  return Math.max(1, Math.floor(READ_BYTES / rowBytes));
}
