import {
  type ByteReadOptions,
  type DType,
  type ElementType,
  NpyError,
  type NpyErrorLocation,
  type ResolvedRange,
  shapeSize,
} from "@npystream/codec";
import { isForkable } from "./inflated-source.ts";
import { located } from "./read-rows.ts";
import type { RowReader } from "./row-reader.ts";
import type { StoredArray } from "./stored-array.ts";
import { checkUnchanged } from "./unchanged-source.ts";

/** Arrays of one dtype and row shape whose rows follow each other as those of one. */
export class ShardList<D extends DType = DType> implements RowReader<D> {
  readonly arrays: readonly StoredArray<D>[];
  readonly length: number;
  /** Index of the first row of each shard. */
  readonly #starts: readonly number[];
  readonly #places: readonly NpyErrorLocation[];

  /**
   * @param places - What to call each shard in an error.
   * @throws NpyError `ERR_SHARD_MISMATCH` where one differs from the first.
   */
  constructor(arrays: readonly StoredArray<D>[], places: readonly NpyErrorLocation[] = []) {
    this.arrays = arrays;
    this.#places = places;
    const starts: number[] = [];
    let length = 0;
    for (const [index, array] of arrays.entries()) {
      if (arrays.length > 1) checkShard(this.first, array, index, places[index]);
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
      try {
        await array.readRows(into.subarray(filled, filled + taken * rowBytes), within, options);
      } catch (error) {
        throw this.#located(error, shard);
      }
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
    if (rows === undefined) return await this.#readShardBox(0, ranges, into, options);
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
      await this.#readShardBox(shard, [{ start, step: rows.step, length }, ...inner], part, options);
      done += length;
    }
  }

  /** Fills `into` with rows of one shard while the thread waits; gives `false` where that is not possible. */
  readRowsSync(into: Uint8Array, start: number): boolean {
    const shard = this.shardOf(start);
    const array = this.arrays[shard] as StoredArray<D>;
    const within = start - (this.#starts[shard] as number);
    if (within + into.length / this.rowBytes > array.length) return false;
    try {
      return array.readRowsSync(into, within);
    } catch (error) {
      throw this.#located(error, shard);
    }
  }

  /**
   * Gives rows as they lie in memory, where the source is resident and they need no change; else `undefined`. Nothing tells
   * whether the file is as it was but `checkUnchanged`.
   */
  viewRows(start: number, stop: number): Uint8Array | undefined {
    const shard = this.shardOf(start);
    const first = this.#starts[shard] as number;
    const array = this.arrays[shard] as StoredArray<D>;
    return stop - first <= array.length ? array.viewRows(start - first, stop - first) : undefined;
  }

  /** @throws NpyError `ERR_SOURCE_CHANGED`, `ERR_SOURCE_TRUNCATED` where the file of a shard that is mapped was changed. */
  checkUnchanged(shard: number): void {
    const source = this.arrays[shard]?.source;
    if (source !== undefined) checkUnchanged(source);
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
      this.#places,
    );
  }

  async release(): Promise<void> {
    for (const { source } of this.arrays) if (isForkable(source)) await source.close();
  }

  async #readShardBox(
    shard: number,
    ranges: readonly ResolvedRange[],
    into: Uint8Array,
    options?: ByteReadOptions,
  ): Promise<void> {
    try {
      // Before, since missing pages of a mapped file end the process, and after.
      this.checkUnchanged(shard);
      await this.arrays[shard]?.readBox(ranges, into, options);
      this.checkUnchanged(shard);
    } catch (error) {
      throw this.#located(error, shard);
    }
  }

  /** Of a list of shards the whole is called by the first, and an error by its own. */
  #located(error: unknown, shard: number): unknown {
    return located(error, this.#places[shard] ?? {});
  }
}

function checkShard(first: StoredArray, array: StoredArray, index: number, place: NpyErrorLocation = {}): void {
  const refuse = (property: string, expected: unknown, found: unknown): never => {
    const message = `shard ${index} has ${property} ${JSON.stringify(found)}, shard 0 has ${JSON.stringify(expected)}`;
    throw new NpyError("ERR_SHARD_MISMATCH", message, place);
  };
  const [expected, found] = [first.header, array.header];
  if (found.shape.length === 0) refuse("rank", "1 or more", 0);
  if (JSON.stringify(expected.type.descr) !== JSON.stringify(found.type.descr)) {
    refuse("dtype", expected.type.descr, found.type.descr);
  }
  const [expectedRow, foundRow] = [expected.shape.slice(1), found.shape.slice(1)];
  if (expectedRow.join() !== foundRow.join()) refuse("row shape", expectedRow, foundRow);
}
