import { type ByteReadOptions, type DType, NpyError } from "@npystream/codec";
import { isForkable } from "./inflated-source.ts";
import type { StoredArray } from "./stored-array.ts";

/** Arrays of one dtype and row shape whose rows follow each other as those of one. */
export class ShardList<D extends DType = DType> {
  readonly arrays: readonly StoredArray<D>[];
  /** Rows in all. */
  readonly length: number;
  /** Index of the first row of each shard. */
  readonly #starts: readonly number[];

  /**
   * @param paths - What to call each shard in an error.
   * @throws NpyError `ERR_SHARD_MISMATCH` where one differs from the first.
   */
  constructor(arrays: readonly StoredArray<D>[], paths: readonly (string | undefined)[] = []) {
    this.arrays = arrays;
    const starts: number[] = [];
    let length = 0;
    for (const [index, array] of arrays.entries()) {
      if (arrays.length > 1) checkShard(this.first, array, index, paths[index]);
      starts.push(length);
      length += array.length;
    }
    this.length = length;
    this.#starts = starts;
  }

  /** The first shard, which the others are like. */
  get first(): StoredArray<D> {
    const [first] = this.arrays;
    if (first === undefined) throw new TypeError("an array of no shards has no dtype: name at least one");
    return first;
  }

  /** Bytes a row. */
  get rowBytes(): number {
    return this.first.rowBytes;
  }

  /** Shape of all rows together. */
  get shape(): readonly number[] {
    const { shape } = this.first.header;
    return shape.length === 0 ? shape : [this.length, ...shape.slice(1)];
  }

  /** What tells this state of these arrays from another, without paths. */
  get state(): unknown {
    return this.arrays.map(({ header, source }) => [
      header.descr,
      header.order,
      header.shape,
      source.byteLength,
      source.version ?? "",
    ]);
  }

  /** Fills `into`, a whole number of rows, with the rows from `start` on. */
  async readRows(into: Uint8Array, start: number, options?: ByteReadOptions): Promise<void> {
    const { rowBytes } = this;
    let [row, filled] = [start, 0];
    for (let shard = this.shardOf(start); filled < into.length; shard++) {
      const array = this.arrays[shard] as StoredArray<D>;
      const within = row - (this.#starts[shard] as number);
      const taken = Math.min(array.length - within, (into.length - filled) / rowBytes);
      await array.readRows(into.subarray(filled, filled + taken * rowBytes), within, options);
      row += taken;
      filled += taken * rowBytes;
    }
  }

  /** Index of the shard that holds `row`: the last that starts at or before it. */
  shardOf(row: number): number {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The same shards for a reader of its own, so that two that go forward do not send each other back. */
  fork(): ShardList<D> {
    if (!this.arrays.some(({ source }) => isForkable(source))) return this;
    return new ShardList(
      this.arrays.map((array) => array.withSource((source) => (isForkable(source) ? source.fork() : source))),
    );
  }

  /** Gives back what a fork holds. */
  async release(): Promise<void> {
    for (const { source } of this.arrays) if (isForkable(source)) await source.close();
  }
}

function checkShard(first: StoredArray, array: StoredArray, index: number, path: string | undefined): void {
  const refuse = (property: string, expected: unknown, found: unknown): never => {
    const message = `shard ${index} has ${property} ${JSON.stringify(found)}, shard 0 has ${JSON.stringify(expected)}`;
    throw new NpyError("ERR_SHARD_MISMATCH", message, { path });
  };
  const [expected, found] = [first.header, array.header];
  if (found.shape.length === 0) refuse("rank", "1 or more", 0);
  if (JSON.stringify(expected.type.descr) !== JSON.stringify(found.type.descr)) {
    refuse("dtype", expected.type.descr, found.type.descr);
  }
  const [expectedRow, foundRow] = [expected.shape.slice(1), found.shape.slice(1)];
  if (expectedRow.join() !== foundRow.join()) refuse("row shape", expectedRow, foundRow);
}
