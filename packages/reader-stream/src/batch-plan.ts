import { NpyError } from "@npystream/codec";
import type { BlockShuffle, CheckedOptions, PlanOptions } from "./batch-options.ts";
import type { BatchState } from "./batch-state.ts";
import { blockOrder } from "./block-shuffle.ts";
import { type PlannedOrder, planOrder } from "./planned-order.ts";
import type { RowFields } from "./row-fields.ts";
import { fullOrder, type RowOrder } from "./row-order.ts";

/** How batches are to be read; worked out without I/O. */
export interface BatchPlan {
  /** Order of the rows. */
  readonly order: PlannedOrder;
  /** Rows a block; `undefined` where there are no blocks. */
  readonly blockRows: number | undefined;
  /** Blocks a window of all lanes together; `undefined` where there are no blocks. */
  readonly windowBlocks: number | undefined;
  /**
   * How unevenly the classes of rows sorted by label come in batches of all processes: E[chi-squared] / df, 1 for a draw
   * from all rows; `undefined` where rows are not shuffled.
   */
  readonly imbalance: number | undefined;
  /**
   * `windows`: rows are copied from windows; `whole`: all rows are read when the first batch is asked for, and copied from;
   * `rows`: each batch reads its own, or copies them from mapped files.
   */
  readonly reads: "windows" | "whole" | "rows";
  /** Windows that each lane holds: one in use, and one being read where memory allows. */
  readonly windows: 0 | 1 | 2;
  /** Rows of a window of one lane at most. */
  readonly windowRows: number;
  /** Bytes of all windows of this process, or of all rows. */
  readonly windowBytes: number;
  /** Bytes of a batch. */
  readonly batchBytes: number;
  /** Batches made ready while one is used. */
  readonly prefetch: number;
  /** Bytes of windows and of batches that are ready, at most: within `memory`. */
  readonly peakBytes: number;
}

/** Bytes of a window of all lanes, as far as its blocks are not at their least. Part of what defines the order. */
const WINDOW_BYTES = 64 << 20;
/** Bytes of a block at least: shorter reads cost as much. */
const LOCAL_BLOCK_BYTES = 16 << 10;
const REMOTE_BLOCK_BYTES = 1 << 20;
/** Blocks that each lane has at least, so that lanes differ little. */
const LEAST_LANE_BLOCKS = 64;
/** Blocks of a window at least. */
const LEAST_WINDOW_BLOCKS = 64;
/** Rows that lie as they are delivered are read at once in pieces of this length, so that small batches take few reads. */
const PIECE_BYTES = 1 << 20;
/** A batch of this length is read by itself where its rows lie together. */
const OWN_READ_BYTES = 128 << 10;

/**
 * Works out how batches are read.
 *
 * @throws NpyError `ERR_SHUFFLE_ACCESS` where rows are not asked for in the order in which a deflated member has them.
 *   RangeError for a shard that would be empty; what `planSampler` throws.
 */
export function planBatches(fields: RowFields, options: PlanOptions, checked: CheckedOptions): BatchPlan {
  const { shard, size, memory } = checked;
  checkAccess(fields, options, checked);
  const rowBytes = fields.names.reduce((sum, name) => sum + fields.rowBytes(name), 0);
  const blocks = options.sampler ? undefined : planBlocks(fields, checked, rowBytes, options.state);
  const order = planOrder(fields, { makeOrder: orderMaker(fields, checked, blocks), sampler: options.sampler, shard });
  const batchBytes = rowsOfBatch(order, checked) * rowBytes;
  const width = shard.lanes / shard.count;
  const isShuffled = checked.shuffle !== false || options.sampler !== undefined;
  const isSimple = blocks === undefined || (!isShuffled && shard.lanes === 1 && batchBytes >= OWN_READ_BYTES);
  const windowRows = blocks === undefined ? 0 : Math.min(fields.length, blocks.laneBlocks * blocks.blockRows);
  const oneWindow = windowRows * rowBytes * width;
  // A batch is always made ready before it is delivered; with windows it is filled from them.
  const left = memory - batchBytes;
  // What is mapped is copied from where it lies.
  const isOwn = isSimple || checked.io === "map" || oneWindow === 0 || oneWindow > left;
  const windows = isOwn ? 0 : 2 * oneWindow > left ? 1 : 2;
  const allBytes = fields.length * rowBytes;
  const isWhole = isShuffled && blocks === undefined && checked.io !== "map" && allBytes <= left;
  const windowBytes = isWhole ? allBytes : windows * oneWindow;
  const most = batchBytes === 0 ? checked.prefetch : Math.floor((memory - windowBytes) / batchBytes);
  const prefetch = Math.min(checked.prefetch, Math.max(0, most));
  return {
    order,
    blockRows: blocks?.blockRows,
    windowBlocks: blocks && blocks.laneBlocks * shard.lanes,
    imbalance: isShuffled ? imbalanceOf(size * shard.count, blocks, shard.lanes) : undefined,
    reads: isWhole ? "whole" : windows === 0 ? "rows" : "windows",
    windows,
    windowRows,
    windowBytes,
    batchBytes,
    prefetch,
    peakBytes: windowBytes + Math.max(1, prefetch) * batchBytes,
  };
}

