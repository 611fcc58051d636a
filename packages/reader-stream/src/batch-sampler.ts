import { type ByteReadOptions, NdArray, scalarAt, shapeSize } from "@npystream/codec";
import { AliasTable } from "./alias-table.ts";
import type { Sampler } from "./batch-options.ts";
import { CounterRandom } from "./counter-random.ts";
import { fieldChunks } from "./field-chunks.ts";
import { type Permutation, permutationOf } from "./permutation.ts";
import { classesOf, type RowClasses, readClasses } from "./row-classes.ts";
import type { RowFields } from "./row-fields.ts";
import { dealtLength, type LaneOrder, type RowOrder } from "./row-order.ts";
import { sha256 } from "./sha256.ts";

/** Tells the draws and permutations of one seed and epoch from those of other orders. */
const DRAW_KEY = 3;
const CLASS_KEY = 4;
/** Hex digits of a digest in a state. */
const DIGEST_DIGITS = 16;

/** What is known of a sampler's order before the field that it names is read. */
export interface SamplerPlan {
  /**
   * Names the order in a state. What is given a row is told apart by a digest; a field by its name, since the files are
   * identified anyway.
   */
  readonly text: string;
  /** Rows of an epoch. */
  readonly draws: number;
  /**
   * Makes the order; reads the field, whole. The draw for a position is a function of seed, epoch and position, so that it
   * is the same in every process.
   *
   * @throws RangeError where no weight is positive.
   */
  makeOrder(seed: number, lanes: number, options: ByteReadOptions): Promise<RowOrder>;
}

/** Weights or labels, or where they are read from. */
interface Given<T> {
  readonly text: string;
  read(options: ByteReadOptions): Promise<T>;
}

/** Rows of each class, from the lowest on, one class behind the other. */
interface Classes {
  readonly rows: Float64Array;
  /** Where each class begins; one more for the end. */
  readonly starts: readonly number[];
}

/**
 * Looks at what a sampler is given, once; reads nothing.
 *
 * @throws RangeError where there are not as many weights or labels as rows; TypeError for a field that there is not or that
 *   has more than one value a row.
 */
export function planSampler(sampler: Sampler, fields: RowFields): SamplerPlan {
  if (sampler.kind === "weighted") return drawnPlan(sampler, fields, givenWeights(sampler.weights, fields), weighted);
  const labels = givenLabels(sampler.labels, fields);
  if (sampler.kind === "balanced") return drawnPlan(sampler, fields, labels, balanced);
  const text = `stratified:${labels.text}:all`;
  return {
    text,
    draws: fields.length,
    makeOrder: async (seed, lanes, options) =>
      stratifiedOrder(sortByClass(await labels.read(options)), { seed, lanes, text }),
  };
}

function drawnPlan<T>(
  { kind, draws }: { readonly kind: string; readonly draws?: number },
  { length }: RowFields,
  given: Given<T>,
  drawOf: (values: T) => (random: CounterRandom) => number,
): SamplerPlan {
  const text = `${kind}:${given.text}:${draws ?? "all"}`;
  const total = length === 0 ? 0 : (draws ?? length);
  return {
    text,
    draws: total,
    makeOrder: async (seed, lanes, options) => {
      const draw = length === 0 ? () => 0 : drawOf(await given.read(options));
      return {
        text,
        leastLaneLength: Math.floor(total / lanes),
        lane: (epoch, lane) => ({
          length: dealtLength(total, lanes, lane),
          row: (position) => draw(new CounterRandom(seed, epoch, DRAW_KEY, position * lanes + lane)),
        }),
      };
    },
  };
}

function weighted(weights: Float64Array): (random: CounterRandom) => number {
  const table = new AliasTable(weights);
  return (random) => table.draw(random);
}

function balanced(labels: RowClasses): (random: CounterRandom) => number {
  const { rows, starts } = sortByClass(labels);
  return (random) => {
    const index = random.integer(starts.length - 1);
    const start = starts[index] as number;
    return rows[start + random.integer((starts[index + 1] as number) - start)] as number;
  };
}

function givenWeights(given: ArrayLike<number> | NdArray | string, fields: RowFields): Given<Float64Array> {
  if (typeof given === "string") {
    return { text: fieldText(given, fields), read: (options) => readWeights(fields, given, options) };
  }
  checkLength(given, fields);
  const weights = new Float64Array(given.length);
  if (given instanceof NdArray) addWeights(weights, given, 0);
  else for (let row = 0; row < weights.length; row++) weights[row] = Number(given[row]);
  return { text: rowsText(weights), read: async () => weights };
}

