import type { NdArray } from "@npystream/codec";
import type { FieldStats } from "@npystream/reader-stream";

/** Bars of a histogram. */
const BARS = 20;
const HEIGHTS = [..." ▁▂▃▄▅▆▇█"];

/** How the finite values of each column lie between its smallest and its largest: 20 ranges of equal width. */
export class Histograms {
  readonly #stats: FieldStats;
  readonly #counts: Float64Array;

  constructor(stats: FieldStats) {
    this.#stats = stats;
    this.#counts = new Float64Array(stats.count.length * BARS);
  }

  /** Counts the elements of consecutive rows. */
  add(chunk: NdArray): void {
    const { min, max } = this.#stats;
    const columns = min.length;
    const { data, offset, size } = chunk.astype("float64").contiguous();
    for (let i = 0; i < size; i++) {
      const value = data[offset + i] ?? 0;
      const column = i % columns;
      if (!Number.isFinite(value)) continue;
      // Halves, since the whole of the largest doubles' distance would be infinite.
      const low = (min[column] ?? 0) / 2;
      const range = (max[column] ?? 0) / 2 - low;
      // The largest value belongs to the last range, and a column of one value has only that.
      const bar = range > 0 ? Math.min(BARS - 1, Math.floor(((value / 2 - low) / range) * BARS)) : BARS - 1;
      const at = column * BARS + bar;
      this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    }
  }

  /** Counts of the ranges of one column. */
  counts(column: number): readonly number[] {
    return [...this.#counts.subarray(column * BARS, (column + 1) * BARS)];
  }

  /** Draws one column, the fullest range at full height; a range with any value is never empty. */
  draw(column: number): string {
    const counts = this.counts(column);
    const most = Math.max(...counts);
    return counts.map((count) => HEIGHTS[Math.ceil((count / Math.max(1, most)) * (HEIGHTS.length - 1))]).join("");
  }
}
