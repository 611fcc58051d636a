import { type ByteReadOptions, checkOptionKeys, NpyError } from "@npystream/codec";
import type { BatchesOptions } from "./batch-options.ts";
import type { BatchStream } from "./batch-stream.ts";
import { Batches } from "./batches.ts";
import type { DatasetDTypes, FieldArrays, FieldInfo } from "./dataset-types.ts";
import { type BatchesExplanation, explainBatches } from "./explain-batches.ts";
import { gatherField } from "./field-chunks.ts";
import { type FieldStats, readStats, type StatsOptions } from "./field-stats.ts";
import { type AnyRowPredicate, filterRows } from "./filter-rows.ts";
import type { RowFields } from "./row-fields.ts";
import { chooseRows, type RowChoice, RowSelection } from "./row-selection.ts";
import { SelectedFields } from "./selected-fields.ts";
import { type SplitOptions, splitRows } from "./split-rows.ts";
import { kindOf } from "./value-kind.ts";

/** Options of `Dataset.where`. */
export interface WhereOptions<Name extends string = string> extends ByteReadOptions {
  /** Fields that the predicate looks at; no others are read. @defaultValue all of them */
  readonly fields?: readonly Name[];
}

let readFields: (dataset: Dataset<never>) => RowFields;

/** Gives what a dataset reads its rows from. */
export function rowFieldsOf<T extends DatasetDTypes>(dataset: Dataset<T>): RowFields {
  // What it reads from does not depend on the dtypes that the compiler knows of.
  return readFields(dataset as unknown as Dataset<never>);
}

/**
 * Rows of several arrays that belong together. Made by `openDataset`, `concat` and `mix`.
 *
 * What `select`, `pick`, `split` and `where` give is a dataset too, which reads from the same arrays: it can be read as long
 * as they are open, and closing it does nothing. A selection keeps 4 bytes a row in memory (8 past 2^32 rows), and nothing
 * where its rows follow each other.
 */
export class Dataset<T extends DatasetDTypes = DatasetDTypes> implements AsyncDisposable {
  /** Number of rows. */
  readonly length: number;
  /** What is known of each field. */
  readonly fields: { readonly [N in keyof T & string]: FieldInfo<T[N]> };
  readonly #fields: RowFields;
  readonly #close: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;

  static {
    readFields = (dataset) => dataset.#fields;
  }

  /** @internal */
  constructor(fields: RowFields, close?: () => Promise<void>) {
    this.length = fields.length;
    this.#fields = fields;
    this.#close = close;
    const infos = fields.names.map((name) => [name, infoOf(fields, name)]);
    // Names and dtypes are those that openDataset was given.
    this.fields = Object.freeze(Object.fromEntries(infos)) as { readonly [N in keyof T & string]: FieldInfo<T[N]> };
  }

  /** Names of the fields. */
  get names(): readonly (keyof T & string)[] {
    return this.#fields.names;
  }

  /**
   * Identifies fields, dtypes, rows selected and state of the files, whatever they are called: SHA-256 in hex. An array in
   * memory is read whole for it, once.
   */
  get fingerprint(): string {
    return this.#fields.fingerprint;
  }

