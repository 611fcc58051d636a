import type { ByteOrder, ByteSwap } from "./byte-order.ts";
import type { Descr, DescrField, ElementType, StructField } from "./element-type.ts";
import { MAX_ITEM_BYTES } from "./limits.ts";
import { NpyError } from "./npy-error.ts";
import { shapeSize } from "./shape.ts";

/** An element type as a file has it. */
export interface ParsedDescr {
  readonly type: ElementType;
  /** Order of the bytes in the file; `mixed` where fields of a struct differ. */
  readonly byteOrder: ByteOrder | "mixed";
  readonly swaps: readonly ByteSwap[];
}

/** What a list of fields says. */
export interface ParsedFields {
  readonly fields: readonly StructField[];
  /** The same list in the machine's byte order and NumPy's own form. */
  readonly descr: readonly DescrField[];
  readonly itemSize: number;
  readonly swaps: readonly ByteSwap[];
  readonly byteOrders: ReadonlySet<ByteOrder | "mixed">;
}

/** A sub-array of no bytes makes lists all the same: a short header could ask for billions in every record. */
const MAX_EMPTY_ENTRIES = 1024;

/** A short header can ask for a swap a byte of a record of 2 GiB; this many are more than the fields of any real one. */
const MAX_SWAPS = 65_536;

/**
 * Works out the fields of a struct, their offsets one behind the other as NumPy does.
 *
 * @param parse - Reads the type of a field.
 * @throws NpyError `ERR_NPY_DTYPE` for two fields of one name, a record past 2^31 - 1 bytes or a long sub-array
 *   without bytes, and those of `parse`.
 */
export function parseFields(list: readonly DescrField[], parse: (descr: Descr) => ParsedDescr): ParsedFields {
  const fields: StructField[] = [];
  const descr: DescrField[] = [];
  const swaps: ByteSwap[] = [];
  const byteOrders = new Set<ByteOrder | "mixed">();
  const names = new Set<string>();
  let offset = 0;
  for (const [label, fieldDescr, shape = []] of list) {
    const { type, byteOrder, swaps: fieldSwaps } = parse(fieldDescr);
    const [title, name] = typeof label === "string" ? [undefined, label] : label;
    const count = shapeSize(shape, type.itemSize);
    if (count * type.itemSize === 0 && entriesOf(shape, type) > MAX_EMPTY_ENTRIES) {
      throw new NpyError(
        "ERR_NPY_DTYPE",
        `a sub-array without bytes has at most ${MAX_EMPTY_ENTRIES} entries, not those of [${shape.join(", ")}]`,
      );
    }
    // NumPy takes any sub-array without a name for padding too, and nothing that has a title.
    const isPadding = label === "" && (type.dtype === "void" || shape.length > 0);
    if (!isPadding) {
      // A title is a name too, as NumPy has it.
      for (const one of title === undefined ? [name] : [name, title]) {
        if (names.has(one)) throw new NpyError("ERR_NPY_DTYPE", `two fields are named ${JSON.stringify(one)}`);
        names.add(one);
      }
      fields.push({ name, ...(title === undefined ? {} : { title }), type, shape: Object.freeze([...shape]), offset });
    }
    if (isPadding) descr.push(["", `|V${type.itemSize * count}`]);
    else descr.push(shape.length === 0 ? [label, type.descr] : [label, type.descr, shape]);
    for (const swap of isPadding ? [] : repeatSwaps(fieldSwaps, offset, type.itemSize, count)) {
      if (swaps.push(swap) > MAX_SWAPS) throw tooManySwaps();
    }
    if (!isPadding && hasByteOrder(type)) byteOrders.add(byteOrder);
    offset += type.itemSize * count;
    if (offset > MAX_ITEM_BYTES)
      throw new NpyError("ERR_NPY_DTYPE", `a record has at most 2^31 - 1 bytes, not ${offset}`);
  }
  return { fields, descr, itemSize: offset, swaps, byteOrders };
}

/** How many lists the values of a sub-array have at most, those of the sub-arrays of its items included. */
function entriesOf(shape: readonly number[], { fields = [] }: ElementType): number {
  const own = shape.reduce((product, extent) => product * Math.max(1, extent), 1);
  return own * Math.max(1, ...fields.map((field) => entriesOf(field.shape, field.type)));
}

/** Whether two types of this one could differ in byte order. */
function hasByteOrder(type: ElementType): boolean {
  return typeof type.descr !== "string" || !type.descr.startsWith("|");
}

/** Swaps of one element for `count` that follow each other; a single run of units stays one. */
function repeatSwaps(swaps: readonly ByteSwap[], offset: number, itemSize: number, count: number): ByteSwap[] {
  const [only] = swaps;
  if (only === undefined || count === 0) return [];
  if (swaps.length === 1 && only.unit * only.count === itemSize) {
    return [{ offset, unit: only.unit, count: only.count * count }];
  }
  if (swaps.length * count > MAX_SWAPS) throw tooManySwaps();
  return Array.from({ length: count }, (_, i) =>
    swaps.map((swap) => ({ ...swap, offset: offset + i * itemSize + swap.offset })),
  ).flat();
}

function tooManySwaps(): NpyError {
  return new NpyError("ERR_NPY_DTYPE", `more than ${MAX_SWAPS} parts of a record are in another byte order`);
}
