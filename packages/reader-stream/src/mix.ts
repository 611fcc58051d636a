import { checkOptionKeys } from "@npystream/codec";
import { ConcatFields } from "./concat-fields.ts";
import { Dataset, rowFieldsOf } from "./dataset.ts";
import type { DatasetDTypes } from "./dataset-types.ts";
import type { RowFields } from "./row-fields.ts";
import { type RowIndices, RowSelection, rowIndices } from "./row-selection.ts";
import { SelectedFields } from "./selected-fields.ts";
import { kindOf } from "./value-kind.ts";

/** One dataset of a mixture. */
export interface MixPart<T extends DatasetDTypes = DatasetDTypes> {
  /** Where the rows are from. */
  readonly dataset: Dataset<T>;
  /** Its share of the rows, relative to the other weights; above 0. */
  readonly weight: number;
}

/** Options of {@link mix}. */
export interface MixOptions {
  /**
   * Number of rows of the mixture; a dataset that has given all its rows begins anew then.
   *
   * @defaultValue as many as there are before a dataset would have to begin anew
   */
  readonly length?: number;
}

/**
 * Puts the rows of several datasets behind each other. They share the arrays of those datasets, which stay open as long.
 *
 * @throws NpyError `ERR_DATASET_FIELDS` where their fields differ in name, dtype or row shape. TypeError for none.
 */
export function concat<T extends DatasetDTypes>(datasets: readonly Dataset<T>[]): Dataset<T> {
  if (!Array.isArray(datasets)) throw new TypeError(`concat takes an array of datasets, not ${kindOf(datasets)}`);
  for (const dataset of datasets) checkDataset("concat", dataset);
  return new Dataset<T>(new ConcatFields(datasets.map((dataset) => rowFieldsOf(dataset))));
}

/**
 * Mixes the rows of several datasets in fixed shares, each in its own order: of the first `n` rows each dataset has its
 * share, within as many rows as there are datasets. Nothing is drawn; `shuffle` of `batches` shuffles a mixture as any
 * other dataset.
 *
 * @example
 * const train = mix([{ dataset: photos, weight: 3 }, { dataset: drawings, weight: 1 }]);
 *
 * @throws NpyError `ERR_DATASET_FIELDS` where their fields differ in name, dtype or row shape. TypeError for none,
 *   RangeError for a weight or length that cannot be, and one of a dataset without rows.
 */
export function mix<T extends DatasetDTypes>(parts: readonly MixPart<T>[], options: MixOptions = {}): Dataset<T> {
  checkOptionKeys("mix", options, ["length"]);
  if (!Array.isArray(parts)) throw new TypeError(`mix takes an array of parts, not ${kindOf(parts)}`);
  for (const part of parts) checkDataset("mix", part?.dataset);
  const { length } = options;
  if (length !== undefined && (!Number.isSafeInteger(length) || length < 0)) {
    throw new RangeError(`length is a number of rows from 0, not ${length}`);
  }
  for (const [index, { dataset, weight }] of parts.entries()) {
    if (!(Number.isFinite(weight) && weight > 0)) {
      throw new RangeError(`the weight of dataset ${index} is a number above 0, not ${weight}`);
    }
    if (dataset.length === 0 && (length ?? 0) > 0) throw new RangeError(`dataset ${index} has no rows to repeat`);
  }
  const fields = parts.map(({ dataset }) => rowFieldsOf(dataset));
  const all = new ConcatFields(fields);
  const rows = interleave(
    fields,
    parts.map(({ weight }) => weight),
    length,
    all.length,
  );
  return new Dataset<T>(SelectedFields.of(all, RowSelection.of(rows)));
}

function checkDataset(what: string, dataset: unknown): void {
  if (!(dataset instanceof Dataset))
    throw new TypeError(`${what} takes datasets of openDataset, not ${kindOf(dataset)}`);
}

/** The row of each place: of the dataset that lacks most of its share there, the next one. */
function interleave(
  parts: readonly RowFields[],
  weights: readonly number[],
  length: number | undefined,
  total: number,
): RowIndices {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const lacking = weights.map(() => 0);
  const given = weights.map(() => 0);
  const starts: number[] = [];
  for (let index = 0, start = 0; index < parts.length; start += parts[index++]?.length ?? 0) starts.push(start);
  const rows = rowIndices(total, length ?? total);
  for (let place = 0; place < rows.length; place++) {
    let next = 0;
    for (const [index, weight] of weights.entries()) {
      lacking[index] = (lacking[index] as number) + weight / sum;
      if ((lacking[index] as number) > (lacking[next] as number)) next = index;
    }
    const [size, row] = [parts[next]?.length ?? 0, given[next] as number];
    if (row >= size && length === undefined) return rows.slice(0, place);
    rows[place] = (starts[next] as number) + (row % size);
    given[next] = row + 1;
    lacking[next] = (lacking[next] as number) - 1;
  }
  return rows;
}
