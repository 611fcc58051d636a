import { createHash } from "node:crypto";
import { type ByteReadOptions, type ElementType, NpyError } from "@npystream/codec";
import { gatherParts, MappedConcat, type PartRows } from "./mapped-concat.ts";
import type { MappedFields, RowFields } from "./row-fields.ts";

/** Fields of several datasets, whose rows follow each other. */
export class ConcatFields implements RowFields {
  readonly length: number;
  readonly names: readonly string[];
  readonly #parts: readonly RowFields[];
  readonly #first: RowFields;
  /** Index of the first row of each part. */
  readonly #starts: readonly number[];

  /** @throws NpyError `ERR_DATASET_FIELDS` where one differs from the first; TypeError for none. */
  constructor(parts: readonly RowFields[]) {
    const [first] = parts;
    if (first === undefined) throw new TypeError("name at least one dataset");
    const starts: number[] = [];
    let length = 0;
    for (const [index, part] of parts.entries()) {
      checkFields(first, part, index);
      starts.push(length);
      length += part.length;
    }
    this.length = length;
    this.names = first.names;
    this.#first = first;
    this.#parts = parts;
    this.#starts = starts;
  }

  get fingerprint(): string {
    const state = this.#parts.map(({ fingerprint }) => fingerprint);
    return createHash("sha256").update(JSON.stringify(state)).digest("hex");
  }

  type(name: string): ElementType {
    return this.#first.type(name);
  }

  rowShape(name: string): readonly number[] {
    return this.#first.rowShape(name);
  }

  rowBytes(name: string): number {
    return this.#first.rowBytes(name);
  }

  isRandomAccess(name: string): boolean {
    return this.#parts.every((part) => part.isRandomAccess(name));
  }

  isRemote(name: string): boolean {
    return this.#parts.some((part) => part.isRemote(name));
  }

  async readRows(name: string, start: number, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    const rowBytes = this.rowBytes(name);
    let [row, filled] = [start, 0];
    for (let index = this.#partOf(start); filled < into.length; index++) {
      const part = this.#parts[index] as RowFields;
      const within = row - (this.#starts[index] as number);
      const rows = Math.min(part.length - within, (into.length - filled) / rowBytes);
      if (rows === 0) continue;
      await part.readRows(name, within, into.subarray(filled, filled + rows * rowBytes), options);
      row += rows;
      filled += rows * rowBytes;
    }
  }

  async gatherRows(name: string, rows: ArrayLike<number>, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    await gatherParts(this.#divide(rows), this.rowBytes(name), into, async ({ part, within }, bytes) => {
      await this.#parts[part]?.gatherRows(name, within, bytes, options);
    });
  }

  map(isMapped: boolean): MappedFields | undefined {
    const mapped: MappedFields[] = [];
    const close = async (): Promise<void> => {
      for (const part of mapped) await part.close();
    };
    try {
      for (const part of this.#parts) {
        const one = part.map?.(isMapped);
        if (one === undefined) {
          void close();
          return undefined;
        }
        mapped.push(one);
      }
    } catch (error) {
      void close();
      throw error;
    }
    return new MappedConcat(
      mapped,
      this.names,
      (rows) => this.#divide(rows),
      (name) => this.rowBytes(name),
    );
  }

  /** Tells which rows of which part are asked for. */
  #divide(rows: ArrayLike<number>): PartRows[] {
    const parts = new Map<number, number[]>();
    for (let place = 0; place < rows.length; place++) {
      const row = rows[place] as number;
      if (!Number.isInteger(row) || row < 0 || row >= this.length) {
        throw new NpyError("ERR_ROWS_RANGE", `row ${row} is not one of a dataset with ${this.length} rows`);
      }
      const index = this.#partOf(row);
      const places = parts.get(index);
      if (places === undefined) parts.set(index, [place]);
      else places.push(place);
    }
    return Array.from(parts, ([part, places]) => {
      const start = this.#starts[part] as number;
      return { part, places, within: Float64Array.from(places, (place) => (rows[place] as number) - start) };
    });
  }

  /** Index of the last part that starts at or before `row`. */
  #partOf(row: number): number {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function checkFields(first: RowFields, part: RowFields, index: number): void {
  const refuse = (what: string, expected: unknown, found: unknown): never => {
    const message = `dataset ${index} has ${what} ${JSON.stringify(found)}, dataset 0 has ${JSON.stringify(expected)}`;
    throw new NpyError("ERR_DATASET_FIELDS", message);
  };
  const [expected, found] = [first.names.toSorted(), part.names.toSorted()];
  if (expected.join("\n") !== found.join("\n")) refuse("the fields", expected, found);
  for (const name of first.names) {
    const [type, other] = [first.type(name).descr, part.type(name).descr];
    if (JSON.stringify(type) !== JSON.stringify(other)) refuse(`${name} of dtype`, type, other);
    const [shape, otherShape] = [first.rowShape(name), part.rowShape(name)];
    if (shape.join() !== otherShape.join()) refuse(`${name} of row shape`, shape, otherShape);
  }
}
