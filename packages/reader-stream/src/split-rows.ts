import type { ByteReadOptions } from "@npystream/codec";
import { divideClasses } from "./controlled-rounding.ts";
import { type Permutation, permutationOf } from "./permutation.ts";
import { type RowClasses, readClasses } from "./row-classes.ts";
import type { RowFields } from "./row-fields.ts";
import { RowSelection, rowIndices } from "./row-selection.ts";
import { splitSizes } from "./split-sizes.ts";

/** Options of `Dataset.split`. */
export interface SplitOptions<Name extends string = string> extends ByteReadOptions {
  /** Chooses the rows of each part; any safe integer. @defaultValue 0 */
  readonly seed?: number;
  /**
   * A field with one value a row, a label: each part gets of every value what its size says, rounded up or down.
   * @defaultValue rows are chosen whatever they hold
   */
  readonly stratify?: Name;
  /**
   * A field with one value a row, a patient or a session: rows of one value are never in two parts. The sizes are then
   * those nearest that a pass over the groups in random order finds: no part is larger than asked for by the largest group.
   * With `stratify` too, what is near is the number of rows of every value, and no bound holds.
   * @defaultValue every row is a group
   */
  readonly groupBy?: Name;
}

/** The part of each row is noted in an array, which has up to so many entries. */
const MOST_ROWS = 2 ** 32;
/** Keeps the permutations of a split apart from those of a shuffle with the same seed. */
const SPLIT_WORD = 0x73706c69;

/**
 * Divides the rows of fields into parts. Rows of a part are in the order in which they lie, so that blocks of a file stay
 * blocks. Reads the fields that `stratify` and `groupBy` name once, and nothing without them.
 */
export async function splitRows(
  fields: RowFields,
  parts: Readonly<Record<string, number>>,
  options: SplitOptions,
): Promise<Record<string, RowSelection>> {
  const { seed = 0, stratify, groupBy } = options;
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed is a safe integer, not ${seed}`);
  options.signal?.throwIfAborted();
  if (fields.length > MOST_ROWS) {
    throw new RangeError(`split divides up to 2^32 rows, not ${fields.length}: select ranges of rows instead`);
  }
  const sizes = splitSizes(fields.length, parts);
  const classes = stratify === undefined ? undefined : await readClasses(fields, stratify, options);
  let partOf: (row: number) => number;
  if (groupBy !== undefined) {
    const groups = await readClasses(fields, groupBy, options);
    const parts = divideGroups(groups, classes, sizes, permutationOf(groups.counts.length, [seed, SPLIT_WORD]));
    partOf = (row) => parts[groups.ids[row] as number] as number;
  } else {
    partOf = classes === undefined ? evenParts(fields.length, sizes, seed) : stratifiedParts(classes, sizes, seed);
  }
  return collect(fields.length, Object.keys(parts), partOf);
}

/** The part whose share of the shuffled rows a row is in. */
function evenParts(length: number, sizes: ArrayLike<number>, seed: number): (row: number) => number {
  const permutation = permutationOf(length, [seed, SPLIT_WORD]);
  return (row) => partAt(permutation.position(row), sizes, 0, sizes.length);
}

/** The same within each class; rows are asked for one after another. */
function stratifiedParts({ ids, counts }: RowClasses, sizes: readonly number[], seed: number): (row: number) => number {
  const shares = divideClasses(counts, sizes);
  const permutations = counts.map((count, id) => permutationOf(count, [seed, SPLIT_WORD, id]));
  const met = new Float64Array(counts.length);
  return (row) => {
    const id = ids[row] as number;
    const ordinal = met[id] as number;
    met[id] = ordinal + 1;
    const position = (permutations[id] as Permutation).position(ordinal);
    return partAt(position, shares, id * sizes.length, sizes.length);
  };
}

function partAt(position: number, sizes: ArrayLike<number>, from: number, count: number): number {
  let end = 0;
  for (let part = 0; part < count; part++) {
    end += sizes[from + part] as number;
    if (position < end) return part;
  }
  return count - 1;
}

/**
 * Gives each group, in random order, to the part that lacks most: of the sum of squares of what each part lacks of each
 * class, and of rows at all, that takes away most. A part that lacks most is not full, so that without classes it ends at most
 * the largest group above its size.
 */
function divideGroups(
  groups: RowClasses,
  classes: RowClasses | undefined,
  sizes: readonly number[],
  order: Permutation,
): Uint32Array {
  const length = groups.ids.length;
  const contents = groups.counts.map(() => new Map<number, number>());
  for (let row = 0; row < length; row++) {
    const content = contents[groups.ids[row] as number] as Map<number, number>;
    for (const id of classes === undefined ? [0] : [classes.ids[row] as number, classes.counts.length]) {
      content.set(id, (content.get(id) ?? 0) + 1);
    }
  }
  // Rows at all are one more class, which every row is of: classes alone may leave a small part empty.
  const totals = [...(classes?.counts ?? []), length];
  const lacking = sizes.map((size) => Float64Array.from(totals, (total) => (size * total) / length));
  const parts = new Uint32Array(contents.length);
  for (let at = 0; at < contents.length; at++) {
    const group = order.row(at);
    const content = contents[group] as Map<number, number>;
    let [best, bestGain] = [0, Number.NEGATIVE_INFINITY];
    for (const [part, lacks] of lacking.entries()) {
      let gain = 0;
      for (const [id, count] of content) gain += count * (lacks[id] as number);
      if (gain > bestGain) [best, bestGain] = [part, gain];
    }
    parts[group] = best;
    const lacks = lacking[best] as Float64Array;
    for (const [id, count] of content) lacks[id] = (lacks[id] as number) - count;
  }
  return parts;
}

function collect(
  length: number,
  names: readonly string[],
  partOf: (row: number) => number,
): Record<string, RowSelection> {
  const parts = names.length > 256 ? new Uint32Array(length) : new Uint8Array(length);
  const counts = names.map(() => 0);
  for (let row = 0; row < length; row++) {
    const part = partOf(row);
    parts[row] = part;
    counts[part] = (counts[part] as number) + 1;
  }
  const rows = counts.map((count) => rowIndices(length, count));
  const filled = counts.map(() => 0);
  for (let row = 0; row < length; row++) {
    const part = parts[row] as number;
    const at = filled[part] as number;
    (rows[part] as Float64Array)[at] = row;
    filled[part] = at + 1;
  }
  return Object.fromEntries(names.map((name, part) => [name, RowSelection.of(rows[part] as Float64Array)]));
}
