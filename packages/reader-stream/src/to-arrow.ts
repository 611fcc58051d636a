import { arrayBytes, type DType, NdArray, scalarAt, shapeSize, viewData } from "@npystream/codec";
import { refusePooled } from "./pooled-memory.ts";

/** What {@link toArrow} needs of `apache-arrow`. */
export interface ArrowModule<Table> {
  /** Class of its tables. */
  readonly Table: {
    /** Makes one. */
    new (columns: never): Table;
  };
  /** Class of its fields. */
  readonly Field: {
    /** Makes one. */
    new (name: never, type: never, nullable: never): unknown;
  };
  /** Class of its lists of fixed size. */
  readonly FixedSizeList: {
    /** Makes one. */
    new (size: never, field: never): unknown;
  };
  /** Makes the data of a column. */
  makeData(properties: never): unknown;
  /** Makes a column. */
  makeVector(data: never): unknown;
}

/** The same, as it is called here. */
interface Arrow<Table> {
  readonly Table: new (columns: Readonly<Record<string, unknown>>) => Table;
  readonly Field: new (name: string, type: unknown, isNullable: boolean) => unknown;
  readonly FixedSizeList: new (size: number, field: unknown) => unknown;
  readonly makeData: (properties: Readonly<Record<string, unknown>>) => unknown;
  readonly makeVector: (data: unknown) => unknown;
}

/** Arrow's class of each type. */
const ARROW_TYPES: Readonly<Partial<Record<DType, string>>> = {
  bool: "Bool",
  int8: "Int8",
  int16: "Int16",
  int32: "Int32",
  int64: "Int64",
  uint8: "Uint8",
  uint16: "Uint16",
  uint32: "Uint32",
  uint64: "Uint64",
  float16: "Float16",
  float32: "Float32",
  float64: "Float64",
  str: "Utf8",
};

/**
 * Makes a table of Apache Arrow of a batch, or of any arrays of one length: a column a field, and lists of fixed size where
 * a row has axes of its own. What is no array, such as `meta`, is left out. The module is passed in; nothing is imported.
 *
 * Numbers are not copied where they lie in C order, so that a pooled batch is refused; booleans become bits and text UTF-8.
 *
 * @example
 * const table = toArrow(arrow, batch);
 * await writeFile("batch.arrow", arrow.tableToIPC(table, "file"));
 *
 * @throws TypeError for a dtype that Arrow does not have, such as complex64, for no array at all, for one without rows
 *   (0-d), and for a pooled batch. RangeError where the arrays differ in length.
 */
export function toArrow<Table>(arrow: ArrowModule<Table>, batch: object): Table {
  const module = arrow as unknown as Arrow<Table>;
  const arrays = Object.entries(batch).filter((entry): entry is [string, NdArray] => entry[1] instanceof NdArray);
  const [first] = arrays;
  if (first === undefined) throw new TypeError("a table is made of at least one array");
  const columns = arrays.map(([name, array]) => {
    if (array.rank === 0) throw new TypeError(`${name} is a single element and has no rows`);
    if (array.length !== first[1].length) {
      throw new RangeError(`${first[0]} has ${first[1].length} rows and ${name} has ${array.length}`);
    }
    return [name, module.makeVector(columnData(module, name, array))] as const;
  });
  return new module.Table(Object.fromEntries(columns));
}

function columnData(arrow: Arrow<unknown>, name: string, array: NdArray): unknown {
  const typeName = ARROW_TYPES[array.dtype];
  const types = arrow as unknown as Readonly<Record<string, (new () => unknown) | undefined>>;
  const Type = typeName === undefined ? undefined : types[typeName];
  if (Type === undefined) {
    throw new TypeError(`Arrow has no column of ${array.dtype}, which ${name} is: name another type with as`);
  }
  refusePooled(array, "Arrow");
  let type: unknown = new Type();
  let data = arrow.makeData({ type, length: array.size, nullCount: 0, ...elementBuffers(array) });
  // The innermost axis is the innermost list.
  for (let axis = array.rank - 1; axis > 0; axis--) {
    type = new arrow.FixedSizeList(array.shape[axis] ?? 0, new arrow.Field("item", type, false));
    data = arrow.makeData({ type, length: shapeSize(array.shape.slice(0, axis)), nullCount: 0, child: data });
  }
  return data;
}

function elementBuffers(array: NdArray): Readonly<Record<string, unknown>> {
  if (array.dtype === "str") return textBuffers(array);
  const bytes = arrayBytes(array);
  if (array.dtype === "bool") return { data: packBits(bytes) };
  // Arrow has the bits of a float16, also where the runtime has arrays of their values.
  const type = array.dtype === "float16" ? "uint16" : array.type;
  return { data: viewData(type, bytes) };
}

/** A bit a boolean, the first in the lowest. */
function packBits(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8));
  for (const [at, value] of bytes.entries()) {
    if (value !== 0) bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
  }
  return bits;
}

function textBuffers(array: NdArray): Readonly<Record<string, unknown>> {
  const { type, data, offset, size } = array.contiguous();
  const texts = Array.from({ length: size }, (_, i) => String(scalarAt(type, data, offset + i)));
  const encoded = texts.map((text) => new TextEncoder().encode(text));
  const valueOffsets = new Int32Array(size + 1);
  for (const [i, { length }] of encoded.entries()) valueOffsets[i + 1] = (valueOffsets[i] as number) + length;
  return { valueOffsets, data: new Uint8Array(Buffer.concat(encoded)) };
}
