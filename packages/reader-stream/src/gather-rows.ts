import { type ByteReadOptions, type DType, NpyError } from "@npystream/codec";
import pLimit from "p-limit";
import { allocateBytes } from "./allocate-bytes.ts";
import type { ShardList } from "./shard-list.ts";

/** Rows that lie no further apart than this, in bytes, are read together: a page costs as much as the call for it. */
const GAP_BYTES = 4096;
/** The same in a column of a Fortran array: a read of its own takes as long as copying this much. */
const COLUMN_GAP_BYTES = 64 << 10;
/** What is read is never more than this many times what was asked for. */
const MAX_AMPLIFICATION = 4;
/** Longest single read in bytes, so that memory beside the result stays small. */
const MAX_RUN_BYTES = 4 << 20;
/** Reads under way at once. */
const CONCURRENCY = 4;

/** Consecutive rows to read, and the positions in the request that take them. */
interface Run {
  readonly start: number;
  stop: number;
  /** Index into the sorted request of the first row of the run, and past the last. */
  readonly from: number;
  to: number;
}

/**
 * Fills `into` with the rows of `indices` in their order.
 *
 * Sorts the request, merges neighbours into runs, reads at most four runs at once and scatters them.
 *
 * @param into - As many rows as indices.
 * @throws NpyError `ERR_ROWS_RANGE` for an index outside the rows.
 */
export async function gatherRows(
  shards: ShardList<DType>,
  indices: ArrayLike<number>,
  into: Uint8Array,
  options?: ByteReadOptions,
): Promise<void> {
  const sorted = sortRequest(indices, shards.length);
  const { rowBytes } = shards;
  if (rowBytes === 0) return;
  const runs = mergeRuns(indices, sorted, rowBytes, gapRows(shards));
  const limit = pLimit(CONCURRENCY);
  const failures: unknown[] = [];
  const read = async (run: Run): Promise<void> => {
    // Once a read has failed the others only end: the result is in use until the last has.
    if (failures.length > 0) return;
    try {
      options?.signal?.throwIfAborted();
      await readRun(shards, indices, sorted, run, into, options);
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(runs.map((run) => limit(read, run)));
  if (failures.length > 0) throw failures[0];
}

async function readRun(
  shards: ShardList<DType>,
  indices: ArrayLike<number>,
  sorted: ArrayLike<number>,
  run: Run,
  into: Uint8Array,
  options?: ByteReadOptions,
): Promise<void> {
  const { rowBytes } = shards;
  const byteLength = (run.stop - run.start) * rowBytes;
  if (run.to - run.from === run.stop - run.start && isConsecutive(sorted, run.from, run.to)) {
    const target = (sorted[run.from] as number) * rowBytes;
    await shards.readRows(into.subarray(target, target + byteLength), run.start, options);
    return;
  }
  const bytes = allocateBytes(byteLength);
  await shards.readRows(bytes, run.start, options);
  for (let at = run.from; at < run.to; at++) {
    const place = sorted[at] as number;
    const within = ((indices[place] as number) - run.start) * rowBytes;
    into.set(bytes.subarray(within, within + rowBytes), place * rowBytes);
  }
}

function sortRequest(indices: ArrayLike<number>, length: number): Float64Array {
  const places = new Float64Array(indices.length);
  for (let i = 0; i < places.length; i++) {
    const row = indices[i] as number;
    if (!Number.isInteger(row) || row < 0 || row >= length) {
      throw new NpyError("ERR_ROWS_RANGE", `row ${row} is not one of an array with ${length} rows`);
    }
    places[i] = i;
  }
  return places.sort((a, b) => (indices[a] as number) - (indices[b] as number));
}

/**
 * Rows between two that are still read together. Of a Fortran array every row is a read a column, so there it is what lies
 * between them in a column that counts.
 */
function gapRows({ first, rowBytes }: ShardList<DType>): number {
  if (first.isRowMajor) return Math.floor(GAP_BYTES / rowBytes);
  return Math.floor(COLUMN_GAP_BYTES / first.header.itemSize);
}

function mergeRuns(indices: ArrayLike<number>, sorted: ArrayLike<number>, rowBytes: number, gap: number): Run[] {
  // The bound on what is read for nothing holds where rows are read by themselves.
  const isBounded = gap * rowBytes <= GAP_BYTES;
  const longest = Math.max(1, Math.floor(MAX_RUN_BYTES / rowBytes));
  const runs: Run[] = [];
  let run: Run | undefined;
  for (let at = 0; at < sorted.length; at++) {
    const row = indices[sorted[at] as number] as number;
    const asked = run === undefined ? 0 : run.to - run.from + 1;
    const isNear =
      run !== undefined &&
      row <= run.stop + gap &&
      row + 1 - run.start <= longest &&
      (!isBounded || row + 1 - run.start <= asked * MAX_AMPLIFICATION);
    if (run !== undefined && isNear) {
      run.stop = row + 1;
      run.to = at + 1;
    } else {
      run = { start: row, stop: row + 1, from: at, to: at + 1 };
      runs.push(run);
    }
  }
  return runs;
}

/** Whether a run's rows are wanted one behind the other, each once, so that they are read to where they belong. */
function isConsecutive(sorted: ArrayLike<number>, from: number, to: number): boolean {
  for (let at = from + 1; at < to; at++) if (sorted[at] !== (sorted[at - 1] as number) + 1) return false;
  return true;
}
