import { checkOptionKeys, type NdArray } from "@npystream/codec";
import type { Batch, BatchFailure, BatchRandom, TransformedBatch } from "./batch.ts";
import type { BatchState } from "./batch-state.ts";
import type { DatasetDTypes } from "./dataset-types.ts";
import { kindOf } from "./value-kind.ts";

/** A shuffle in which every order of the rows is possible. All are read once where they fit `memory`, else one by one. */
export interface FullShuffle {
  /** Always `full`. */
  readonly kind: "full";
}

/** A shuffle of blocks of consecutive rows, and of the rows within a window of blocks: it reads in long pieces. */
export interface BlockShuffle {
  /** Always `block`. */
  readonly kind: "block";
  /**
   * Rows a block.
   *
   * @defaultValue as many as let a window hold 64 MiB, and 16 KiB (1 MiB of a remote source) at least; never more than a
   *   64th of a lane
   */
  readonly blockRows?: number;
  /** Blocks a window, of all lanes together. @defaultValue four times the rows of a batch of all processes, 64 at least */
  readonly windowBlocks?: number;
}

/** The part of the rows that one of several processes gets. */
export interface BatchShard {
  /** Number of this process, from 0. */
  readonly index: number;
  /** Number of processes. */
  readonly count: number;
  /**
   * Lanes that the rows are dealt to: any number of processes that divides it gives the same batches together, if `size`
   * times `count` stays the same, until the shortest lane ends; with `equal-batches` none ends before another.
   * @defaultValue `count`
   */
  readonly lanes?: number;
  /**
   * `exact`: every row in one of the processes, which differ by up to a row a lane, and by up to two blocks a lane where there
   * are blocks; `equal-batches`: as many rows and batches in each, and that much left out of an epoch, other rows in each.
   * @defaultValue `'exact'`
   */
  readonly uneven?: "equal-batches" | "exact";
}

/** Draws rows by weight, with replacement. */
export interface WeightedSampler {
  /** Always `weighted`. */
  readonly kind: "weighted";
  /** A weight a row, in a list or an array of one axis, or the name of the field that has them. */
  readonly weights: ArrayLike<number> | NdArray | string;
  /** Rows drawn in an epoch. @defaultValue the number of rows */
  readonly draws?: number;
}

/** Draws a class, each as often as any other, and a row of it, with replacement. */
export interface BalancedSampler {
  /** Always `balanced`. */
  readonly kind: "balanced";
  /** A label a row, in a list or an array of one axis, or the name of the field that has them. */
  readonly labels: ArrayLike<unknown> | NdArray | string;
  /** Rows drawn in an epoch. @defaultValue the number of rows */
  readonly draws?: number;
}

/** Every row once an epoch, the classes as they are in the whole in each batch, of each process. */
export interface StratifiedSampler {
  /** Always `stratified`. */
  readonly kind: "stratified";
  /** A label a row, in a list or an array of one axis, or the name of the field that has them. */
  readonly labels: ArrayLike<unknown> | NdArray | string;
}

/** Which rows an epoch has, where it is not each once in some order. */
export type Sampler = WeightedSampler | BalancedSampler | StratifiedSampler;

