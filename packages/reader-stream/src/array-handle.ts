import { createHash } from "node:crypto";
import {
  type AxisIndex,
  type ByteOrder,
  checkOptionKeys,
  type Descr,
  type DType,
  type ElementType,
  NdArray,
  type NpyVersion,
  type Order,
  viewData,
} from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { ArraySlice } from "./array-slice.ts";
import { targetType } from "./cast-rows.ts";
import { gatherRows } from "./gather-rows.ts";
import { located, READ_OPTION_NAMES, type ReadOptions, readRows } from "./read-rows.ts";
import { resolveRows } from "./row-range.ts";
import { RowStream, type RowStreamOptions } from "./row-stream.ts";
import type { ShardList } from "./shard-list.ts";
import { SliceRows } from "./slice-rows.ts";

/** Where an opened array is from. */
export interface ArrayOrigin {
  /** Path of the file, where it was opened by one; of the first shard of several. */
  readonly path?: string | undefined;
  /** Name of the `.npz` member, without `.npy`. */
  readonly member?: string | undefined;
}

/** What {@link ArrayHandle} is made of. @internal */
export interface ArrayHandleInit<D extends DType> extends ArrayOrigin {
  readonly shards: ShardList<D>;
  readonly dataPosition: number | undefined;
  /** Throws once what the array belongs to has been closed. @defaultValue nothing does */
  readonly checkOpen?: () => void;
  /** Closes the sources. */
  readonly close: () => Promise<void>;
}

/**
 * An array that was opened and not yet read: its header is known, its rows are read when they are asked for.
 *
 * Arrays it gives are C-ordered copies of the caller's own, in the machine's byte order; only `read()` keeps the order of
 * a Fortran file. Made by `openNpy` and `NpzArchive.open`.
 */
