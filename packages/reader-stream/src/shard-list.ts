import {
  type ByteReadOptions,
  type DType,
  type ElementType,
  NpyError,
  type ResolvedRange,
  shapeSize,
} from "@npystream/codec";
import { isForkable } from "./inflated-source.ts";
import type { RowReader } from "./row-reader.ts";
import type { StoredArray } from "./stored-array.ts";

/** Arrays of one dtype and row shape whose rows follow each other as those of one. */
export class ShardList<D extends DType = DType> implements RowReader<D> {
  readonly arrays: readonly StoredArray<D>[];
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

  get type(): ElementType<D> {
    return this.first.header.type;
  }

  get rowBytes(): number {
    return this.first.rowBytes;
  }

  get isRowMajor(): boolean {
    return this.first.isRowMajor;
  }

  get isSequential(): boolean {
    return this.arrays.some(({ source }) => isForkable(source));
  }

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

  /**
   * Fills `into` with a box of all rows, in C order and the machine's byte order.
   *
   * @param ranges - One an axis, with steps from 1.
   */
  async readBox(ranges: readonly ResolvedRange[], into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    const [rows, ...inner] = ranges;
    if (rows === undefined) return await this.first.readBox(ranges, into, options);
    const { itemSize } = this.type;
    const rowBytes =
      shapeSize(
        inner.map(({ length }) => length),
        itemSize,
      ) * itemSize;
    for (let done = 0; done < rows.length; ) {
      const row = rows.start + done * rows.step;
      const shard = this.shardOf(row);
      const array = this.arrays[shard] as StoredArray<D>;
      const start = row - (this.#starts[shard] as number);
      const length = Math.min(rows.length - done, Math.ceil((array.length - start) / rows.step));
      const part = into.subarray(done * rowBytes, (done + length) * rowBytes);
      await array.readBox([{ start, step: rows.step, length }, ...inner], part, options);
      done += length;
    }
  }

  /** Fills `into` with rows of one shard while the thread waits; gives `false` where that is not possible. */
  readRowsSync(into: Uint8Array, start: number): boolean {
    const shard = this.shardOf(start);
    const array = this.arrays[shard] as StoredArray<D>;
    const within = start - (this.#starts[shard] as number);
    return within + into.length / this.rowBytes <= array.length && array.readRowsSync(into, within);
  }

  /** Gives rows as they lie in memory, where the source is resident and they need no change; else `undefined`. */
  viewRows(start: number, stop: number): Uint8Array | undefined {
    const shard = this.shardOf(start);
    const first = this.#starts[shard] as number;
    const array = this.arrays[shard] as StoredArray<D>;
    return stop - first <= array.length ? array.viewRows(start - first, stop - first) : undefined;
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

  fork(): ShardList<D> {
    if (!this.isSequential) return this;
    return new ShardList(
      this.arrays.map((array) => array.withSource((source) => (isForkable(source) ? source.fork() : source))),
    );
  }

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
