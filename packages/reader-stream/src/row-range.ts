import { NpyError } from "@npystream/codec";

/** Rows from `start` to before `stop`. */
export interface RowRange {
  readonly start: number;
  readonly stop: number;
}

/**
 * Works out a range of rows; negative bounds count from the end. Unlike a slice it is not clipped, so that a wrong bound shows.
 *
 * @throws RangeError for a bound that is no whole number; NpyError `ERR_ROWS_RANGE` outside 0 to `length`.
 */
export function resolveRows(length: number, start = 0, stop: number = length): RowRange {
  for (const bound of [start, stop]) {
    if (!Number.isInteger(bound)) throw new RangeError(`a row is a whole number, not ${bound}`);
  }
  const from = start < 0 ? start + length : start;
  const to = stop < 0 ? stop + length : stop;
  if (from < 0 || to > length || from > to) {
    throw new NpyError("ERR_ROWS_RANGE", `rows ${start} to ${stop} are not a range of an array with ${length} rows`);
  }
  return { start: from, stop: to };
}