  /**
   * Selects rows, in the order of the choice.
   *
   * @example
   * const few = dataset.select({ step: 10 });
   * const some = dataset.select([5, 900_000, 5]);
   * const known = dataset.select(labels.map((label) => label >= 0));
   *
   * @throws NpyError `ERR_ROWS_RANGE` for an index outside; RangeError for a mask of another length, TypeError for what is
   *   no choice of rows.
   */
  select(rows: RowChoice): Dataset<T> {
    return new Dataset<T>(SelectedFields.of(this.#fields, chooseRows(this.length, rows)));
  }

  /** Leaves only these fields, in this order. @throws TypeError for none, one that there is not and one named twice. */
  pick<N extends keyof T & string>(...names: readonly N[]): Dataset<Pick<T, N>> {
    if (names.length === 0) throw new TypeError("a dataset has at least one field");
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new TypeError(`the field ${twice} is picked twice`);
    const all = RowSelection.range(0, this.length);
    return new Dataset<Pick<T, N>>(SelectedFields.of(this.#fields, all, this.#checkNames(names)));
  }

  /**
   * Divides the rows at random into parts that share no row: counts that add up to `length`, or fractions that add up to 1,
   * whose sizes are rounded by largest remainder and add up to `length` exactly. The same rows, parts and seed give the same
   * split everywhere. A part has its rows in the order in which they lie.
   *
   * Without `stratify` and `groupBy` nothing is read.
   *
   * @example
   * const { train, test } = await dataset.split({ train: 0.8, test: 0.2 }, { seed: 7, stratify: "labels" });
   *
   * @throws RangeError for parts that do not add up, and for more than 2^32 rows, of each of which the part is noted; TypeError
   *   for a field that there is not or that has no single value a row; what reading the field throws.
   */
  async split<P extends string>(
    parts: Readonly<Record<P, number>>,
    options: SplitOptions<keyof T & string> = {},
  ): Promise<{ readonly [N in P]: Dataset<T> }> {
    checkOptionKeys("split", options, ["seed", "stratify", "groupBy", "signal"]);
    this.#checkNames([options.stratify, options.groupBy].filter((name) => name !== undefined));
    const selections = await splitRows(this.#fields, parts, options);
    const datasets = Object.entries(selections).map(([name, rows]) => [
      name,
      new Dataset<T>(SelectedFields.of(this.#fields, rows)),
    ]);
    // The parts are those that were named.
    return Object.fromEntries(datasets) as { readonly [N in P]: Dataset<T> };
  }

  /**
   * Selects the rows that `predicate` wants, in one pass over the fields that it looks at; a bit a row is kept meanwhile.
   *
   * @param predicate - Gets arrays of consecutive rows, in C order from offset 0, and the place of the row in them.
   * @example
   * const sevens = await dataset.where(({ labels }, i) => labels.data[i] === 7, { fields: ["labels"] });
   *
   * @throws TypeError for a field that there is not and a predicate that gives no boolean; what it and reading throw.
   */
  async where<N extends keyof T & string = keyof T & string>(
    predicate: (rows: FieldArrays<Pick<T, N>>, index: number) => boolean,
    options: WhereOptions<N> = {},
  ): Promise<Dataset<T>> {
    if (typeof predicate !== "function") throw new TypeError(`where takes a function, not ${kindOf(predicate)}`);
    checkOptionKeys("where", options, ["fields", "signal"]);
    const names = this.#checkNames(options.fields ?? this.#fields.names);
    // The arrays are those of the fields that were named.
    const rows = await filterRows(this.#fields, names, predicate as unknown as AnyRowPredicate, options);
    return new Dataset<T>(SelectedFields.of(this.#fields, rows));
  }

  /**
   * Works out count, mean, standard deviation, minimum, maximum and the number of non-finite values of each column, in one
   * pass and in double precision. The result is plain JSON, and what `standardize` takes.
   *
   * @throws TypeError for a field that there is not or that has no real numbers; NpyError `ERR_CAST_RANGE` for an int64 past
   *   2^53 - 1; what reading throws.
   */
  async stats(field: keyof T & string, options: StatsOptions = {}): Promise<FieldStats> {
    this.#checkNames([field]);
    return await readStats(this.#fields, field, options);
  }

  /**
   * Reads the rows of these indices of every field, in their order; repeats are allowed.
   *
   * @throws NpyError `ERR_ROWS_RANGE` for an index outside the dataset; what reading throws.
   */
  async gather(rows: ArrayLike<number>, options: ByteReadOptions = {}): Promise<FieldArrays<T>> {
    checkOptionKeys("gather", options, ["signal"]);
    if (typeof rows !== "object" || rows === null || !("length" in rows)) {
      throw new TypeError(`gather takes indices of rows, not ${kindOf(rows)}`);
    }
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      if (typeof row !== "number")
        throw new TypeError(`rows are numbers, not ${kindOf(row)}: Array.from(rows, Number)`);
      if (Number.isInteger(row) && row >= 0 && row < this.length) continue;
      throw new NpyError("ERR_ROWS_RANGE", `row ${row} is not one of a dataset with ${this.length} rows`);
    }
    const reads = this.#fields.names.map(async (name) => {
      return [name, await gatherField(this.#fields, name, rows, options)] as const;
    });
    await Promise.allSettled(reads);
    // Names and dtypes are those of the fields.
    return Object.fromEntries(await Promise.all(reads)) as unknown as FieldArrays<T>;
  }

  /**
   * Iterates over the rows in batches; field by field the same rows.
   *
   * @throws TypeError or RangeError for an option that cannot be; NpyError `ERR_SHUFFLE_ACCESS` where a deflated member is
   *   to be shuffled, `ERR_STATE_MISMATCH` for a state of another run.
   */
  batches(options: BatchesOptions<T>): Batches<T> {
    return new Batches<T>(this.#fields, options);
  }

  /**
   * Streams the batches as a `Readable` of objects, with one batch in its buffer beside those that are made ready.
   *
   * @throws TypeError or RangeError for an option that cannot be.
   */
  stream(options: BatchesOptions<T>): BatchStream<T> {
    return this.batches(options).stream();
  }

  /**
   * Tells how `batches(options)` would read: order, blocks and windows, how even its batches are, reads, bytes and memory.
   * Reads nothing.
   *
   * @throws As `batches`.
   */
  explain(options: BatchesOptions<T>): BatchesExplanation {
    return explainBatches(this.#fields, options);
  }

  /** Closes the arrays that `openDataset` opened. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close?.() ?? Promise.resolve();
    return this.#closing;
  }

  /** Closes the dataset, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkNames<N extends string>(names: readonly N[]): readonly N[] {
    const odd = names.find((name) => !this.#fields.names.includes(name));
    if (odd === undefined) return names;
    throw new TypeError(`the dataset has no field ${odd}; it has ${this.#fields.names.join(", ")}`);
  }
}

function infoOf(fields: RowFields, name: string): FieldInfo {
  const [type, rowShape] = [fields.type(name), fields.rowShape(name)];
  return Object.freeze({
    dtype: type.dtype,
    type,
    shape: Object.freeze([fields.length, ...rowShape]),
    rowShape: Object.freeze([...rowShape]),
    byteLength: fields.length * fields.rowBytes(name),
    isRandomAccess: fields.isRandomAccess(name),
  });
}
