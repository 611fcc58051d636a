import { type ByteOrder, nativeByteOrder } from "./byte-order.ts";
import { type DatetimeUnit, formatDatetimeUnit, parseDatetimeUnit } from "./datetime-unit.ts";
import { type DType, dtypeInfo } from "./dtype.ts";
import { MAX_ITEM_BYTES } from "./limits.ts";
import { NpyError } from "./npy-error.ts";

/** What a type string says. */
export interface ParsedTypeString {
  readonly dtype: DType;
  /** Bytes an element. */
  readonly itemSize: number;
  /** Unit of a datetime or timedelta. */
  readonly unit: DatetimeUnit | undefined;
  readonly byteOrder: ByteOrder;
}

/** Type characters with the size in bytes, as NumPy writes them. */
const SIZED_CHARS: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["b1", "bool"],
  ["i1", "int8"],
  ["i2", "int16"],
  ["i4", "int32"],
  ["i8", "int64"],
  ["u1", "uint8"],
  ["u2", "uint16"],
  ["u4", "uint32"],
  ["u8", "uint64"],
  ["f2", "float16"],
  ["f4", "float32"],
  ["f8", "float64"],
  ["f12", "float96"],
  ["f16", "float128"],
  ["c8", "complex64"],
  ["c16", "complex128"],
  ["c24", "complex192"],
  ["c32", "complex256"],
]);

/** Names that `np.dtype` takes beside `dtype.name`; those of C types are as on 64-bit Linux. */
const ALIASES: ReadonlyMap<string, DType> = new Map<string, DType>([
  ...(["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16"] as const).map(same),
  ...(["bfloat16", "float32", "float64", "float96", "float128", "complex64", "complex128"] as const).map(same),
  ...(["complex192", "complex256"] as const).map(same),
  ...aliases("bool", "? bool_"),
  ...aliases("int8", "b byte"),
  ...aliases("int16", "h short"),
  ...aliases("int32", "i intc"),
  ...aliases("int64", "l q p n long longlong int int_ intp"),
  ...aliases("uint8", "B ubyte"),
  ...aliases("uint16", "H ushort"),
  ...aliases("uint32", "I uintc"),
  ...aliases("uint64", "L Q P N ulong ulonglong uint uintp"),
  ...aliases("float16", "e half"),
  ...aliases("float32", "f single"),
  ...aliases("float64", "d double float"),
  ...aliases("float128", "g longdouble"),
  ...aliases("complex64", "F csingle"),
  ...aliases("complex128", "D cdouble complex"),
  ...aliases("complex256", "G clongdouble"),
]);

/** Kinds whose size stands behind the letter, and the bytes that the number counts. */
const FLEXIBLE: ReadonlyMap<string, { readonly dtype: DType; readonly unitBytes: number }> = new Map([
  ["S", { dtype: "bytes", unitBytes: 1 }],
  ["a", { dtype: "bytes", unitBytes: 1 }],
  ["U", { dtype: "str", unitBytes: 4 }],
  ["V", { dtype: "void", unitBytes: 1 }],
]);

/**
 * Reads NumPy's type string (`<f4`, `|b1`, `=i8`, `f4`, `?`, `<U5`, `>M8[25s]`) or dtype name (`float32`).
 *
 * @throws NpyError `ERR_NPY_OBJECT` for pickled objects, which are code; `ERR_NPY_DTYPE` for a type there is not.
 */
export function parseTypeString(text: string): ParsedTypeString {
  const [, mark = "", chars = ""] = /^([<>=|]?)([\s\S]*)$/.exec(text) ?? [];
  if (/^(O[48]?|object_?)$/.test(chars)) {
    throw new NpyError(
      "ERR_NPY_OBJECT",
      `dtype ${JSON.stringify(text)} holds pickled Python objects, which are code and never unpickled`,
    );
  }
  const found = parsePlain(chars) ?? parseFlexible(chars) ?? parseTime(chars);
  if (found === undefined) {
    throw new NpyError("ERR_NPY_DTYPE", `dtype ${JSON.stringify(text.slice(0, 80))} is not one that is read`);
  }
  const isForeign = mark === (nativeByteOrder === "little" ? ">" : "<");
  const opposite = nativeByteOrder === "little" ? "big" : "little";
  return { ...found, byteOrder: isForeign && hasByteOrder(found.dtype) ? opposite : nativeByteOrder };
}

/** Writes the type string NumPy writes for an element in the machine's byte order: `<f4`, `|u1`, `<U5`, `<M8[ns]`. */
export function formatTypeString(dtype: DType, itemSize: number, unit: DatetimeUnit | undefined): string {
  const { kind } = dtypeInfo(dtype);
  const mark = hasByteOrder(dtype) ? (nativeByteOrder === "little" ? "<" : ">") : "|";
  // ml_dtypes writes bfloat16 as void in the machine's order, with its mark.
  if (dtype === "bfloat16") return `${nativeByteOrder === "little" ? "<" : ">"}V2`;
  return `${mark}${kind}${kind === "U" ? itemSize / 4 : itemSize}${formatDatetimeUnit(unit)}`;
}

/** Whether elements have an order of bytes: not those of one byte, nor raw bytes. */
function hasByteOrder(dtype: DType): boolean {
  const { kind, itemSize } = dtypeInfo(dtype);
  return kind === "U" || itemSize > 1;
}

type Plain = Omit<ParsedTypeString, "byteOrder">;

function parsePlain(chars: string): Plain | undefined {
  const dtype = SIZED_CHARS.get(chars) ?? ALIASES.get(chars);
  return dtype === undefined ? undefined : { dtype, itemSize: dtypeInfo(dtype).itemSize, unit: undefined };
}

function parseFlexible(chars: string): Plain | undefined {
  const [, word = "", digits = ""] = /^(S|a|U|V|bytes_?|str_?|void|c)([0-9]{0,10})$/.exec(chars) ?? [];
  if (word === "c") return digits === "" ? { dtype: "bytes", itemSize: 1, unit: undefined } : undefined;
  const letter = word.startsWith("b") ? "S" : word.startsWith("s") ? "U" : word === "void" ? "V" : word;
  const kind = FLEXIBLE.get(letter);
  if (kind === undefined || (letter !== word && digits !== "")) return undefined;
  const itemSize = Number(digits) * kind.unitBytes;
  return itemSize > MAX_ITEM_BYTES ? undefined : { dtype: kind.dtype, itemSize, unit: undefined };
}

function parseTime(chars: string): Plain | undefined {
  const [, word = "", unitText = ""] = /^(M8?|m8?|datetime64|timedelta64)(?:\[([^\]]*)\])?$/.exec(chars) ?? [];
  if (word === "") return undefined;
  const unit = parseDatetimeUnit(unitText);
  const isTimedelta = word.startsWith("m") || word.startsWith("t");
  const brackets = formatDatetimeUnit(unit) as "" | `[${string}]`;
  return { dtype: `${isTimedelta ? "timedelta64" : "datetime64"}${brackets}` as DType, itemSize: 8, unit };
}

function same<D extends DType>(dtype: D): [string, DType] {
  return [dtype, dtype];
}

function aliases(dtype: DType, names: string): [string, DType][] {
  return names.split(" ").map((name) => [name, dtype]);
}
