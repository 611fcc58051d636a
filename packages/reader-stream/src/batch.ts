import type { CounterRandom } from "./counter-random.ts";
import type { DatasetDTypes, FieldArrays } from "./dataset-types.ts";

/** What a batch says of itself. */
export interface BatchMeta {
  /** Pass over the rows, from 0. */
  readonly epoch: number;
  /** Batch in the epoch, from 0. */
  readonly index: number;
  /** Rows in the batch. */
  readonly rows: number;
  /** Rows that this process delivered in the epoch before this batch. */
  readonly position: number;
  /** Index in the dataset of each row, worked out when it is asked for; -1 for a row of padding. */
  readonly rowIds: Float64Array;
  /** 1 for each row, 0 for one of padding; there with `last: 'pad'` alone. */
  readonly valid?: Uint8Array;
}

/** Rows of every field, the same in each: `batch.features.at(i)` belongs to `batch.labels.at(i)`. */
export type Batch<T extends DatasetDTypes = DatasetDTypes> = FieldArrays<T> & WithMeta;

/** What every batch has beside its fields. */
export interface WithMeta {
  /** Where the batch stands. */
  readonly meta: BatchMeta;
}

/** Fields of a batch that was changed, of whatever dtype they are now; `meta` may be left out. */
export type TransformedBatch = object;

/**
 * Gives the random numbers of the row at an index of a batch: a function of seed, epoch and row alone, whichever process
 * has the row in whichever batch.
 */
export type BatchRandom = (index: number) => CounterRandom;

/** A batch that could not be made. */
export interface BatchFailure {
  /** What was thrown by a read or by the transform. */
  readonly error: unknown;
  /** Where the batch would stand. */
  readonly meta: BatchMeta;
}