function givenLabels(given: ArrayLike<unknown> | NdArray | string, fields: RowFields): Given<RowClasses> {
  if (typeof given === "string") {
    return { text: fieldText(given, fields), read: (options) => readClasses(fields, given, options) };
  }
  checkLength(given, fields);
  const classes = classesOf(given);
  // Which rows are of one class is all that an order depends on.
  return { text: rowsText(classes.ids), read: async () => classes };
}

function fieldText(name: string, fields: RowFields): string {
  if (!fields.names.includes(name)) {
    throw new TypeError(`the sampler names the field ${name}; there are ${fields.names.join(", ")}`);
  }
  if (shapeSize(fields.rowShape(name)) !== 1) {
    throw new TypeError(`the sampler's field ${name} has more than one element a row`);
  }
  return `field:${sha256([name]).slice(0, DIGEST_DIGITS)}`;
}

function rowsText({ buffer, byteOffset, byteLength }: Float64Array | Uint32Array): string {
  return `rows:${sha256([new Uint8Array(buffer, byteOffset, byteLength)]).slice(0, DIGEST_DIGITS)}`;
}

function checkLength({ length }: { readonly length: number }, fields: RowFields): void {
  if (length === fields.length) return;
  throw new RangeError(`the sampler has ${length} weights or labels for ${fields.length} rows`);
}

async function readWeights(fields: RowFields, name: string, options: ByteReadOptions): Promise<Float64Array> {
  const weights = new Float64Array(fields.length);
  for await (const { start, arrays } of fieldChunks(fields, [name], options)) {
    if (arrays[name] !== undefined) addWeights(weights, arrays[name], start);
  }
  return weights;
}

function addWeights(weights: Float64Array, array: NdArray, start: number): void {
  const { type, data, offset, size } = array.contiguous();
  if (size !== array.length)
    throw new TypeError(`a sampler's array of shape [${array.shape}] has more than one value a row`);
  for (let row = 0; row < size; row++) weights[start + row] = Number(scalarAt(type, data, offset + row));
}

function stratifiedOrder(
  classes: Classes,
  { seed, lanes, text }: { readonly seed: number; readonly lanes: number; readonly text: string },
): RowOrder {
  const { rows } = classes;
  const patterns = new Map<number, Float64Array>();
  const patternOf = (lane: number): Float64Array => {
    const pattern = patterns.get(lane) ?? lanePattern(classes, lanes, lane);
    patterns.set(lane, pattern);
    return pattern;
  };
  return {
    text,
    leastLaneLength: Math.floor(rows.length / lanes),
    lane: (epoch, lane): LaneOrder => {
      const pattern = patternOf(lane);
      const permutations = new Map<number, Permutation>();
      const row = (position: number): number => {
        const place = pattern[position] as number;
        const index = classAt(classes.starts, place);
        const [start = 0, stop = 0] = classes.starts.slice(index, index + 2);
        let permutation = permutations.get(index);
        if (permutation === undefined) {
          permutation = permutationOf(stop - start, [seed, epoch, CLASS_KEY, index]);
          permutations.set(index, permutation);
        }
        return rows[start + permutation.row(place - start)] as number;
      };
      return { length: pattern.length, row };
    },
  };
}

/**
 * Places of a lane, in rows sorted by class, in the order of delivery: those of a class at equal distances. Places are
 * dealt to lanes one by one, so that each lane has its part of each class.
 */
function lanePattern({ rows, starts }: Classes, lanes: number, lane: number): Float64Array {
  const length = dealtLength(rows.length, lanes, lane);
  const places = Float64Array.from({ length }, (_, i) => lane + i * lanes);
  const keys = new Float64Array(length);
  for (let index = 0; index + 1 < starts.length; index++) {
    const from = dealtLength(starts[index] as number, lanes, lane);
    const to = dealtLength(starts[index + 1] as number, lanes, lane);
    for (let i = from; i < to; i++) keys[i] = (i - from + 0.5) / (to - from);
  }
  const order = Array.from({ length }, (_, i) => i).sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
  return Float64Array.from(order, (i) => places[i] as number);
}

/** Sorts rows by class, and within a class as they lie. */
function sortByClass({ ids, counts }: RowClasses): Classes {
  const starts = [0];
  for (const count of counts) starts.push((starts.at(-1) ?? 0) + count);
  const next = [...starts];
  const rows = new Float64Array(ids.length);
  for (const [row, id] of ids.entries()) {
    const at = next[id] ?? 0;
    rows[at] = row;
    next[id] = at + 1;
  }
  return { rows, starts };
}

/** Index of the class that has a place: the last that starts at or before it. */
function classAt(starts: readonly number[], place: number): number {
  let [low, high] = [0, starts.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}
