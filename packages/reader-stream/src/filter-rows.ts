import type { ByteReadOptions, NdArray } from "@npystream/codec";
import { fieldChunks } from "./field-chunks.ts";
import type { RowFields } from "./row-fields.ts";
import { RowSelection, rowIndices } from "./row-selection.ts";

/** Tells of a row whether it is wanted: `rows` are arrays of consecutive rows, `index` is its place in them. */
export type AnyRowPredicate = (rows: Readonly<Record<string, NdArray>>, index: number) => boolean;

/** Finds the rows that `predicate` wants in one pass over the fields; a bit a row is remembered. */
export async function filterRows(
  fields: RowFields,
  names: readonly string[],
  predicate: AnyRowPredicate,
  options: ByteReadOptions,
): Promise<RowSelection> {
  const bitmap = new Uint8Array(Math.ceil(fields.length / 8));
  let count = 0;
  for await (const { start, rows, arrays } of fieldChunks(fields, names, options)) {
    for (let index = 0; index < rows; index++) {
      const isWanted = predicate(arrays, index);
      // A promise is truthy, so that every row would be wanted.
      if (typeof isWanted !== "boolean") throw new TypeError(`where takes what gives true or false, not ${isWanted}`);
      if (!isWanted) continue;
      count++;
      const row = start + index;
      const byte = Math.floor(row / 8);
      bitmap[byte] = (bitmap[byte] as number) | (1 << (row % 8));
    }
  }
  const found = rowIndices(fields.length, count);
  for (let row = 0, at = 0; at < count; row++) {
    if (((bitmap[Math.floor(row / 8)] as number) >> (row % 8)) & 1) found[at++] = row;
  }
  return RowSelection.of(found);
}
