import { type ByteReadOptions, type Complex, decodeLatin1, NdArray, scalarAt, shapeSize } from "@npystream/codec";
import { fieldChunks } from "./field-chunks.ts";
import type { RowFields } from "./row-fields.ts";

/** Which rows have the same value. */
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
  checkSingle(name, fields.type(name).dtype, fields.rowShape(name));
  const classes = new Classes(fields.length);
  for await (const { start, arrays } of fieldChunks(fields, [name], options)) {
    if (arrays[name] !== undefined) classes.addArray(arrays[name], start);
  }
  return classes;
}

/**
 * Tells which of given values are the same, as {@link readClasses} does of a field's.
 *
 * @throws TypeError as `readClasses`.
 */
export function classesOf(values: ArrayLike<unknown> | NdArray): RowClasses {
  const classes = new Classes(values.length);
  if (values instanceof NdArray) {
    checkSingle("the array", values.dtype, values.shape.slice(1));
    classes.addArray(values, 0);
  } else {
    for (let row = 0; row < values.length; row++) classes.add(row, keyOf(values[row]));
  }
  return classes;
}

class Classes implements RowClasses {
  readonly ids: Uint32Array;
  readonly counts: number[] = [];
  readonly #known = new Map<unknown, number>();

  constructor(rows: number) {
    this.ids = new Uint32Array(rows);
  }

  addArray(array: NdArray, start: number): void {
    const { type, data, offset, size } = array.contiguous();
    for (let row = 0; row < size; row++) this.add(start + row, keyOf(scalarAt(type, data, offset + row)));
  }

  add(row: number, key: unknown): void {
    let id = this.#known.get(key);
    if (id === undefined) {
      id = this.#known.size;
      this.#known.set(key, id);
    }
    this.ids[row] = id;
    this.counts[id] = (this.counts[id] ?? 0) + 1;
  }
}

/** What a `Map` tells two values apart by. */
function keyOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return decodeLatin1(value);
  // A complex number is a new object each time; as text -0 is 0.
  if (isComplex(value)) return `${value.re} ${value.im}`;
  return value;
}

function isComplex(value: unknown): value is Complex {
  return typeof value === "object" && value !== null && "re" in value && "im" in value;
}

function checkSingle(name: string, dtype: string, rowShape: readonly number[]): void {
  if (shapeSize(rowShape) === 1 && dtype !== "struct") return;
  const what = dtype === "struct" ? "structs" : `rows of shape [${rowShape.join(", ")}]`;
  throw new TypeError(`rows are told apart by a field with one value a row, and ${name} has ${what}`);
}
