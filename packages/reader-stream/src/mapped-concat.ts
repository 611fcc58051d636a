import type { ByteReadOptions } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { ResidentRows } from "./resident-rows.ts";
import type { MappedFields } from "./row-fields.ts";

/** Rows of one of several parts: where they stand in what was asked for, and which of the part they are. */
export interface PartRows {
  /** Index of the part. */
  readonly part: number;
  readonly places: readonly number[];
  readonly within: Float64Array;
}

/** Mapped fields of several datasets, whose rows follow each other. */
export class MappedConcat implements MappedFields {
  readonly #parts: readonly MappedFields[];
  readonly #divide: (rows: ArrayLike<number>) => PartRows[];
  readonly #rowBytes: (name: string) => number;
  readonly #resident = new Map<string, ResidentRows>();
  /** First resident row of each part. */
  #starts: readonly number[] = [];

  /** @param divide - Tells the parts of rows. */
  constructor(
    parts: readonly MappedFields[],
    names: readonly string[],
    divide: (rows: ArrayLike<number>) => PartRows[],
    rowBytes: (name: string) => number,
  ) {
    this.#parts = parts;
    this.#divide = divide;
    this.#rowBytes = rowBytes;
    for (const name of names) {
      const residents = parts.map((part) => part.resident(name));
      const joined = ResidentRows.join(residents);
      if (joined === undefined) continue;
      this.#resident.set(name, joined);
      // The fields of a part have as many rows.
      this.#starts = residents.map((_, part) =>
        residents.slice(0, part).reduce((sum, one) => sum + (one?.length ?? 0), 0),
      );
    }
  }

  resident(name: string): ResidentRows | undefined {
    return this.#resident.get(name);
  }

  async gatherRows(name: string, rows: ArrayLike<number>, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    await gatherParts(this.#divide(rows), this.#rowBytes(name), into, async ({ part, within }, bytes) => {
      await this.#parts[part]?.gatherRows(name, within, bytes, options);
    });
  }

  rowsBehind(rows: Float64Array): Float64Array {
    if (this.#resident.size === 0) return rows;
    const behind = new Float64Array(rows.length);
    for (const { part, places, within } of this.#divide(rows)) {
      const start = this.#starts[part] ?? 0;
      const found = this.#parts[part]?.rowsBehind(within) ?? within;
      for (const [at, place] of places.entries()) behind[place] = start + (found[at] as number);
    }
    return behind;
  }

  check(): void {
    for (const part of this.#parts) part.check();
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
  }
}

/** Fills `into` with rows of several parts, each gathered by itself. */
export async function gatherParts(
  divided: readonly PartRows[],
  rowBytes: number,
  into: Uint8Array,
  gather: (rows: PartRows, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  for (const rows of divided) {
    const { places } = rows;
    if (divided.length === 1) return await gather(rows, into);
    const bytes = allocateBytes(places.length * rowBytes);
    await gather(rows, bytes);
    for (const [at, place] of places.entries()) {
      into.set(bytes.subarray(at * rowBytes, (at + 1) * rowBytes), place * rowBytes);
    }
  }
}