/** Options of `Dataset.batches`. */
export interface BatchesOptions<T extends DatasetDTypes = DatasetDTypes> {
  /** Rows a batch. */
  readonly size: number;
  /**
   * Order of the rows: `false` as they lie, `true` or `{ kind: 'block' }` by blocks and windows, `{ kind: 'full' }` any order,
   * for which no index is kept in memory.
   *
   * @defaultValue `false`
   */
  readonly shuffle?: boolean | FullShuffle | BlockShuffle;
  /** Chooses the order, together with the epoch; any safe integer. @defaultValue that of `state`, or 0 */
  readonly seed?: number;
  /** Passes over all rows; each has an order of its own. @defaultValue 1 */
  readonly epochs?: number;
  /**
   * What becomes of the rows at the end of an epoch that do not fill a batch: a smaller one (`keep`), nothing (`drop`), one
   * filled up with zeros, which `meta.valid` tells apart (`pad`), or with the first rows of the epoch (`wrap`).
   *
   * @defaultValue `'keep'`
   */
  readonly last?: "keep" | "drop" | "pad" | "wrap";
  /** The part of the rows that this process gets. @defaultValue all of them */
  readonly shard?: BatchShard;
  /** Which rows an epoch has; instead of `shuffle`. @defaultValue each once */
  readonly sampler?: Sampler;
  /** Batches made ready while one is used, as far as `memory` allows. @defaultValue 2 */
  readonly prefetch?: number;
  /**
   * Most bytes for windows and for batches made ready. What does not fit is read row by row instead, in the same order.
   *
   * @defaultValue 256 MiB (268,435,456)
   */
  readonly memory?: number;
  /**
   * `fresh`: each batch has memory of its own; `pooled`: memory is used again, and the arrays of a batch are detached when
   * the next one is asked for. @defaultValue `'fresh'`
   */
  readonly ownership?: "fresh" | "pooled";
  /**
   * How files are read: `map` copies rows out of mapped files, without koffi an error; `read` reads; `auto` maps where rows
   * lie anywhere, every field is of plain files and koffi is there. A file that is cut while it is mapped ends the process.
   *
   * @defaultValue `'auto'`
   */
  readonly io?: "auto" | "map" | "read";
  /**
   * Changes each batch when it has been read: in place, or by giving another one with the same names. Runs ahead as
   * `prefetch` does. The types of the fields are taken to stay what they were. `signal` is aborted when the iteration ends,
   * which does not wait for it. It must not wait for `next` of the same batches, which waits for it.
   */
  transform?(
    batch: Batch<T>,
    random: BatchRandom,
    signal: AbortSignal,
  ): TransformedBatch | undefined | Promise<TransformedBatch | undefined>;
  /** Asked for each batch that cannot be made: `skip` goes on with the next one. @defaultValue the iteration fails */
  readonly onError?: (failure: BatchFailure) => "skip" | "fail";
  /**
   * Where to go on, from `state()` of another run. `seed`, `blockRows` and `windowBlocks` are taken from it where they are left
   * out; other options of the order have to be given again. @defaultValue the beginning
   */
  readonly state?: BatchState | undefined;
  /**
   * What has to be as it was for `state`: the very files, or rows, fields and types alone, for files that were copied or cut
   * into other shards. @defaultValue `'same-files'`
   */
  readonly resume?: "same-files" | "same-rows";
  /** Ends the iteration with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** All of {@link BatchesOptions} that does not depend on the fields. */
export type PlanOptions = Omit<BatchesOptions, "transform">;

/** Names of {@link BatchesOptions}. */
const OPTION_NAMES = [
  ...["size", "shuffle", "seed", "epochs", "last", "shard", "sampler", "prefetch", "memory", "ownership", "io"],
  ...["transform", "onError", "state", "resume", "signal"],
];
const DEFAULT_MEMORY = 256 << 20;

/** Options with what is set where they say nothing; what depends on rows or state is not among them. */
export interface CheckedOptions {
  readonly size: number;
  readonly shuffle: false | FullShuffle | BlockShuffle;
  readonly epochs: number;
  readonly last: "keep" | "drop" | "pad" | "wrap";
  readonly shard: Required<BatchShard>;
  readonly prefetch: number;
  readonly memory: number;
  readonly ownership: "fresh" | "pooled";
  readonly io: "auto" | "map" | "read";
  readonly resume: "same-files" | "same-rows";
}

/**
 * Checks options of batches and fills in what they leave out.
 *
 * @throws TypeError or RangeError for an option that cannot be.
 */
export function checkOptions(options: PlanOptions): CheckedOptions {
  checkOptionKeys("batches", options, OPTION_NAMES);
  const { size, shuffle = false, seed = 0, epochs = 1, prefetch = 2, memory = DEFAULT_MEMORY, sampler } = options;
  checkCount("size", size, 1);
  checkNumber("seed", seed);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed is a safe integer, not ${seed}`);
  const { signal, transform, onError } = options as BatchesOptions;
  if (signal !== undefined && !(typeof signal === "object" && signal !== null && "aborted" in signal)) {
    throw new TypeError(`signal is an AbortSignal, not ${kindOf(signal)}`);
  }
  for (const [name, callback] of Object.entries({ transform, onError })) {
    if (callback === undefined || typeof callback === "function") continue;
    throw new TypeError(`${name} is a function, not ${kindOf(callback)}`);
  }
  if (epochs !== Number.POSITIVE_INFINITY) checkCount("epochs", epochs, 0);
  checkCount("prefetch", prefetch, 0);
  checkCount("memory", memory, 0);
  if (sampler !== undefined) {
    if (shuffle !== false) throw new TypeError("a sampler is an order of its own: leave shuffle out");
    checkSampler(sampler);
  }
  return {
    size,
    epochs,
    prefetch,
    memory,
    shuffle: checkShuffle(shuffle),
    shard: checkShard(options.shard, size),
    last: choice("last", options.last, ["keep", "drop", "pad", "wrap"]),
    ownership: choice("ownership", options.ownership, ["fresh", "pooled"]),
    io: choice("io", options.io, ["auto", "map", "read"]),
    resume: choice("resume", options.resume, ["same-files", "same-rows"]),
  };
}

function checkShuffle(shuffle: unknown): false | FullShuffle | BlockShuffle {
  if (shuffle === false) return false;
  if (shuffle === true) return { kind: "block" };
  const kind = typeof shuffle === "object" && shuffle !== null && "kind" in shuffle ? shuffle.kind : undefined;
  if (typeof shuffle !== "object" || shuffle === null || (kind !== "full" && kind !== "block")) {
    throw new TypeError(`shuffle is a boolean, { kind: "full" } or { kind: "block" }, not ${JSON.stringify(shuffle)}`);
  }
  checkOptionKeys("shuffle", shuffle, kind === "full" ? ["kind"] : ["kind", "blockRows", "windowBlocks"]);
  // Its kind was checked.
  const checked = shuffle as FullShuffle | BlockShuffle;
  if (checked.kind === "block") {
    const { blockRows = 1, windowBlocks = 1 } = checked;
    checkCount("blockRows", blockRows, 1);
    checkCount("windowBlocks", windowBlocks, 1);
  }
  return checked;
}

function checkShard(shard: BatchShard | undefined, size: number): Required<BatchShard> {
  if (shard === undefined) return { index: 0, count: 1, lanes: 1, uneven: "exact" };
  checkOptionKeys("shard", shard, ["index", "count", "lanes", "uneven"]);
  const { index, count, lanes = count } = shard;
  checkCount("shard.count", count, 1);
  checkCount("shard.index", index, 0);
  checkCount("shard.lanes", lanes, 1);
  if (index >= count) throw new RangeError(`shard.index is less than shard.count, ${count}, not ${index}`);
  if (lanes % count !== 0) throw new RangeError(`shard.count divides shard.lanes, ${lanes}, which ${count} does not`);
  if (size % (lanes / count) !== 0) {
    throw new RangeError(`size is a multiple of the ${lanes / count} lanes of each process, not ${size}`);
  }
  return { index, count, lanes, uneven: choice("shard.uneven", shard.uneven, ["exact", "equal-batches"]) };
}

function checkSampler(sampler: Sampler): void {
  if (typeof sampler !== "object" || sampler === null || Array.isArray(sampler)) {
    throw new TypeError(`sampler is { kind: "balanced", labels } or another kind, not ${kindOf(sampler)}`);
  }
  const { kind } = sampler;
  choice("sampler.kind", kind, ["weighted", "balanced", "stratified"]);
  const keys = {
    weighted: ["kind", "weights", "draws"],
    balanced: ["kind", "labels", "draws"],
    stratified: ["labels"],
  };
  checkOptionKeys("sampler", sampler, ["kind", ...keys[kind]]);
  if (kind !== "stratified" && sampler.draws !== undefined) checkCount("sampler.draws", sampler.draws, 0);
  const given = kind === "weighted" ? sampler.weights : sampler.labels;
  if (typeof given === "string" || (typeof given === "object" && given !== null && "length" in given)) return;
  throw new TypeError("a sampler has weights or labels: the name of a field, or one a row");
}

function checkCount(name: string, value: number, least: number): void {
  checkNumber(name, value);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is a whole number from ${least}, not ${value}`);
  }
}

function checkNumber(name: string, value: unknown): void {
  if (typeof value !== "number") throw new TypeError(`${name} is a number, not ${kindOf(value)}`);
}

/** Checks a value that is one of few; the first is the default. */
function choice<T extends string>(name: string, value: T | undefined, known: readonly [T, ...T[]]): T {
  if (value === undefined) return known[0];
  if (known.includes(value)) return value;
  throw new TypeError(`${name} is one of ${known.join(", ")}, not ${JSON.stringify(value)}`);
}
