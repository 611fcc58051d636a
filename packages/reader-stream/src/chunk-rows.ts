import { isNpyError, type NdArray, NpyError, RowChunk } from "@npystream/codec";

/**
 * Views rows of a chunk, which of a 0-d array are the one element. Where the chunk is in C order, `data` is just those rows.
 *
 * Made without `slice`, which costs 1.5 us beside the 0.4 of the new chunk (measured).
 */
export function rowsOf(chunk: RowChunk, start: number, rows: number): RowChunk {
  const { type, data, length } = chunk;
  const shape = [rows, ...chunk.shape.slice(1)];
  const rowStart = chunk.rowStart + start;
  if (chunk.isContiguous) {
    const rowEntries = (chunk.size / length) * type.stride;
    const begin = chunk.offset * type.stride + start * rowEntries;
    return new RowChunk({ dtype: type, shape, data: data.subarray(begin, begin + rows * rowEntries), rowStart });
  }
  const offset = chunk.offset + start * (chunk.strides[0] ?? 0);
  return new RowChunk({ dtype: type, shape, strides: chunk.strides, offset, data, rowStart });
}

/** Gives rows the place `rowStart`: the array itself where it has that already, else another view of its data. */
export function placed(array: NdArray, rowStart: number): RowChunk {
  if (array instanceof RowChunk && array.rowStart === rowStart) return array;
  const { type, shape, strides, offset, data } = array;
  return new RowChunk({ dtype: type, shape, strides, offset, data, rowStart });
}

/** Names the chunk in an error of its elements, whose index is one in the chunk. */
export function inChunk(error: unknown, { length }: RowChunk, rowStart: number): Error {
  // Whatever is thrown over a chunk is an error.
  if (!isNpyError(error)) return error as Error;
  const message = `in the chunk of ${length} rows from row ${rowStart} on: ${error.message}`;
  return new NpyError(error.code, message, { cause: error.cause });
}
