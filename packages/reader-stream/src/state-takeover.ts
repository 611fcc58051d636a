import type { BatchShard } from "./batch-options.ts";
import type { RunPosition } from "./batch-schedule.ts";
import { type BatchState, mismatch } from "./batch-state.ts";
import { LaneDeal } from "./lane-deal.ts";
import type { PlannedOrder } from "./planned-order.ts";

/**
 * Works out where a process goes on behind a state, so that no row is lost or comes twice.
 *
 * Its own state says that by itself, and so does one of a process that had all lanes. One of several processes stands for
 * the others where each has delivered as many batches: all lanes are at the same row then, as long as none has ended before
 * another. Lanes of unequal length end at different batches, so that from there on, and in the epochs behind, it is not known.
 *
 * @throws NpyError `ERR_STATE_MISMATCH` where the state does not tell.
 */
export function takeOver(state: BatchState, shard: Required<BatchShard>, order: PlannedOrder): RunPosition {
  const { epoch, position } = state;
  const { index, count, lanes } = shard;
  const [process = "", lanesBefore = ""] = state.shard.split(":");
  if (lanesBefore !== String(lanes)) throw mismatch("lanes", lanes, lanesBefore);
  const [indexBefore, countBefore = 1] = process.split("/").map(Number);
  if (indexBefore === index && countBefore === count) return { epoch, position };
  const lengths = order.laneLengths(state.seed, epoch);
  const ends = countBefore === 1 ? new LaneDeal(lengths).ends(position) : commonEnds(state, countBefore, lengths);
  if (ends !== undefined) {
    return { epoch, position: ends.reduce((sum, end, lane) => (lane % count === index ? sum + end : sum), 0) };
  }
  throw mismatch(
    "shard",
    `${index}/${count}:${lanes}`,
    state.shard,
    ": lanes of unequal length end at different batches, so that it does not tell where the other processes stand; " +
      "go on with each process's own state, or use uneven: 'equal-batches' from the beginning on",
  );
}

/** Where every lane stands, as far as one of several processes tells it. */
function commonEnds(
  { epoch, position }: BatchState,
  countBefore: number,
  lengths: readonly number[],
): readonly number[] | undefined {
  // Its lanes give a row each in turn.
  const end = (position * countBefore) / lengths.length;
  const isEven = lengths.every((length) => length === lengths[0]);
  // A process whose lanes are too short for any batch stays at the beginning while the others go on.
  const isBeforeEnds = epoch === 0 && position > 0 && lengths.every((length) => end <= length);
  const isKnown = Number.isInteger(end) && (isEven || isBeforeEnds);
  return isKnown ? lengths.map(() => end) : undefined;
}
