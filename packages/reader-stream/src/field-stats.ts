import { type ByteReadOptions, checkOptionKeys, dtypeInfo, type NdArray } from "@npystream/codec";
import { fieldChunks } from "./field-chunks.ts";
import type { RowFields } from "./row-fields.ts";

/** What the columns of a field are like: plain JSON, and what `standardize` takes. */
export interface FieldStats {
  /** Finite values of each column, which the other numbers are of. */
  readonly count: readonly number[];
  /** Mean of each column; 0 where there is no finite value. */
  readonly mean: readonly number[];
  /** Standard deviation of each column with `count` as the divisor, as `np.std` has it; 0 where there is no finite value. */
  readonly std: readonly number[];
  /** Smallest value of each column; `null` where there is no finite value. */
  readonly min: readonly (number | null)[];
  /** Largest value of each column; `null` where there is no finite value. */
  readonly max: readonly (number | null)[];
  /** Values of each column that are NaN or infinite. */
  readonly nonFinite: readonly number[];
}

/** Options of `Dataset.stats`. */
export interface StatsOptions extends ByteReadOptions {
  /**
   * What a column is: each element of a row in C order, or each entry of the last axis, as the channels of images are.
   * @defaultValue `'element'`
   */
  readonly columns?: "element" | "last-axis";
}

type Floats = Float32Array | Float64Array;

/**
 * Puts together the stats of two sets of rows, as those of all of them (Chan, Golub and LeVeque, "Updating formulae and a
 * pairwise algorithm for computing sample variances", 1979).
 *
 * @throws RangeError where they have other numbers of columns.
 */
export function mergeStats(a: FieldStats, b: FieldStats): FieldStats {
  if (a.count.length !== b.count.length) {
    throw new RangeError(`stats of ${a.count.length} and of ${b.count.length} columns are not of the same field`);
  }
  const merged = new ColumnMoments(a.count.length);
  merged.merge(a);
  merged.merge(b);
  return merged.stats();
}

/** Reads a field once and works out its stats. */
export async function readStats(fields: RowFields, name: string, options: StatsOptions): Promise<FieldStats> {
  checkOptionKeys("stats", options, ["columns", "signal"]);
  const { columns = "element" } = options;
  if (columns !== "element" && columns !== "last-axis") {
    throw new TypeError(`columns is "element" or "last-axis", not ${JSON.stringify(columns)}`);
  }
  const { dtype } = fields.type(name);
  if (!"biuf".includes(dtypeInfo(dtype).kind)) {
    throw new TypeError(`elements of ${dtype} are no real numbers, which stats are of`);
  }
  const rowShape = fields.rowShape(name);
  const extents = columns === "element" ? rowShape : rowShape.slice(-1);
  const moments = new ColumnMoments(extents.reduce((product, extent) => product * extent, 1));
  for await (const { arrays } of fieldChunks(fields, [name], options)) {
    const array = arrays[name];
    if (array !== undefined) moments.add(realValues(array));
  }
  return moments.stats();
}

/** The elements in C order as floats that hold them exactly. */
function realValues(array: NdArray): Floats {
  const { data, offset, size } = array.dtype === "float32" ? array : array.astype("float64");
  // Those two types have such data.
  return (data as Floats).subarray(offset, offset + size);
}

/**
 * Moments of columns, chunk by chunk: the corrected two-pass algorithm of Chan, Golub and LeVeque over each chunk, and the
 * chunks are merged.
 */
class ColumnMoments {
  readonly #columns: number;
  readonly #count: Float64Array;
  readonly #mean: Float64Array;
  /** Sum of squared distances from the mean. */
  readonly #squares: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #nonFinite: Float64Array;

  constructor(columns: number) {
    this.#columns = columns;
    this.#count = new Float64Array(columns);
    this.#mean = new Float64Array(columns);
    this.#squares = new Float64Array(columns);
    this.#min = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
    this.#max = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
    this.#nonFinite = new Float64Array(columns);
  }

  /** @param values - A whole number of rows. */
  add(values: Floats): void {
    const columns = this.#columns;
    const count = new Float64Array(columns);
    const mean = new Float64Array(columns);
    const squares = new Float64Array(columns);
    for (let start = 0; start < values.length; start += columns) {
      for (let column = 0; column < columns; column++) {
        const value = values[start + column] as number;
        // Not 0 for NaN and for both infinities.
        if (value - value !== 0) {
          (this.#nonFinite[column] as number)++;
          continue;
        }
        (count[column] as number)++;
        (mean[column] as number) += value;
        if (value < (this.#min[column] as number)) this.#min[column] = value;
        if (value > (this.#max[column] as number)) this.#max[column] = value;
      }
    }
    for (let column = 0; column < columns; column++) {
      mean[column] = (mean[column] as number) / Math.max(1, count[column] as number);
    }
    const residual = new Float64Array(columns);
    for (let start = 0; start < values.length; start += columns) {
      for (let column = 0; column < columns; column++) {
        const distance = (values[start + column] as number) - (mean[column] as number);
        if (distance - distance !== 0) continue;
        (residual[column] as number) += distance;
        (squares[column] as number) += distance * distance;
      }
    }
    for (let column = 0; column < columns; column++) {
      const [rows, rest] = [count[column] as number, residual[column] as number];
      // What the rounding of the first sum left takes the mean the rest of the way.
      const correction = rest / Math.max(1, rows);
      const sum = Math.max(0, (squares[column] as number) - rest * correction);
      this.#mergeColumn(column, rows, (mean[column] as number) + correction, sum);
    }
  }

  merge({ count, mean, std, min, max, nonFinite }: FieldStats): void {
    for (let column = 0; column < this.#columns; column++) {
      const values = count[column] ?? 0;
      this.#mergeColumn(column, values, mean[column] ?? 0, (std[column] ?? 0) ** 2 * values);
      this.#min[column] = Math.min(this.#min[column] as number, min[column] ?? Number.POSITIVE_INFINITY);
      this.#max[column] = Math.max(this.#max[column] as number, max[column] ?? Number.NEGATIVE_INFINITY);
      (this.#nonFinite[column] as number) += nonFinite[column] ?? 0;
    }
  }

  stats(): FieldStats {
    const finite = (values: Float64Array): (number | null)[] =>
      Array.from(values, (value) => (Number.isFinite(value) ? value : null));
    return {
      count: [...this.#count],
      mean: [...this.#mean],
      std: Array.from(this.#squares, (sum, column) => Math.sqrt(sum / Math.max(1, this.#count[column] as number))),
      min: finite(this.#min),
      max: finite(this.#max),
      nonFinite: [...this.#nonFinite],
    };
  }

  #mergeColumn(column: number, count: number, mean: number, squares: number): void {
    if (count === 0) return;
    const before = this.#count[column] as number;
    const total = before + count;
    const distance = mean - (this.#mean[column] as number);
    (this.#mean[column] as number) += (distance * count) / total;
    (this.#squares[column] as number) += squares + (distance * distance * before * count) / total;
    this.#count[column] = total;
  }
}
