/** Rows that `--rows a:b` asks for, as in Python's `array[a:b]`. */
export interface RowRange {
  /** First row; negative counts from the end. @defaultValue the first */
  readonly start?: number;
  /** Row to stop before; negative counts from the end. @defaultValue past the last */
  readonly stop?: number;
}

/** Rows from `start` to before `stop`, both within the array. */
export interface ResolvedRows {
  readonly start: number;
  readonly stop: number;
}

const RANGE = /^([+-]?\d+)?:([+-]?\d+)?$/;

/**
 * Reads `a:b`; either side may be left out or negative.
 *
 * @throws RangeError for anything else, such as a step.
 */
export function parseRowRange(text: string): RowRange {
  const found = RANGE.exec(text.replaceAll(" ", ""));
  if (found === null) throw new RangeError("Rows are a:b as in Python, such as 0:10, -5: or :100.");
  const [, start, stop] = found;
  return {
    ...(start === undefined ? {} : { start: Number(start) }),
    ...(stop === undefined ? {} : { stop: Number(stop) }),
  };
}

/** Works out a range as Python's `slice.indices` does: bounds outside `length` rows are clipped, never an error. */
export function resolveRowRange(range: RowRange, length: number): ResolvedRows {
  const clip = (bound: number): number => Math.max(0, Math.min(length, bound < 0 ? bound + length : bound));
  const start = clip(range.start ?? 0);
  return { start, stop: Math.max(start, clip(range.stop ?? length)) };
}
