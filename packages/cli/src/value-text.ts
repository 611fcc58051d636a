import {
  type Complex,
  type DTypeKind,
  decodeLatin1,
  dtypeInfo,
  type ElementType,
  formatDatetime,
  NaT,
  type NestedScalar,
  type Scalar,
  type StructField,
} from "@npystream/codec";
import { fieldOf, isList, leavesOf } from "./nested-value.ts";
import { doubleText, shortestDouble } from "./number-text.ts";
import { printable } from "./printable-text.ts";

/** How one value is written in each of the formats. */
export interface ValueText {
  /** A JSON value. */
  readonly json: (value: Scalar) => string;
  /** A field of a CSV line, quoted where it has to be; of a record all its fields, separated by commas. */
  readonly csv: (value: Scalar) => string;
  /** Adds the words of a table in NumPy's and Python's spelling: one, or those of a record's fields. */
  readonly words: (value: Scalar, into: string[]) => void;
}

/** Writers of each NumPy `dtype.kind`; the kind says what JavaScript type its scalars have, hence the casts. */
const writers: { readonly [K in DTypeKind]: (type: ElementType) => ValueText } = {
  b: () => simple(String, String, (value) => (value ? "True" : "False")),
  i: integerText,
  u: integerText,
  f: ({ itemSize }) =>
    simple(
      (value) => jsonFloat(value as number),
      (value) => csvFloat(value as number),
      (value) => plainFloat(value as number, itemSize),
    ),
  c: ({ itemSize }) =>
    simple(
      (value) => `[${jsonFloat((value as Complex).re)},${jsonFloat((value as Complex).im)}]`,
      (value) => complexText(value as Complex, csvFloat),
      (value) => complexText(value as Complex, (part) => plainFloat(part, itemSize / 2)),
    ),
  m: () =>
    simple(
      (value) => `"${value}"`,
      String,
      (value) => (value === NaT ? "NaT" : String(value)),
    ),
  M: (type) => textual((value) => formatDatetime(value as bigint, type)),
  S: () => textual((value) => decodeLatin1(value as Uint8Array)),
  U: () => textual((value) => value as string),
  V: (type) => (type.fields === undefined ? textual((value) => hexText(value as Uint8Array)) : recordText(type.fields)),
};

/** Gives the writers of one element type. */
export function valueText(type: ElementType): ValueText {
  return writers[dtypeInfo(type.dtype).kind](type);
}

/** Bytes as hexadecimal digits, two a byte. */
function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function simple(
  json: (value: Scalar) => string,
  csv: (value: Scalar) => string,
  word: (value: Scalar) => string,
): ValueText {
  return { json, csv, words: (value, into) => void into.push(word(value)) };
}

function textual(text: (value: Scalar) => string): ValueText {
  return simple(
    (value) => JSON.stringify(text(value)),
    (value) => csvField(text(value)),
    // A line end in a text would end the table's line.
    (value) => printable(text(value)),
  );
}

/** Quotes a field where RFC 4180 asks for it; an empty one too, since a line of nothing else would be no row. */
export function csvField(text: string): string {
  return text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** 64 bits do not fit a JSON number: most readers would round them to a double. */
function integerText({ itemSize }: ElementType): ValueText {
  return simple(itemSize === 8 ? (value) => `"${value}"` : String, String, String);
}

function recordText(fields: readonly StructField[]): ValueText {
  const columns = fields.map(({ name, type }) => ({ name, label: JSON.stringify(name), text: valueText(type) }));
  return {
    json: (value) =>
      `{${columns.map(({ name, label, text }) => `${label}:${jsonNested(fieldOf(value, name), text)}`).join(",")}}`,
    csv: (value) =>
      columns.flatMap(({ name, text }) => leavesOf(fieldOf(value, name)).map((leaf) => text.csv(leaf))).join(","),
    words: (value, into) => {
      for (const { name, text } of columns) for (const leaf of leavesOf(fieldOf(value, name))) text.words(leaf, into);
    },
  };
}

function jsonNested(value: NestedScalar, text: ValueText): string {
  return isList(value) ? `[${value.map((entry) => jsonNested(entry, text)).join(",")}]` : text.json(value);
}

function jsonFloat(value: number): string {
  return Number.isFinite(value) ? doubleText(value) : `"${value}"`;
}

function csvFloat(value: number): string {
  return Number.isFinite(value) ? doubleText(value) : String(value);
}

/** The shortest text that gives the same float of this size, `0.1` for a float32 and a float64 alike. */
function plainFloat(value: number, itemSize: number): string {
  if (Number.isFinite(value)) return doubleText(shortestDouble(value, itemSize));
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/** Python's `complex()` reads this. */
function complexText({ re, im }: Complex, part: (value: number) => string): string {
  const imaginary = part(im);
  return `${part(re)}${imaginary.startsWith("-") ? "" : "+"}${imaginary}j`;
}
