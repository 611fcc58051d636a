import { type Permutation, permutationOf } from "./permutation.ts";
import { dealtLength, type LaneOrder, type OrderWindow, type RowOrder, type RowRun } from "./row-order.ts";

/** What an order by blocks is made of. */
export interface BlockOrderInit {
  /** Number of rows. */
  readonly rows: number;
  /** Rows a block; the last one may have fewer. */
  readonly blockRows: number;
  /** Blocks of a window of one lane. */
  readonly windowBlocks: number;
  /** Lanes that the blocks are dealt to, one by one. */
  readonly lanes: number;
  /** Chooses the order, together with the epoch; `undefined` leaves the rows as they lie. */
  readonly seed: number | undefined;
}

/** Windows before the first whole one: a sixteenth of it, an eighth .. a half, so that the first batch comes soon. */
const RAMP = [16, 8, 4, 2];
const KNOWN_WINDOWS = 3;
/** Tells the permutations of one seed and epoch apart. */
const BLOCKS_KEY = 1;
const WINDOW_KEY = 2;

/**
 * Orders rows by blocks. With a seed: permutes the blocks of consecutive rows, takes a window of them at a time, each lane
 * its own, and permutes the rows within; without one they stay as they lie.
 *
 * Where the rows are sorted by label, a batch of B rows out of windows of G blocks is as uneven as
 * E[chi-squared] / df = 1 + (B - 1) / G; a batch drawn from all rows has 1.
 */
export function blockOrder(init: BlockOrderInit): RowOrder {
  const { rows, blockRows, windowBlocks, lanes, seed } = init;
  const blocks = Math.ceil(rows / blockRows);
  const missing = blocks * blockRows - rows;
  const sequential = lanes === 1 ? "rows" : `rows:${blockRows}`;
  let known: { readonly epoch: number; readonly permutation: Permutation } | undefined;
  const permutationAt = (epoch: number): Permutation | undefined => {
    if (seed === undefined) return undefined;
    if (known?.epoch !== epoch) known = { epoch, permutation: permutationOf(blocks, [seed, epoch, BLOCKS_KEY]) };
    return known.permutation;
  };
  return {
    text: seed === undefined ? sequential : `block:${blockRows}:${windowBlocks * lanes}`,
    leastLaneLength: Math.max(0, Math.floor(blocks / lanes) * blockRows - missing),
    lane: (epoch, lane) => new BlockLane({ ...init, blocks, missing, epoch, lane }, permutationAt(epoch)),
  };
}

interface BlockLaneInit extends BlockOrderInit {
  readonly blocks: number;
  /** Rows that the last block has less than the others. */
  readonly missing: number;
  readonly epoch: number;
  readonly lane: number;
}

class BlockLane implements LaneOrder {
  readonly length: number;
  readonly #init: BlockLaneInit;
  readonly #permutation: Permutation | undefined;
  /** Blocks of the lane. */
  readonly #count: number;
  /** Index among them of the one that is shorter; past them where it is another lane's. */
  readonly #shorter: number;
  /** The windows last asked for: the one in use, the one that is read ahead, and the one before. */
  readonly #known: OrderWindow[] = [];

  constructor(init: BlockLaneInit, permutation: Permutation | undefined) {
    const { blocks, blockRows, lanes, lane, missing } = init;
    this.#init = init;
    this.#permutation = permutation;
    this.#count = dealtLength(blocks, lanes, lane);
    const place = missing === 0 ? blocks : (permutation?.position(blocks - 1) ?? blocks - 1);
    this.#shorter = place < blocks && place % lanes === lane ? Math.floor(place / lanes) : this.#count;
    this.length = this.#count * blockRows - (this.#shorter < this.#count ? missing : 0);
  }

  row(position: number): number {
    const window = this.window(position);
    const slot = window.slot(position);
    // All runs but the last have the length of a block.
    const run = Math.floor(slot / this.#init.blockRows);
    return (window.runs[run] as RowRun).start + (slot % this.#init.blockRows);
  }

  window(position: number): OrderWindow {
    if (!Number.isInteger(position) || position < 0 || position >= this.length) {
      throw new RangeError(`${position} is not one of ${this.length} positions`);
    }
    const known = this.#known.find(({ start, length }) => position >= start && position < start + length);
    if (known !== undefined) return known;
    let first = Math.floor(position / this.#init.blockRows);
    let [from, to] = this.#blocksAround(first);
    // Behind the shorter block positions are a few rows ahead of whole blocks.
    while (position >= this.#positionOf(to)) {
      first = to;
      [from, to] = this.#blocksAround(first);
    }
    const window = this.#makeWindow(from, to);
    this.#known.push(window);
    if (this.#known.length > KNOWN_WINDOWS) this.#known.shift();
    return window;
  }

  /** First and last block, which is left out, of the window that a block is in. */
  #blocksAround(block: number): readonly [number, number] {
    const { windowBlocks, seed } = this.#init;
    let start = 0;
    if (seed !== undefined) {
      for (const part of RAMP) {
        const size = Math.ceil(windowBlocks / part);
        if (block < start + size) return [start, Math.min(start + size, this.#count)];
        start += size;
      }
    }
    start += Math.floor((block - start) / windowBlocks) * windowBlocks;
    return [start, Math.min(start + windowBlocks, this.#count)];
  }

  #positionOf(block: number): number {
    return block * this.#init.blockRows - (block > this.#shorter ? this.#init.missing : 0);
  }

  #makeWindow(from: number, to: number): OrderWindow {
    const { blockRows, rows, lanes, lane, seed, epoch } = this.#init;
    const ids = new Float64Array(to - from);
    for (let i = from; i < to; i++) {
      const place = lane + i * lanes;
      ids[i - from] = this.#permutation?.row(place) ?? place;
    }
    // From the lowest on, so that neighbours are read at once and the shorter block, the last of all, is the last here.
    ids.sort();
    const runs: RowRun[] = [];
    for (const id of ids) runs.push({ start: id * blockRows, count: Math.min(blockRows, rows - id * blockRows) });
    const start = this.#positionOf(from);
    const length = this.#positionOf(to) - start;
    if (seed === undefined) return { start, length, runs, slot: (position) => position - start };
    const { row } = permutationOf(length, [seed, epoch, WINDOW_KEY, lane, from]);
    return { start, length, runs, slot: (position) => row(position - start) };
  }
}
