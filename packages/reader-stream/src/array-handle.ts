import { createHash } from "node:crypto";
import {
  type ByteOrder,
  type ByteReadOptions,
  type Descr,
  type DType,
  type ElementType,
  isNpyError,
  NdArray,
  type NpyVersion,
  type Order,
  viewData,
} from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { gatherRows } from "./gather-rows.ts";
import { resolveRows } from "./row-range.ts";
import { RowStream, type RowStreamOptions } from "./row-stream.ts";
import type { ShardList } from "./shard-list.ts";

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
  /** Closes the sources. */
  readonly close: () => Promise<void>;
}

/**
 * An array that was opened and not yet read: its header is known, its rows are read when they are asked for.
 *
 * Arrays it gives are C-ordered copies of the caller's own, in the machine's byte order; only `read()` keeps the order of
 * a Fortran file. Made by `openNpy`, `openNpy` and `NpzArchive.open`.
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
  readonly #shards: ShardList<D>;
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
    this.#shards = init.shards;
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
    return this.#shards.length;
  }

  /** Identifies dtype, shape and state of the files, whatever they are called: SHA-256 in hex. */
  get fingerprint(): string {
    return createHash("sha256").update(JSON.stringify(this.#shards.state)).digest("hex");
  }

  /** Shape of one row. */
  get rowShape(): readonly number[] {
    return this.shape.slice(1);
  }

  /** Bytes of data in all. */
  get byteLength(): number {
    return this.#shards.length * this.#shards.rowBytes;
  }

  /**
   * Reads the whole array.
   *
   * @throws NpyError `ERR_SOURCE_TRUNCATED`; `ERR_NPZ_CRC`, `ERR_NPZ_DEFLATE`, `ERR_NPZ_SIZE` for a member of an archive.
   */
  async read(options?: ByteReadOptions): Promise<NdArray<D>> {
    return await this.#located(async () => {
      const [only, ...others] = this.#shards.arrays;
      if (only !== undefined && others.length === 0) {
        return await only.readAll(allocateBytes(only.header.byteLength), options);
      }
      return await this.#readRows(0, this.length, this.shape, options);
    });
  }

  /**
   * Reads rows `start` to `stop`, which is left out; negative ones count from the end, as in a slice.
   *
   * @returns Shape `[stop - start, ...rowShape]`.
   * @throws NpyError `ERR_ROWS_RANGE` where the range reaches outside the array, and those of `read`.
   */
  async rows(start: number, stop: number, options?: ByteReadOptions): Promise<NdArray<D>> {
    const range = this.#locatedSync(() => resolveRows(this.length, start, stop));
    const shape = [range.stop - range.start, ...this.rowShape];
    return await this.#located(() => this.#readRows(range.start, range.stop, shape, options));
  }

  /**
   * Reads the rows of these indices, in their order; repeats are allowed. Rows that lie close are read together.
   *
   * @returns Shape `[indices.length, ...rowShape]`.
   * @throws NpyError `ERR_ROWS_RANGE` for an index outside the array, and those of `read`.
   */
  async gather(indices: ArrayLike<number>, options?: ByteReadOptions): Promise<NdArray<D>> {
    return await this.#located(async () => {
      const bytes = allocateBytes(indices.length * this.#shards.rowBytes);
      await gatherRows(this.#shards, indices, bytes, options);
      return this.#arrayOf([indices.length, ...this.rowShape], bytes);
    });
  }

  /**
   * Streams the rows as chunks in C order. About three chunks are in memory: two read ahead and the one being used.
   *
   * @example
   * for await (const chunk of handle.stream()) console.log(chunk.rowStart, chunk.shape);
   *
   * @throws NpyError `ERR_ROWS_RANGE` for `start` or `stop` outside the array; the stream fails with those of `read`.
   */
  stream(options: RowStreamOptions = {}): RowStream<D> {
    this.#checkOpen();
    return this.#locatedSync(() => new RowStream(this.#shards.fork(), this.type, this.rank, this, options));
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

  async #readRows(
    start: number,
    stop: number,
    shape: readonly number[],
    options?: ByteReadOptions,
  ): Promise<NdArray<D>> {
    const bytes = allocateBytes((stop - start) * this.#shards.rowBytes);
    await this.#shards.readRows(bytes, start, options);
    return this.#arrayOf(shape, bytes);
  }

  #arrayOf(shape: readonly number[], bytes: Uint8Array): NdArray<D> {
    return new NdArray({ dtype: this.type, shape, data: viewData(this.type, bytes) });
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new TypeError("the array has been closed");
  }

  async #located<T>(read: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await read();
    } catch (error) {
      throw isNpyError(error) ? error.locate(this) : error;
    }
  }

  #locatedSync<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw isNpyError(error) ? error.locate(this) : error;
    }
  }
}