export class ArrayHandle<D extends DType = DType> implements AsyncDisposable {
  /** What one element is, in full. */
  readonly type: ElementType<D>;
  /** The element type as the file has it: `>f4`, or a list of fields. */
  readonly descr: Descr;
  /** Order of the bytes in the file; `mixed` where fields of a struct differ. */
  readonly byteOrder: ByteOrder | "mixed";
  /** Order of the elements in the file. */
  readonly order: Order;
  /** Extent of each axis; the rows of all shards together. */
  readonly shape: readonly number[];
  /** Format version of the file, of the first shard of several. */
  readonly version: NpyVersion;
  /** Position in bytes of the data in the `.npy`, of the first shard of several. */
  readonly dataOffset: number;
  /** Position in bytes of the data in the file on disk; `undefined` where it is deflated. */
  readonly dataPosition: number | undefined;
  /** Path of the file, where it was opened by one. */
  readonly path: string | undefined;
  /** Name of the `.npz` member, without `.npy`. */
  readonly member: string | undefined;
  /** What the rows are read from. @internal */
  readonly shards: ShardList<D>;
  readonly #checkOwner: (() => void) | undefined;
  readonly #closeSources: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(init: ArrayHandleInit<D>) {
    const { header } = init.shards.first;
    this.type = header.type;
    this.descr = header.descr;
    this.byteOrder = header.byteOrder;
    this.order = header.order;
    this.version = header.version;
    this.dataOffset = header.dataOffset;
    this.dataPosition = init.dataPosition;
    this.shape = init.shards.shape;
    this.path = init.path;
    this.member = init.member;
    this.shards = init.shards;
    this.#checkOwner = init.checkOpen;
    this.#closeSources = init.close;
  }

  /** Name of the element type. */
  get dtype(): D {
    return this.type.dtype;
  }

  /** Bytes an element. */
  get itemSize(): number {
    return this.type.itemSize;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of rows: the extent of the first axis; 1 for a 0-d array. */
  get length(): number {
    return this.shards.length;
  }

  /** Identifies dtype, shape and state of the files, whatever they are called: SHA-256 in hex. */
  get fingerprint(): string {
    return createHash("sha256").update(JSON.stringify(this.shards.state)).digest("hex");
  }

  /** Shape of one row. */
  get rowShape(): readonly number[] {
    return this.shape.slice(1);
  }

  /** Bytes of data in all. */
  get byteLength(): number {
    return this.shards.length * this.shards.rowBytes;
  }

  /**
   * Reads the whole array.
   *
   * @throws NpyError `ERR_SOURCE_TRUNCATED`, `ERR_SOURCE_CHANGED`; `ERR_CAST_RANGE` for an element that `as` cannot hold;
   *   `ERR_NPZ_CRC`, `ERR_NPZ_DEFLATE`, `ERR_NPZ_SIZE` for a member of an archive.
   */
  async read<E extends DType = D>(options: ReadOptions<E> = {}): Promise<NdArray<E>> {
    return await this.#read(options, async () => {
      const [only, ...others] = this.shards.arrays;
      if (only !== undefined && others.length === 0 && options.as === undefined) return await only.readAll(options);
      return await readRows(this.shards, 0, this.shape, options);
    });
  }

  /**
   * Reads rows `start` to `stop`, which is left out; negative ones count from the end, as in a slice.
   *
   * @returns Shape `[stop - start, ...rowShape]`.
   * @throws NpyError `ERR_ROWS_RANGE` where the range reaches outside the array, and those of `read`.
   */
  async rows<E extends DType = D>(start: number, stop: number, options: ReadOptions<E> = {}): Promise<NdArray<E>> {
    return await this.#read(options, async () => {
      const range = resolveRows(this.length, start, stop);
      return await readRows(this.shards, range.start, [range.stop - range.start, ...this.rowShape], options);
    });
  }

  /**
   * Reads the rows of these indices, in their order; repeats are allowed. Rows that lie close are read together, never more
   * than four times the bytes asked for.
   *
   * @returns Shape `[indices.length, ...rowShape]`.
   * @throws NpyError `ERR_ROWS_RANGE` for an index outside the array, and those of `read`.
   */
  async gather<E extends DType = D>(indices: ArrayLike<number>, options: ReadOptions<E> = {}): Promise<NdArray<E>> {
    return await this.#read(options, async () => {
      const type = options.as === undefined ? this.type : targetType(this.type, options.as);
      const rowSize = this.rowShape.reduce((product, extent) => product * extent, 1);
      const bytes = allocateBytes(indices.length * rowSize * type.itemSize);
      await gatherRows(this.shards, indices, type, bytes, options);
      return new NdArray({ dtype: type, shape: [indices.length, ...this.rowShape], data: viewData(type, bytes) });
    });
  }

  /**
   * Selects a part with NumPy's basic indexing, one argument an axis; axes without one stay whole. Nothing is read before
   * the slice is.
   *
   * @example
   * const patch = handle.slice({ start: 10, stop: 20 }, null, { step: 2 });
   * console.log(patch.shape, await patch.read({ as: "float32" }));
   *
   * @throws RangeError for an index outside its axis, a step of 0 or more ranges than axes.
   */
  slice(...ranges: readonly AxisIndex[]): ArraySlice<D> {
    const owner = { where: { path: this.path, member: this.member }, checkOpen: () => this.checkOpen() };
    return new ArraySlice(SliceRows.of(this.shards).slice(ranges), owner);
  }

  /**
   * Streams the rows as chunks in C order. About four chunks are in memory: two that are read
   * ahead, one that waits, and the one being used. A Fortran array takes up to 24 MiB more, which chunks are cut from.
   *
   * @example
   * for await (const chunk of handle.stream()) console.log(chunk.rowStart, chunk.shape);
   *
   * @throws NpyError `ERR_ROWS_RANGE` for `start` or `stop` outside the array; the stream fails with those of `read`.
   */
  stream<E extends DType = D>(options: RowStreamOptions<E> = {}): RowStream<E> {
    this.checkOpen();
    try {
      return new RowStream(this.shards, this, options);
    } catch (error) {
      throw located(error, this);
    }
  }

  /** Closes what the array is read from. Closing twice is harmless; reads that are under way may fail. */
  close(): Promise<void> {
    this.#closing ??= this.#closeSources();
    return this.#closing;
  }

  /** Closes the array, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Refuses reads once the array has been closed. @internal */
  checkOpen(): void {
    if (this.#closing !== undefined) throw new TypeError("the array has been closed");
    this.#checkOwner?.();
  }

  async #read<E extends DType>(options: ReadOptions<E>, read: () => Promise<NdArray>): Promise<NdArray<E>> {
    checkOptionKeys("read", options, READ_OPTION_NAMES);
    this.checkOpen();
    try {
      // The elements are of the type that was asked for, or of the array's own.
      return (await read()) as NdArray<E>;
    } catch (error) {
      throw located(error, this);
    }
  }
}
