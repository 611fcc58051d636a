import { type ByteReadOptions, decodeLatin1, type NdArray, scalarAt, shapeSize } from "@npystream/codec";
import { fieldChunks } from "./field-chunks.ts";
import type { RowFields } from "./row-fields.ts";

/** Which rows of a field have the same value. */
export interface RowClasses {
  /** Class of each row; classes are numbered as they are first met. */
  readonly ids: Uint32Array;
  /** Number of rows of each class. */
  readonly counts: readonly number[];
}

/**
 * Reads a field once and tells which of its values are the same. All NaN are one value, and so are 0 and -0.
 *
 * @throws TypeError where the rows have more than one element, or are structs.
 */
export async function readClasses(fields: RowFields, name: string, options: ByteReadOptions): Promise<RowClasses> {
  const type = fields.type(name);
  if (shapeSize(fields.rowShape(name)) !== 1 || type.dtype === "struct") {
    const what = type.dtype === "struct" ? "structs" : `rows of shape [${fields.rowShape(name).join(", ")}]`;
    throw new TypeError(`rows are told apart by a field with one value a row, and ${name} has ${what}`);
  }
  const ids = new Uint32Array(fields.length);
  const counts: number[] = [];
  const known = new Map<unknown, number>();
  for await (const { start, rows, arrays } of fieldChunks(fields, [name], options)) {
    const array = arrays[name];
    if (array === undefined) break;
    for (let row = 0; row < rows; row++) {
      const value = valueAt(array, row);
      let id = known.get(value);
      if (id === undefined) {
        id = known.size;
        known.set(value, id);
      }
      ids[start + row] = id;
      counts[id] = (counts[id] ?? 0) + 1;
    }
  }
  return { ids, counts };
}

/** What a `Map` tells two values apart by. */
function valueAt({ type, data }: NdArray, row: number): unknown {
  const value = scalarAt(type, data, row);
  if (value instanceof Uint8Array) return decodeLatin1(value);
  if (typeof value === "object") return JSON.stringify(value);
  return value;
}
