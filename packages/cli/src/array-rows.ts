import { type ElementType, type NdArray, shapeSize } from "@npystream/codec";
import type { ArrayHandle } from "@npystream/reader-stream";
import { type ResolvedRows, type RowRange, resolveRowRange } from "./row-range.ts";
import { UsageError } from "./usage-error.ts";

/** Rows of an array, or all of a 0-d one. */
export interface RowSource {
  /** What one element is. */
  readonly type: ElementType;
  /** Shape of all of it. */
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly size: number;
  /** Number of axes. */
  readonly rank: number;
  /** Reads everything: for small arrays and 0-d ones. */
  read(): Promise<NdArray>;
  /** Reads the rows in chunks, at least one row each; memory does not grow with their number. */
  chunks(): AsyncIterable<NdArray>;
}

/** The rows of an array that are to be printed, or all of a 0-d array. */
export class ArrayRows implements RowSource {
  readonly handle: ArrayHandle;
  /** Shape of what is printed. */
  readonly shape: readonly number[];
  /** Number of elements printed. */
  readonly size: number;
  readonly #rows: ResolvedRows;

  /** @throws UsageError where rows of a 0-d array are asked for. */
  constructor(handle: ArrayHandle, range: RowRange | undefined) {
    if (handle.shape.length === 0 && range !== undefined) {
      throw new UsageError("--rows does not fit a 0-d array, which has no rows");
    }
    this.handle = handle;
    this.#rows = resolveRowRange(range ?? {}, handle.length);
    const { start, stop } = this.#rows;
    this.shape = handle.shape.length === 0 ? [] : [stop - start, ...handle.shape.slice(1)];
    this.size = shapeSize(this.shape);
  }

  /** What one element is. */
  get type(): ElementType {
    return this.handle.type;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Reads everything that is to be printed: for small arrays and 0-d ones. */
  async read(): Promise<NdArray> {
    if (this.rank === 0) return this.handle.read();
    return this.handle.rows(this.#rows.start, this.#rows.stop);
  }

  /** Reads rows counted from the first one printed. */
  async rows(start: number, stop: number): Promise<NdArray> {
    return this.handle.rows(this.#rows.start + start, this.#rows.start + stop);
  }

  /** Gives the rows in chunks of about 1 MiB, at least one row each; memory does not grow with their number. */
  chunks(): AsyncIterable<NdArray> {
    return this.handle.stream(this.#rows);
  }
}
