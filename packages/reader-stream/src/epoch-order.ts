import type { BatchShard } from "./batch-options.ts";
import { LaneDeal, type LaneSegment } from "./lane-deal.ts";
import type { LaneOrder, RowOrder } from "./row-order.ts";

/** Rows of one process in one epoch, by their position. */
export interface EpochOrder {
  /** Pass over the rows, from 0. */
  readonly epoch: number;
  /** Number of positions. */
  readonly length: number;
  /** Lanes of the process. */
  readonly lanes: readonly LaneOrder[];
  /** Gives which rows of which lanes positions are. */
  segments(position: number, count: number): LaneSegment[];
  /** Gives the rows at positions. */
  rows(position: number, count: number): Float64Array;
}

/** Epochs that are kept: one that is delivered, and one that is read ahead. */
const KEPT = 2;

/** The part of an order that one process has. */
export class ShardOrder {
  readonly #order: RowOrder;
  readonly #shard: Required<BatchShard>;
  readonly #known: EpochOrder[] = [];

  constructor(order: RowOrder, shard: Required<BatchShard>) {
    this.#order = order;
    this.#shard = shard;
  }

  /** Makes the order of an epoch. */
  epoch(epoch: number): EpochOrder {
    const known = this.#known.find((one) => one.epoch === epoch);
    if (known !== undefined) return known;
    const { index, count, lanes: all, uneven } = this.#shard;
    const lanes = Array.from({ length: all / count }, (_, i) => this.#order.lane(epoch, index + i * count));
    const least = this.#order.leastLaneLength;
    const deal = new LaneDeal(lanes.map(({ length }) => (uneven === "exact" ? length : least)));
    const order: EpochOrder = {
      epoch,
      length: deal.length,
      lanes,
      segments: (position, rows) => deal.segments(position, rows),
      rows: (position, rows) => {
        const ids = new Float64Array(rows);
        for (const { lane, start, count: taken, target, stride } of deal.segments(position, rows)) {
          const from = lanes[lane] as LaneOrder;
          for (let i = 0; i < taken; i++) ids[target + i * stride] = from.row(start + i);
        }
        return ids;
      },
    };
    this.#known.push(order);
    if (this.#known.length > KEPT) this.#known.shift();
    return order;
  }
}
