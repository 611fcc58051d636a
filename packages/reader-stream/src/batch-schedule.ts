import type { CheckedOptions } from "./batch-options.ts";
import type { EpochOrder, ShardOrder } from "./epoch-order.ts";

/** One batch to come. */
export interface PlannedBatch {
  readonly order: EpochOrder;
  /** Batch in the epoch. */
  readonly index: number;
  /** First position in the epoch. */
  readonly position: number;
  /** Positions that are taken: rows without padding, and without those that wrap around. */
  readonly taken: number;
  /** Rows of the batch. */
  readonly rows: number;
  /** Whether rows that are over are the first ones of the epoch again, and not padding. */
  readonly wraps: boolean;
  /** Where the batch behind it begins. */
  readonly after: RunPosition;
}

/** A place in a run. */
export interface RunPosition {
  readonly epoch: number;
  readonly position: number;
}

/** Epochs without a batch after which none is expected, where their number has no end. */
const MOST_EMPTY_EPOCHS = 64;

/** Gives the batches of a run from a place on. */
export function* scheduleBatches(
  orders: ShardOrder,
  { size, epochs, last }: Pick<CheckedOptions, "size" | "epochs" | "last">,
  from: RunPosition,
): Generator<PlannedBatch> {
  let empty = 0;
  for (let epoch = from.epoch; epoch < epochs && empty < MOST_EMPTY_EPOCHS; epoch++) {
    const order = orders.epoch(epoch);
    const end = last === "drop" ? order.length - (order.length % size) : order.length;
    let position = epoch === from.epoch ? from.position : 0;
    empty++;
    // A state may be of batches of another size, so that what is left is no multiple of this one.
    for (let index = Math.ceil(position / size); position < end; index++) {
      const taken = Math.min(size, order.length - position);
      if (taken < size && last === "drop") break;
      const next = position + taken;
      const isLast = last === "drop" ? order.length - next < size : next >= end;
      const after = isLast ? { epoch: epoch + 1, position: 0 } : { epoch, position: next };
      const rows = last === "pad" || last === "wrap" ? size : taken;
      empty = 0;
      yield { order, index, position, taken, rows, wraps: last === "wrap", after };
      position = next;
    }
  }
}
