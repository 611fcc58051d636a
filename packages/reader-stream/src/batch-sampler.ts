import { NdArray, viewData } from "@npystream/codec";
import { AliasTable } from "./alias-table.ts";
import { allocateBytes } from "./allocate-bytes.ts";
import type { Sampler } from "./batch-options.ts";
import { digest } from "./batch-state.ts";
import { CounterRandom } from "./counter-random.ts";
import { type Permutation, permutationOf } from "./permutation.ts";
import type { RowFields } from "./row-fields.ts";
import { dealtLength, type LaneOrder, type RowOrder } from "./row-order.ts";

/** Tells the draws and permutations of one seed and epoch from those of other orders. */
const DRAW_KEY = 3;
const CLASS_KEY = 4;
/** Bytes of labels read at once. */
const PIECE_BYTES = 1 << 20;

/** Rows of each class, from the lowest on, one class behind the other. */
interface Classes {
  readonly rows: Float64Array;
  /** Where each class begins; one more for the end. */
  readonly starts: readonly number[];
}

/**
 * Names the order of a sampler in a state. What is given a row is told apart by a digest; a field by its name, since the
 * files are identified anyway.
 */
export function samplerText(sampler: Sampler): string {
  const given = sampler.kind === "weighted" ? sampler.weights : sampler.labels;
  const draws = sampler.kind === "stratified" ? undefined : sampler.draws;
  const by = typeof given === "string" ? digest(given) : digest(JSON.stringify(Array.from(given, String)));
  return `${sampler.kind}:${typeof given === "string" ? "field" : "rows"}:${by.slice(0, 16)}:${draws ?? "all"}`;
}

/**
 * Makes the order of a sampler; reads the field that it names, whole.
 *
 * The draw for a position is a function of seed, epoch and position, so that it is the same in every process.
 *
 * @throws RangeError where there are not as many weights or labels as rows, or no weight is positive.
 */
export async function samplerOrder(
  sampler: Sampler,
  fields: RowFields,
  options: { readonly seed: number; readonly lanes: number; readonly signal: AbortSignal },
): Promise<RowOrder> {
  const { seed, lanes, signal } = options;
  const given = sampler.kind === "weighted" ? sampler.weights : sampler.labels;
  const values = typeof given === "string" ? await readField(fields, given, signal) : given;
  if (values.length !== fields.length) {
    throw new RangeError(`the sampler has ${values.length} weights or labels for ${fields.length} rows`);
  }
  const text = samplerText(sampler);
  if (sampler.kind === "stratified") return stratifiedOrder(classesOf(values), { seed, lanes, text });
  const draws = fields.length === 0 ? 0 : (sampler.draws ?? fields.length);
  const draw = fields.length === 0 ? () => 0 : sampler.kind === "weighted" ? weighted(values) : balanced(values);
  return {
    text,
    leastLaneLength: Math.floor(draws / lanes),
    lane: (epoch, lane) => ({
      length: dealtLength(draws, lanes, lane),
      row: (position) => draw(new CounterRandom(seed, epoch, DRAW_KEY, position * lanes + lane)),
    }),
  };
}

function weighted(values: ArrayLike<unknown>): (random: CounterRandom) => number {
  const table = new AliasTable(Float64Array.from(values, Number));
  return (random) => table.draw(random);
}

function balanced(labels: ArrayLike<unknown>): (random: CounterRandom) => number {
  const { rows, starts } = classesOf(labels);
  return (random) => {
    const index = random.integer(starts.length - 1);
    const start = starts[index] as number;
    return rows[start + random.integer((starts[index + 1] as number) - start)] as number;
  };
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

function classesOf(labels: ArrayLike<unknown>): Classes {
  const numbers = new Map<unknown, number>();
  const counts: number[] = [];
  const classOf = new Uint32Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const number = numbers.get(labels[row]) ?? numbers.size;
    numbers.set(labels[row], number);
    classOf[row] = number;
    counts[number] = (counts[number] ?? 0) + 1;
  }
  const starts = [0];
  for (const count of counts) starts.push((starts.at(-1) ?? 0) + count);
  const next = [...starts];
  const rows = new Float64Array(labels.length);
  for (const [row, number] of classOf.entries()) {
    const at = next[number] ?? 0;
    rows[at] = row;
    next[number] = at + 1;
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

async function readField(fields: RowFields, name: string, signal: AbortSignal): Promise<unknown[]> {
  if (!fields.names.includes(name)) {
    throw new TypeError(`the sampler names the field ${name}; there are ${fields.names.join(", ")}`);
  }
  const type = fields.type(name);
  const rowBytes = fields.rowBytes(name);
  if (rowBytes !== type.itemSize) throw new TypeError(`the sampler's field ${name} has more than one element a row`);
  const values: unknown[] = [];
  const step = Math.max(1, Math.floor(PIECE_BYTES / Math.max(1, rowBytes)));
  for (let start = 0; start < fields.length; start += step) {
    const rows = Math.min(step, fields.length - start);
    const bytes = allocateBytes(rows * rowBytes);
    await fields.readRows(name, start, bytes, { signal });
    const array = new NdArray({ dtype: type, shape: [rows], data: viewData(type, bytes) });
    for (let i = 0; i < rows; i++) values.push(array.get(i));
  }
  return values;
}
