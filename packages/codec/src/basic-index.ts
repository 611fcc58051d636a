import { checkOptionKeys } from "./option-keys.ts";

/** A range of one axis, as Python's `start:stop:step`; negative bounds count from the end. */
export interface SliceRange {
  /** First index. @defaultValue the first, or the last where `step` is negative */
  readonly start?: number;
  /** Index to stop before. @defaultValue past the last, or past the first where `step` is negative */
  readonly stop?: number;
  /** Distance from one index to the next, not 0. @defaultValue 1 */
  readonly step?: number;
}

/** What selects from one axis: everything, one index (the axis goes), or a range. */
export type AxisIndex = null | number | SliceRange;

/** A range with its bounds worked out. */
export interface ResolvedRange {
  /** First index. */
  readonly start: number;
  /** Distance from one index to the next, not 0. */
  readonly step: number;
  /** Number of indices. */
  readonly length: number;
}

/**
 * Works out one index of an axis; negative ones count from the end.
 *
 * @throws RangeError outside the axis or where `index` is not a whole number.
 */
export function resolveIndex(index: number, extent: number, axis: number): number {
  const resolved = index < 0 ? index + extent : index;
  if (!Number.isInteger(index) || resolved < 0 || resolved >= extent) {
    throw new RangeError(`index ${index} is out of bounds for axis ${axis} with ${extent} entries`);
  }
  return resolved;
}

/**
 * Works out a range of an axis as Python's `slice.indices` does: bounds outside the axis are clipped.
 *
 * @throws RangeError where a bound is not a whole number or the step is 0, TypeError for anything else in `range`.
 */
export function resolveRange(range: SliceRange, extent: number): ResolvedRange {
  checkOptionKeys("a slice", range, ["start", "stop", "step"]);
  const { step = 1 } = range;
  for (const value of [range.start, range.stop, step]) {
    if (value !== undefined && !Number.isInteger(value)) {
      throw new RangeError(`slice bounds are whole numbers, not ${String(value)}`);
    }
  }
  if (step === 0) throw new RangeError("a slice step is not 0");
  const lowest = step > 0 ? 0 : -1;
  const highest = step > 0 ? extent : extent - 1;
  const clip = (bound: number): number => Math.max(lowest, Math.min(highest, bound < 0 ? bound + extent : bound));
  const start = range.start === undefined ? (step > 0 ? lowest : highest) : clip(range.start);
  const stop = range.stop === undefined ? (step > 0 ? highest : lowest) : clip(range.stop);
  return { start, step, length: Math.max(0, Math.ceil((stop - start) / step)) };
}
