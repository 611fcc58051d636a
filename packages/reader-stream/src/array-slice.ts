import {
  type AxisIndex,
  checkOptionKeys,
  type DType,
  type ElementType,
  type NdArray,
  type NpyErrorLocation,
} from "@npystream/codec";
import { located, READ_OPTION_NAMES, type ReadOptions, readRows } from "./read-rows.ts";
import { resolveRows } from "./row-range.ts";
import { RowStream, type RowStreamOptions } from "./row-stream.ts";
import type { SliceRows } from "./slice-rows.ts";

/** What a slice has from the array that it is of. @internal */
export interface SliceOwner {
  readonly where: NpyErrorLocation;
  /** Throws once the array has been closed. */
  readonly checkOpen: () => void;
}

/**
 * A part of an opened array that is read when it is asked for. Made by `ArrayHandle.slice`.
 *
 * Arrays it gives are C-ordered copies of the caller's own, in the machine's byte order. It can be read as long as the
 * array is open.
 */
export class ArraySlice<D extends DType = DType> {
  readonly #rows: SliceRows<D>;
  readonly #owner: SliceOwner;

  /** @internal */
  constructor(rows: SliceRows<D>, owner: SliceOwner) {
    this.#rows = rows;
    this.#owner = owner;
  }

  /** What one element is, in full. */
  get type(): ElementType<D> {
    return this.#rows.type;
  }

  /** Name of the element type. */
  get dtype(): D {
    return this.#rows.type.dtype;
  }

  /** Extent of each axis that is left. */
  get shape(): readonly number[] {
    return this.#rows.shape;
  }

  /** Shape of one row. */
  get rowShape(): readonly number[] {
    return this.#rows.shape.slice(1);
  }

  /** Number of axes that are left. */
  get rank(): number {
    return this.#rows.shape.length;
  }

  /** Number of rows: the extent of the first axis; 1 where none is left. */
  get length(): number {
    return this.#rows.length;
  }

  /** Bytes of the elements selected. */
  get byteLength(): number {
    return this.#rows.length * this.#rows.rowBytes;
  }

  /**
   * Selects from the slice, as `ArrayHandle.slice` does from the array. Reads nothing.
   *
   * @throws RangeError for an index outside its axis, a step of 0 or more ranges than axes.
   */
  slice(...ranges: readonly AxisIndex[]): ArraySlice<D> {
    return new ArraySlice(this.#rows.slice(ranges), this.#owner);
  }

  /**
   * Reads the slice, and of the file what it is in: neighbours less than 64 KiB apart are read together.
   *
   * @throws NpyError `ERR_SOURCE_TRUNCATED`, `ERR_SOURCE_CHANGED`, `ERR_CAST_RANGE`, and those of a member of an archive.
   */
  async read<E extends DType = D>(options: ReadOptions<E> = {}): Promise<NdArray<E>> {
    return await this.#read(() => readRows(this.#rows, 0, this.shape, options), options);
  }

  /**
   * Reads rows `start` to `stop` of the slice, which is left out; negative ones count from the end.
   *
   * @returns Shape `[stop - start, ...rowShape]`.
   * @throws NpyError `ERR_ROWS_RANGE` where the range reaches outside the slice, and those of `read`.
   */
  async rows<E extends DType = D>(start: number, stop: number, options: ReadOptions<E> = {}): Promise<NdArray<E>> {
    return await this.#read(async () => {
      const range = resolveRows(this.length, start, stop);
      return await readRows(this.#rows, range.start, [range.stop - range.start, ...this.rowShape], options);
    }, options);
  }

  /**
   * Streams the rows of the slice as chunks in C order, as `ArrayHandle.stream` does those of the array.
   *
   * @throws NpyError `ERR_ROWS_RANGE` for `start` or `stop` outside the slice; the stream fails with those of `read`.
   */
  stream<E extends DType = D>(options: RowStreamOptions<E> = {}): RowStream<E> {
    this.#owner.checkOpen();
    try {
      return new RowStream(this.#rows, this.#owner.where, options);
    } catch (error) {
      throw located(error, this.#owner.where);
    }
  }

  async #read<E extends DType>(read: () => Promise<NdArray>, options: ReadOptions<E>): Promise<NdArray<E>> {
    checkOptionKeys("read", options, READ_OPTION_NAMES);
    this.#owner.checkOpen();
    try {
      // The elements are of the type that was asked for, or of the array's own.
      return (await read()) as NdArray<E>;
    } catch (error) {
      throw located(error, this.#owner.where);
    }
  }
}
