import type { ShardEntry, ShardFileEntry } from "@npystream/codec";
import { ShardFile, type ShardFileInit } from "./shard-file.ts";

/** A shard on its way: a file of each array, with the same rows. */
export class OpenShard {
  /** A file of each array, in the order of the arrays. */
  readonly files: readonly ShardFile[];
  /** Rows that it takes at most. */
  readonly mostRows: number;
  /** Rows that it has. */
  rows = 0;
  readonly #roles: readonly string[];

  /** @throws what `ShardFile.open` throws; nothing is left open then. */
  static async open(inits: ReadonlyMap<string, ShardFileInit>, mostRows: number): Promise<OpenShard> {
    const files: ShardFile[] = [];
    try {
      for (const init of inits.values()) files.push(await ShardFile.open(init));
      return new OpenShard([...inits.keys()], files, mostRows);
    } catch (error) {
      for (const file of files) await file.abort();
      throw error;
    }
  }

  private constructor(roles: readonly string[], files: readonly ShardFile[], mostRows: number) {
    this.#roles = roles;
    this.files = files;
    this.mostRows = mostRows;
  }

  /** Bytes taken so far. */
  get byteLength(): number {
    return this.files.reduce((sum, { gather }) => sum + gather.byteLength, 0);
  }

  /** Writes what is gathered and gives the files their names, one after another once all are whole. */
  async publish(): Promise<ShardEntry> {
    const entries: [string, ShardFileEntry][] = [];
    for (const [index, file] of this.files.entries()) {
      entries.push([this.#roles[index] ?? "", await file.finish(this.rows)]);
    }
    for (const file of this.files) await file.commit();
    return { rows: this.rows, files: Object.fromEntries(entries) };
  }

  /** Removes the files that have no name yet. */
  async abort(): Promise<void> {
    await Promise.all(this.files.map((file) => file.abort()));
  }
}
