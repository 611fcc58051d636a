import {
  type ByteReadOptions,
  type DType,
  type ElementType,
  isNpyError,
  NdArray,
  type NpyErrorLocation,
  viewData,
} from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { castRows } from "./cast-rows.ts";
import type { RowReader } from "./row-reader.ts";

/** Options of reads of an `ArrayHandle` or an `ArraySlice`. */
export interface ReadOptions<E extends DType = DType> extends ByteReadOptions {
  /**
   * Element type of the result: cast as the rows are read, with the meaning of `NdArray.astype`; `bfloat16` reads the bytes
   * of `V2` or `uint16` anew. @defaultValue the type of the array
   */
  readonly as?: E | ElementType<E>;
}

/** Names of {@link ReadOptions}. */
export const READ_OPTION_NAMES: readonly string[] = ["as", "signal"];

/**
 * Reads consecutive rows into an array of their own.
 *
 * @param shape - Of the result.
 */
export async function readRows(
  rows: RowReader,
  start: number,
  shape: readonly number[],
  options: ReadOptions,
): Promise<NdArray> {
  options.signal?.throwIfAborted();
  const reader = castRows(rows, options.as);
  const bytes = allocateBytes(shape.reduce((product, extent) => product * extent, reader.type.itemSize));
  await reader.readRows(bytes, start, options);
  // Not every source looks at it.
  options.signal?.throwIfAborted();
  return new NdArray({ dtype: reader.type, shape, data: viewData(reader.type, bytes) });
}

/** Says of a codec error where the array is from. */
export function located(error: unknown, where: NpyErrorLocation): unknown {
  return isNpyError(error) ? error.locate(where) : error;
}
