import { createHash } from "node:crypto";
import { type NdArray, NpyError } from "@npystream/codec";
import { ArrayHandle } from "./array-handle.ts";
import { Batches, type BatchesOptions } from "./batches.ts";
import { openNpy } from "./open-array.ts";
import type { SourceLike } from "./open-source.ts";
import { checkOptionKeys } from "./option-keys.ts";

/** Where a field's rows are from: `x.npy`, `set.npz#labels`, any other source, a list of shards, or an opened array. */
export type FieldSource = SourceLike | readonly SourceLike[] | ArrayHandle;

/** One field of a dataset. */
export interface FieldSpec {
  /** Where its rows are from. */
  readonly from: FieldSource;
}

/** Fields by name: a source, or a specification of one. */
export type DatasetFields = Readonly<Record<string, FieldSource | FieldSpec>>;

/**
 * Opens arrays of the same number of rows as the fields of one dataset, features and labels for example. Reads headers
 * and no data. A handle that is passed in stays the caller's to close.
 *
 * @example
 * const dataset = await openDataset({ features: ["x-0.npy", "x-1.npy"], labels: "y.npz#labels" });
 *
 * @throws NpyError `ERR_DATASET_ROWS` where fields differ in rows, and those of `openNpy`. TypeError for no fields, or one
 *   named `meta`, which batches have already.
 */
export async function openDataset<const F extends DatasetFields>(fields: F): Promise<Dataset<keyof F & string>> {
  const names = Object.keys(fields);
  if (names.length === 0) throw new TypeError("a dataset has at least one field");
  if (names.includes("meta")) throw new TypeError("a field cannot be named meta: that is what a batch says of itself");
  const opened: ArrayHandle[] = [];
  const close = async (): Promise<void> => {
    for (const handle of opened) await handle.close();
  };
  try {
    const arrays = new Map<string, ArrayHandle>();
    for (const [name, field] of Object.entries(fields)) {
      const from = sourceOf(field);
      const handle = from instanceof ArrayHandle ? from : await openNpy(from);
      if (handle !== from) opened.push(handle);
      arrays.set(name, handle);
    }
    checkRows(arrays);
    return new Dataset(arrays, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Rows of several arrays that belong together. Made by {@link openDataset}. */
export class Dataset<Name extends string = string> implements AsyncDisposable {
  /** Number of rows. */
  readonly length: number;
  /** The arrays by field. */
  readonly fields: Readonly<Record<Name, ArrayHandle>>;
  readonly #arrays: ReadonlyMap<string, ArrayHandle>;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(arrays: ReadonlyMap<string, ArrayHandle>, close: () => Promise<void>) {
    this.length = [...arrays.values()][0]?.length ?? 0;
    // The keys are those of the fields that openDataset was given.
    this.fields = Object.freeze(Object.fromEntries(arrays)) as Readonly<Record<Name, ArrayHandle>>;
    this.#arrays = arrays;
    this.#close = close;
  }

  /** Identifies fields, dtypes, shapes and state of the files, whatever they are called: SHA-256 in hex. */
  get fingerprint(): string {
    const state = [...this.#arrays].map(([name, { fingerprint }]) => [name, fingerprint]);
    return createHash("sha256").update(JSON.stringify(state)).digest("hex");
  }

  /**
   * Iterates over the rows in batches; field by field the same rows.
   *
   * @throws TypeError or RangeError for an option that cannot be.
   */
  batches(options: BatchesOptions): Batches<Name> {
    return new Batches(this.#arrays, this.length, options);
  }

  /**
   * Reads the rows of these indices of every field, in their order.
   *
   * @throws NpyError `ERR_ROWS_RANGE` for an index outside the dataset.
   */
  async gather(indices: ArrayLike<number>): Promise<Record<Name, NdArray>> {
    const entries = [...this.#arrays].map(async ([name, handle]) => [name, await handle.gather(indices)] as const);
    // The keys are those of the fields.
    return Object.fromEntries(await Promise.all(entries)) as Record<Name, NdArray>;
  }

  /** Closes the arrays that openDataset opened. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes the dataset, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function sourceOf(field: FieldSource | FieldSpec): FieldSource {
  if (typeof field !== "object" || !("from" in field) || field instanceof Uint8Array) return field;
  checkOptionKeys("a field", field, ["from"]);
  return field.from;
}

function checkRows(arrays: ReadonlyMap<string, ArrayHandle>): void {
  const [first, ...others] = arrays;
  for (const [name, handle] of others) {
    if (first === undefined || handle.length === first[1].length) continue;
    throw new NpyError(
      "ERR_DATASET_ROWS",
      `field ${first[0]} has ${first[1].length} rows and field ${name} has ${handle.length}`,
      { path: handle.path, member: handle.member },
    );
  }
}
