import type { NdArray } from "@npystream/codec";
import type { ArrayHandle } from "./array-handle.ts";
import { checkOptionKeys } from "./option-keys.ts";
import { createPermutation, type Permutation } from "./permutation.ts";

/** A shuffle in which every order of the rows is possible. */
export interface FullShuffle {
  /** Always `full`. */
  readonly kind: "full";
}

/** Options of `Dataset.batches`. */
export interface BatchesOptions {
  /** Rows a batch. */
  readonly size: number;
  /**
   * Order of the rows: as they lie, or `{ kind: 'full' }`, where every order of the rows is possible and no index of them
   * is kept in memory.
   *
   * @defaultValue `false`
   */
  readonly shuffle?: false | FullShuffle;
  /** Chooses the order, together with the epoch; any safe integer. @defaultValue 0 */
  readonly seed?: number;
  /** Passes over all rows; each has an order of its own. @defaultValue 1 */
  readonly epochs?: number;
  /** What becomes of the rows at the end of an epoch that do not fill a batch. @defaultValue `'keep'` */
  readonly last?: "keep" | "drop";
  /** Batches read ahead while one is used. @defaultValue 2 */
  readonly prefetch?: number;
  /** Ends the iteration with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** What a batch says of itself. */
export interface BatchMeta {
  /** Pass over the rows, from 0. */
  readonly epoch: number;
  /** Batch in the epoch, from 0. */
  readonly index: number;
  /** Rows in the batch. */
  readonly rows: number;
  /** Rows delivered in the epoch before this batch. */
  readonly position: number;
  /** Index in the dataset of each row, worked out when it is asked for. */
  readonly rowIds: Float64Array;
}

/** Rows of every field, the same in each: `batch.features.at(i)` belongs to `batch.labels.at(i)`. */
export type Batch<Name extends string = string> = { readonly [N in Name]: NdArray } & WithMeta;

/** What every batch has beside its fields. */
export interface WithMeta {
  /** Where the batch stands. */
  readonly meta: BatchMeta;
}

interface Planned {
  readonly epoch: number;
  readonly index: number;
  readonly position: number;
  readonly rows: number;
}

const OPTION_NAMES = ["size", "shuffle", "seed", "epochs", "last", "prefetch", "signal"];

/**
 * An iterator over batches with one position: leaving a loop over it ends it. The order depends on the rows, the seed
 * and the epoch alone. Each batch owns its memory.
 */
export class Batches<Name extends string = string> implements AsyncIterableIterator<Batch<Name>>, AsyncDisposable {
  readonly #fields: ReadonlyMap<string, ArrayHandle>;
  readonly #options: Required<Omit<BatchesOptions, "signal">>;
  readonly #signal: AbortSignal | undefined;
  readonly #length: number;
  readonly #stop = new AbortController();
  readonly #plan: Iterator<Planned>;
  readonly #ahead: Promise<Batch<Name>>[] = [];
  #order: { readonly epoch: number; readonly permutation: Permutation } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #ended = false;

  /** @internal */
  constructor(fields: ReadonlyMap<string, ArrayHandle>, length: number, options: BatchesOptions) {
    const { signal, ...others } = options;
    const defaults = { shuffle: false, seed: 0, epochs: 1, last: "keep", prefetch: 2 } as const;
    this.#options = { ...defaults, ...others };
    checkOptions(options, this.#options);
    this.#fields = fields;
    this.#length = length;
    this.#signal = signal;
    this.#plan = planBatches(length, this.#options);
  }

  /**
   * Gives the next batch. Calls that overlap are answered one after another.
   *
   * @throws What reading a field throws, `ERR_SOURCE_TRUNCATED` for example; the iteration is over then.
   */
  next(): Promise<IteratorResult<Batch<Name>, undefined>> {
    const result = this.#queue.then(() => this.#next());
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Ends the iteration; resolves when no read is under way any more. */
  async return(): Promise<IteratorResult<Batch<Name>, undefined>> {
    this.#ended = true;
    this.#stop.abort();
    await Promise.allSettled(this.#ahead.splice(0));
    return { done: true, value: undefined };
  }

  /** Gives the iterator itself: there is one position. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the iteration, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #next(): Promise<IteratorResult<Batch<Name>, undefined>> {
    try {
      this.#signal?.throwIfAborted();
      this.#readAhead();
      const batch = await this.#ahead.shift();
      this.#signal?.throwIfAborted();
      if (batch === undefined) return await this.return();
      this.#readAhead();
      return { done: false, value: batch };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  #readAhead(): void {
    while (!this.#ended && this.#ahead.length < Math.max(1, this.#options.prefetch)) {
      const planned = this.#plan.next();
      if (planned.done) return;
      const batch = this.#read(planned.value);
      // Its failure is told when its turn comes; a consumer that leaves before does not hear of it.
      batch.catch(() => undefined);
      this.#ahead.push(batch);
    }
  }

  async #read(planned: Planned): Promise<Batch<Name>> {
    const { position, rows } = planned;
    const permutation = this.#permutation(planned.epoch);
    const ids = permutation === undefined ? undefined : rowIds(permutation, position, rows);
    const signal = this.#signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, this.#signal]);
    const entries = [...this.#fields].map(async ([name, handle]) => {
      const read =
        ids === undefined ? handle.rows(position, position + rows, { signal }) : handle.gather(ids, { signal });
      return [name, await read] as const;
    });
    await Promise.allSettled(entries);
    const arrays = Object.fromEntries(await Promise.all(entries));
    const meta: BatchMeta = {
      ...planned,
      get rowIds() {
        return ids ?? Float64Array.from({ length: rows }, (_, i) => position + i);
      },
    };
    // The keys are those of the fields.
    return { ...arrays, meta } as Batch<Name>;
  }

  #permutation(epoch: number): Permutation | undefined {
    if (this.#options.shuffle === false) return undefined;
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, permutation: createPermutation(this.#length, this.#options.seed, epoch) };
    }
    return this.#order?.permutation;
  }
}

function* planBatches(length: number, options: Required<Omit<BatchesOptions, "signal">>): Generator<Planned> {
  const { size, epochs, last } = options;
  // An epoch that has no batch has none however often it is repeated.
  if (length === 0 || (last === "drop" && length < size)) return;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let position = 0, index = 0; position < length; position += size, index++) {
      const rows = Math.min(size, length - position);
      if (rows === size || last === "keep") yield { epoch, index, position, rows };
    }
  }
}

function rowIds(permutation: Permutation, position: number, rows: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => permutation.row(position + i));
}

function checkOptions(given: BatchesOptions, options: Required<Omit<BatchesOptions, "signal">>): void {
  checkOptionKeys("batches", given, OPTION_NAMES);
  const { size, shuffle, seed, epochs, last, prefetch } = options;
  if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`size is a number of rows from 1, not ${size}`);
  if (shuffle !== false && shuffle?.kind !== "full") {
    throw new TypeError(`shuffle is false or { kind: "full" }, not ${JSON.stringify(shuffle)}`);
  }
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed is a safe integer, not ${seed}`);
  if (epochs !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(epochs) || epochs < 0)) {
    throw new RangeError(`epochs is a whole number from 0 or Infinity, not ${epochs}`);
  }
  if (last !== "keep" && last !== "drop") throw new TypeError(`last is "keep" or "drop", not ${JSON.stringify(last)}`);
  if (!Number.isSafeInteger(prefetch) || prefetch < 0) {
    throw new RangeError(`prefetch is a number of batches from 0, not ${prefetch}`);
  }
}
