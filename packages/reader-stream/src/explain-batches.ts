import { type BatchShard, checkOptions, type PlanOptions } from "./batch-options.ts";
import { type BatchPlan, planBatches } from "./batch-plan.ts";
import { checkStateShape } from "./batch-state.ts";
import type { PlannedOrder } from "./planned-order.ts";
import type { RowFields } from "./row-fields.ts";
import { wholeReads } from "./whole-rows.ts";

/** How batches would be read, worked out without I/O. */
export interface BatchesExplanation {
  /** Order of the rows. */
  readonly order: "sequential" | "block" | "full" | "weighted" | "balanced" | "stratified";
  /** Rows of a batch. */
  readonly batchRows: number;
  /** Bytes of a batch, as its rows are delivered. */
  readonly batchBytes: number;
  /** Batches of this process in the first epoch; in others one of several has a few more or less, as `unevenRows` lets it. */
  readonly batches: number;
  /**
   * Rows of an epoch that are over once every lane has as many as the shortest: what processes differ by in all (`uneven:
   * 'exact'`), or what an epoch leaves out (`'equal-batches'`).
   */
  readonly unevenRows: number;
  /** Rows of a block; `undefined` where there are no blocks. */
  readonly blockRows: number | undefined;
  /** Blocks of a window of all lanes together; `undefined` where rows are not shuffled in windows. */
  readonly windowBlocks: number | undefined;
  /** Bytes of all windows that are held at once, or of all rows where they are. */
  readonly windowBytes: number;
  /**
   * How unevenly the classes of rows that lie sorted by label come in batches: E[chi-squared] / df, which is 1 for a draw
   * from all rows and `1 + (B - 1) / G` for batches of B rows from windows of G blocks; `undefined` without a shuffle.
   */
  readonly imbalance: number | undefined;
  /**
   * Where rows come from: `windows` that are read, the `whole` that is read once, at the first batch, or `rows` that each batch
   * reads, or copies from mapped files. Of arrays in memory they are copied, whatever is said here.
   */
  readonly reads: "windows" | "whole" | "rows";
  /** Reads a batch at most, on average of the first epoch, of a source that has to be read: of memory and of mapped files there are none. */
  readonly readsPerBatch: number;
  /** Bytes read a batch on average, of fields that are not cast; gathering rows may read up to four times as many. */
  readonly bytesPerBatch: number;
  /**
   * Bytes of windows and of batches made ready, at most. On top come the batch in use, what a transform makes, a sampler's tables,
   * and up to 4 MiB for each of four reads whose rows are merged or cast.
   */
  readonly peakBytes: number;
  /** Batches made ready while one is used, as far as `memory` allows. */
  readonly prefetch: number;
  /** What should be chosen otherwise, and how; empty where all is well. */
  readonly warnings: readonly string[];
}

/** Above this a batch is far from a sample of all rows. */
const MOST_IMBALANCE = 2;

/** Explains what `batches(options)` would do. */
export function explainBatches(fields: RowFields, options: PlanOptions): BatchesExplanation {
  const checked = checkOptions(options);
  if (options.state !== undefined) checkStateShape(options.state);
  const plan = planBatches(fields, options, checked);
  const { size, shuffle, shard, last } = checked;
  const isShuffled = shuffle !== false || options.sampler !== undefined;
  const { order } = plan;
  const perProcess = rowsOfFirstEpoch(order, options, shard) / size;
  return {
    order: options.sampler?.kind ?? (shuffle === false ? "sequential" : shuffle.kind),
    batchRows: size,
    batchBytes: plan.batchBytes,
    batches: last === "drop" ? Math.floor(perProcess) : Math.ceil(perProcess),
    unevenRows: order.rows - order.leastLaneLength * shard.lanes,
    blockRows: plan.blockRows,
    windowBlocks: isShuffled ? plan.windowBlocks : undefined,
    windowBytes: plan.windowBytes,
    imbalance: plan.imbalance,
    reads: plan.reads,
    readsPerBatch:
      plan.reads === "whole" ? wholeReads(fields) / Math.max(1, Math.ceil(perProcess)) : readsOf(plan, fields, size),
    bytesPerBatch: plan.batchBytes,
    peakBytes: plan.peakBytes,
    prefetch: plan.prefetch,
    warnings: warningsOf(plan, options, size * shard.count, checked.prefetch),
  };
}

function rowsOfFirstEpoch({ laneLengths }: PlannedOrder, options: PlanOptions, shard: Required<BatchShard>): number {
  const lengths = laneLengths(options.seed ?? options.state?.seed ?? 0, 0);
  return lengths.reduce((sum, length, lane) => (lane % shard.count === shard.index ? sum + length : sum), 0);
}

/** Reads of all fields a batch. */
function readsOf({ reads, blockRows, windowRows, imbalance }: BatchPlan, { names }: RowFields, size: number): number {
  if (imbalance === undefined)
    return names.length * (reads === "rows" ? 1 : Math.min(1, size / Math.max(1, windowRows)));
  // Of a window every block is a read; by itself a batch may find every row in a place of its own.
  return names.length * (reads === "rows" ? size : size / Math.max(1, blockRows ?? 1));
}

function warningsOf(plan: BatchPlan, options: PlanOptions, batchRows: number, prefetch: number): string[] {
  const warnings: string[] = [];
  const { imbalance = 1, windowBlocks = 0, reads, blockRows } = plan;
  if (imbalance > MOST_IMBALANCE) {
    warnings.push(
      `rows that lie sorted by label come ${imbalance.toFixed(1)} times as unevenly as drawn ones: a window has ${windowBlocks} blocks, ` +
        `and ${4 * batchRows} would be enough for batches of ${batchRows} rows`,
    );
  }
  const hasWindows = options.shuffle !== undefined && options.shuffle !== false && blockRows !== undefined;
  if (hasWindows && reads === "rows" && options.io !== "map" && plan.batchBytes > 0) {
    warnings.push("no window fits memory, so that every batch reads its rows one by one: allow more memory");
  }
  if (plan.prefetch < prefetch) {
    warnings.push(`memory allows ${plan.prefetch} batches made ready, not ${prefetch}`);
  }
  return warnings;
}