/** Rows of the longest batch. */
function rowsOfBatch({ rows }: PlannedOrder, { size, last }: CheckedOptions): number {
  return last === "pad" || last === "wrap" ? size : Math.min(size, rows);
}

interface Blocks {
  readonly blockRows: number;
  /** Blocks of a window of one lane. */
  readonly laneBlocks: number;
}

function planBlocks(
  fields: RowFields,
  { shuffle, shard, size }: CheckedOptions,
  rowBytes: number,
  state: BatchState | undefined,
): Blocks | undefined {
  if (shuffle !== false && shuffle.kind === "full") return undefined;
  const { lanes, count } = shard;
  const before = blocksOf(state);
  const asked: Partial<BlockShuffle> = shuffle === false ? {} : shuffle;
  const wanted = asked.windowBlocks ?? before?.windowBlocks ?? nextPowerOfTwo(4 * size * count);
  const least = fields.names.some((name) => fields.isRemote(name)) ? REMOTE_BLOCK_BYTES : LOCAL_BLOCK_BYTES;
  const leastRows = Math.ceil(least / Math.max(1, rowBytes));
  const byWindow = Math.floor(WINDOW_BYTES / Math.max(1, rowBytes) / wanted);
  const evenRows = Math.max(1, Math.floor(fields.length / (LEAST_LANE_BLOCKS * lanes)));
  const blockRows = asked.blockRows ?? before?.blockRows ?? Math.min(evenRows, Math.max(leastRows, byWindow));
  if (shuffle === false) {
    return { blockRows, laneBlocks: Math.max(1, Math.floor(PIECE_BYTES / Math.max(1, rowBytes * blockRows))) };
  }
  // Blocks at their least fill a window sooner.
  const most = Math.max(LEAST_WINDOW_BLOCKS, Math.floor(WINDOW_BYTES / Math.max(1, rowBytes * blockRows)));
  const windowBlocks =
    asked.windowBlocks ?? before?.windowBlocks ?? Math.min(Math.max(LEAST_WINDOW_BLOCKS, wanted), most);
  return { blockRows, laneBlocks: Math.max(1, Math.ceil(windowBlocks / lanes)) };
}

/** Sizes that a state names, so that a run goes on with the order it began with. */
function blocksOf(state: BatchState | undefined): { blockRows: number; windowBlocks?: number } | undefined {
  const found = /^(?:block|rows):(\d+)(?::(\d+))?(?: |$)/.exec(state?.order ?? "");
  if (found === null) return undefined;
  const blockRows = Number(found[1]);
  return found[2] === undefined ? { blockRows } : { blockRows, windowBlocks: Number(found[2]) };
}

function orderMaker(
  { length: rows }: RowFields,
  { shuffle, shard }: CheckedOptions,
  blocks: Blocks | undefined,
): (seed: number) => RowOrder {
  if (blocks === undefined) return (seed) => fullOrder(rows, seed, shard.lanes);
  const { blockRows, laneBlocks: windowBlocks } = blocks;
  return (seed) =>
    blockOrder({ rows, blockRows, windowBlocks, lanes: shard.lanes, seed: shuffle === false ? undefined : seed });
}

function imbalanceOf(batchRows: number, blocks: Blocks | undefined, lanes: number): number {
  return blocks === undefined ? 1 : 1 + (batchRows - 1) / (blocks.laneBlocks * lanes);
}

function checkAccess(fields: RowFields, { sampler }: PlanOptions, { shuffle, shard }: CheckedOptions): void {
  const deflated = fields.names.find((name) => !fields.isRandomAccess(name));
  if (deflated === undefined) return;
  const isTurned = shard.lanes > shard.count;
  if (shuffle === false && sampler === undefined && !isTurned) return;
  const what = isTurned && shuffle === false ? "read by several lanes in turn" : "shuffled";
  const message =
    `field ${deflated} is a deflated member without a block table: every row is inflated from the beginning on, so that it is not ${what}. ` +
    "Write it with a block table or stored, unpack it into a .npy beside, or leave the rows in their order";
  throw new NpyError("ERR_SHUFFLE_ACCESS", message);
}

function nextPowerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(value));
}
