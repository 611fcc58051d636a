import type { ByteReadOptions } from "@npystream/codec";
import type { BatchShard, Sampler } from "./batch-options.ts";
import { planSampler } from "./batch-sampler.ts";
import type { RowFields } from "./row-fields.ts";
import { dealtLength, type RowOrder } from "./row-order.ts";

/** The order of a run before anything is read. */
export interface PlannedOrder {
  /** Says the order in a state; the same text is the same order, given rows and seed. */
  readonly text: string;
  /** Rows of an epoch, those included that lanes of equal length leave out. */
  readonly rows: number;
  /** Rows of every lane in every epoch at least. */
  readonly leastLaneLength: number;
  /** Gives the number of rows that each lane delivers in an epoch. */
  laneLengths(seed: number, epoch: number): number[];
  /** Makes the order; that of a sampler takes reading a field. */
  make(seed: number, options: ByteReadOptions): RowOrder | Promise<RowOrder>;
}

/** Which rows an epoch has, and in which order. */
export interface OrderChoice {
  /** Makes the order where it takes no reading. */
  readonly makeOrder: (seed: number) => RowOrder;
  /** Takes the place of that order. */
  readonly sampler: Sampler | undefined;
  /** How rows are dealt to lanes. */
  readonly shard: Required<BatchShard>;
}

/**
 * Plans an order.
 *
 * @throws RangeError where lanes are to be of equal length and would be empty; as `planSampler` does.
 */
export function planOrder(fields: RowFields, { makeOrder, sampler, shard }: OrderChoice): PlannedOrder {
  const planned = sampler === undefined ? unsampled(fields, makeOrder, shard) : sampled(fields, sampler, shard);
  if (shard.uneven === "exact") return planned;
  const { text, rows, leastLaneLength } = planned;
  if (leastLaneLength === 0 && rows > 0) {
    throw new RangeError(
      `${rows} rows are too few for ${shard.lanes} lanes of equal length, one of which would be empty: ` +
        "choose fewer lanes or smaller blocks",
    );
  }
  const laneLengths = (): number[] => new Array<number>(shard.lanes).fill(leastLaneLength);
  return { ...planned, text: `${text} ${shard.uneven}`, laneLengths };
}

function unsampled(
  { length }: RowFields,
  makeOrder: (seed: number) => RowOrder,
  { lanes }: Required<BatchShard>,
): PlannedOrder {
  const { text, leastLaneLength } = makeOrder(0);
  return {
    ...{ text, leastLaneLength, rows: length },
    laneLengths: (seed, epoch) => {
      const order = makeOrder(seed);
      return Array.from({ length: lanes }, (_, lane) => order.lane(epoch, lane).length);
    },
    make: makeOrder,
  };
}

function sampled(fields: RowFields, sampler: Sampler, { lanes }: Required<BatchShard>): PlannedOrder {
  const { text, draws, makeOrder } = planSampler(sampler, fields);
  return {
    ...{ text, rows: draws, leastLaneLength: Math.floor(draws / lanes) },
    laneLengths: () => Array.from({ length: lanes }, (_, lane) => dealtLength(draws, lanes, lane)),
    make: (seed, options) => makeOrder(seed, lanes, options),
  };
}
