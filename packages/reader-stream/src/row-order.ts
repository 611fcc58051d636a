import { type Permutation, permutationOf } from "./permutation.ts";

/** Rows of one lane in one epoch, by their position. */
export interface LaneOrder {
  /** Number of positions. */
  readonly length: number;
  /** Gives the row at a position. */
  row(position: number): number;
  /** Gives the window that a position is in; there is none where rows may lie anywhere. */
  window?(position: number): OrderWindow;
}

/** Positions that follow each other, whose rows are read together. */
export interface OrderWindow {
  /** First position. */
  readonly start: number;
  /** Number of positions, which is the number of rows. */
  readonly length: number;
  /** Rows to read, from the lowest on; the window holds them one behind the other. */
  readonly runs: readonly RowRun[];
  /** Gives the place in the window of the row at a position. */
  slot(position: number): number;
}

/** Consecutive rows. */
export interface RowRun {
  /** First row. */
  readonly start: number;
  /** Number of rows. */
  readonly count: number;
}

/** An order of the rows: what each lane gets in each epoch. A function of its options alone, whatever is read how. */
export interface RowOrder {
  /** Says the order in a state; the same text is the same order, given rows and seed. */
  readonly text: string;
  /** Rows of every lane in every epoch at least. */
  readonly leastLaneLength: number;
  /** Makes the order of one lane in one epoch. */
  lane(epoch: number, lane: number): LaneOrder;
}

/** Every order of the rows is possible; lane `l` of `lanes` has the positions `l`, `l + lanes` .. of all. */
export function fullOrder(rows: number, seed: number, lanes: number): RowOrder {
  let known: { readonly epoch: number; readonly permutation: Permutation } | undefined;
  const permutationAt = (epoch: number): Permutation => {
    if (known?.epoch !== epoch) known = { epoch, permutation: permutationOf(rows, [seed, epoch]) };
    return known.permutation;
  };
  return {
    text: "full",
    leastLaneLength: Math.floor(rows / lanes),
    lane: (epoch, lane) => {
      const { row } = permutationAt(epoch);
      return {
        length: dealtLength(rows, lanes, lane),
        row: lanes === 1 ? row : (position) => row(position * lanes + lane),
      };
    },
  };
}

/** Number of things that a lane gets where they are dealt one by one. */
export function dealtLength(count: number, lanes: number, lane: number): number {
  return Math.max(0, Math.ceil((count - lane) / lanes));
}
