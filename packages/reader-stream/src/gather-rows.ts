import { type ByteReadOptions, type ElementType, NpyError } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { bytesCaster, isReadAnew } from "./cast-rows.ts";
import { eachConcurrently } from "./each-concurrently.ts";
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

/** Consecutive rows to read, and the part of the sorted request that takes them. */
interface Run {
  readonly start: number;
  stop: number;
  /** Index into the sorted request of the first row of the run, and past the last. */
  readonly from: number;
  to: number;
}

/** Rows that were asked for, from the lowest on, and where each goes. */
interface SortedRequest {
  readonly rows: Float64Array;
  readonly places: Uint32Array;
}

/**
 * Fills `into` with the rows of `indices` in their order, as elements of `as`.
 *
 * Sorts the request, merges neighbours into runs, reads at most four runs at once and scatters them, casting as it copies.
 * Of a source that is resident rows are copied without a read; whether its file is as it was is asked before and after.
 *
 * @param into - As many rows as indices.
 * @throws NpyError `ERR_ROWS_RANGE` for an index outside the rows; `ERR_SOURCE_CHANGED`, `ERR_SOURCE_TRUNCATED`.
 */
export async function gatherRows(
  shards: ShardList,
  indices: ArrayLike<number>,
  as: ElementType,
  into: Uint8Array,
  options?: ByteReadOptions,
): Promise<void> {
  const request = sortRequest(indices, shards.length);
  if (shards.rowBytes === 0) return;
  const scatter = new Scatter(shards, request, as, into);
  const viewed = new Set<number>();
  await eachConcurrently(mergeRuns(request, shards), CONCURRENCY, async (run) => {
    options?.signal?.throwIfAborted();
    const shard = shards.shardOf(run.start);
    if (!viewed.has(shard)) {
      shards.checkUnchanged(shard);
      viewed.add(shard);
    }
    const resident = shards.viewRows(run.start, run.stop);
    if (resident !== undefined) {
      scatter.put(resident, run);
      return;
    }
    const target = scatter.targetOf(run);
    const bytes = target ?? allocateBytes((run.stop - run.start) * shards.rowBytes);
    await shards.readRows(bytes, run.start, options);
    if (target === undefined) scatter.put(bytes, run);
  });
  for (const shard of viewed) shards.checkUnchanged(shard);
}

/** Puts rows where they were asked for. */
class Scatter {
  readonly #request: SortedRequest;
  readonly #from: ElementType;
  readonly #to: ElementType;
  readonly #into: Uint8Array;
  readonly #rowBytes: number;
  /** Elements a row. */
  readonly #rowSize: number;
  readonly #isCopied: boolean;

  constructor(shards: ShardList, request: SortedRequest, to: ElementType, into: Uint8Array) {
    this.#request = request;
    this.#from = shards.type;
    this.#to = to;
    this.#into = into;
    this.#rowBytes = shards.rowBytes;
    this.#rowSize = shards.rowBytes / shards.type.itemSize;
    this.#isCopied = to === shards.type || isReadAnew(shards.type, to);
  }

  /** Gives where a run's rows belong, if they are wanted one behind the other, each once, and as they are. */
  targetOf({ start, stop, from, to }: Run): Uint8Array | undefined {
    const { places, rows } = this.#request;
    if (!this.#isCopied || to - from !== stop - start) return undefined;
    for (let at = from + 1; at < to; at++) {
      // As many rows as the run is long need not be each of it: one may be asked for twice and another be a gap.
      if (places[at] !== (places[at - 1] as number) + 1 || rows[at] !== (rows[at - 1] as number) + 1) return undefined;
    }
    const target = (places[from] as number) * this.#rowBytes;
    return this.#into.subarray(target, target + (stop - start) * this.#rowBytes);
  }

  put(bytes: Uint8Array, run: Run): void {
    const { rows, places } = this.#request;
    const rowBytes = this.#rowBytes;
    const rowSize = this.#rowSize;
    if (this.#isCopied) {
      const into = this.#into;
      for (let at = run.from; at < run.to; at++) {
        const within = ((rows[at] as number) - run.start) * rowBytes;
        into.set(bytes.subarray(within, within + rowBytes), (places[at] as number) * rowBytes);
      }
      return;
    }
    const cast = bytesCaster(this.#from, bytes, this.#to, this.#into);
    for (let at = run.from; at < run.to; at++) {
      cast(((rows[at] as number) - run.start) * rowSize, (places[at] as number) * rowSize, rowSize);
    }
  }
}

function sortRequest(indices: ArrayLike<number>, length: number): SortedRequest {
  const count = indices.length;
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = indices[i] as number;
    if (typeof row === "bigint")
      throw new TypeError("rows are numbers: Array.from(indices, Number) makes them of bigints");
    if (!Number.isInteger(row) || row < 0 || row >= length) {
      throw new NpyError("ERR_ROWS_RANGE", `row ${row} is not one of an array with ${length} rows`);
    }
    keys[i] = row;
  }
  const rows = new Float64Array(count);
  const places = new Uint32Array(count);
  if (length * count <= Number.MAX_SAFE_INTEGER) {
    // Row and place in one number sort without a comparator: measured in half the time for 1,024 rows.
    for (let i = 0; i < count; i++) keys[i] = (keys[i] as number) * count + i;
    keys.sort();
    for (let i = 0; i < count; i++) {
      const key = keys[i] as number;
      const row = Math.floor(key / count);
      rows[i] = row;
      places[i] = key - row * count;
    }
    return { rows, places };
  }
  for (let i = 0; i < count; i++) places[i] = i;
  places.sort((a, b) => (keys[a] as number) - (keys[b] as number));
  for (let i = 0; i < count; i++) rows[i] = keys[places[i] as number] as number;
  return { rows, places };
}

/**
 * Bytes and rows between two that are still read together. Of a Fortran array every row is a read a column, so there it is
 * what lies between them in a column that counts, and nothing bounds what is read for nothing.
 */
function gapOf({ first, rowBytes }: ShardList): { readonly rows: number; readonly isBounded: boolean } {
  const { gapBytes } = first.source;
  if (first.isRowMajor) return { rows: Math.floor((gapBytes ?? GAP_BYTES) / rowBytes), isBounded: true };
  return { rows: Math.floor((gapBytes ?? COLUMN_GAP_BYTES) / first.header.itemSize), isBounded: false };
}

function mergeRuns({ rows }: SortedRequest, shards: ShardList): Run[] {
  const gap = gapOf(shards);
  const longest = Math.max(1, Math.floor(MAX_RUN_BYTES / shards.rowBytes));
  const runs: Run[] = [];
  let run: Run | undefined;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const asked = run === undefined ? 0 : run.to - run.from + 1;
    const isNear =
      run !== undefined &&
      row <= run.stop + gap.rows &&
      row + 1 - run.start <= longest &&
      (!gap.isBounded || row + 1 - run.start <= asked * MAX_AMPLIFICATION);
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
