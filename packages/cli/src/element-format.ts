import {
  type Complex,
  type DTypeKind,
  dtypeInfo,
  type ElementType,
  formatDatetime,
  NaT,
  type NestedScalar,
  type Scalar,
  type StructField,
  type StructScalar,
  shapeSize,
} from "@npystream/codec";
import { floatFormat } from "./float-format.ts";
import { fieldOf, isList, leavesOf } from "./nested-value.ts";
import { bytesRepr, hexRepr, textRepr } from "./python-repr.ts";

/** Writes one value so that all of an array line up. */
export type ElementFormat = (value: Scalar) => string;

type FormatOf = (type: ElementType, values: readonly Scalar[]) => ElementFormat;

/** NumPy's `threshold`: an array of more values is printed in part. It holds for a sub-array in a record too. */
export const SUMMARY_SIZE = 1000;
/** NumPy's `edgeitems`: values kept at each end of an axis. */
export const EDGE_ITEMS = 3;

/** Formats of each NumPy `dtype.kind`; the kind says what JavaScript type its scalars have, hence the casts. */
const formats: { readonly [K in DTypeKind]: FormatOf } = {
  b: () => (value) => (value ? " True" : "False"),
  i: rightAligned,
  u: rightAligned,
  f: (type, values) => floatFormat(type.itemSize, values as readonly number[]) as ElementFormat,
  c: (type, values) => complexFormat(type, values as readonly Complex[]),
  m: (_type, values) => timeFormat(values as readonly bigint[], String),
  M: (type, values) => timeFormat(values as readonly bigint[], (value) => `'${formatDatetime(value, type)}'`),
  S: () => (value) => bytesRepr(value as Uint8Array),
  U: () => (value) => textRepr(value as string),
  V: ({ fields }, values) =>
    fields === undefined
      ? (value) => hexRepr(value as Uint8Array)
      : recordFormat(fields, values as readonly StructScalar[]),
};

/** Gives the format that NumPy prints `values` in, `_get_format_function` of `numpy/_core/arrayprint.py`. */
export function elementFormat(type: ElementType, values: readonly Scalar[]): ElementFormat {
  return formats[dtypeInfo(type.dtype).kind](type, values);
}

function rightAligned(_type: ElementType, values: readonly Scalar[]): ElementFormat {
  const width = values.reduce<number>((widest, value) => Math.max(widest, String(value).length), 0);
  return (value) => String(value).padStart(width);
}

function complexFormat(type: ElementType, values: readonly Complex[]): ElementFormat {
  const half = type.itemSize / 2;
  const real = floatFormat(
    half,
    values.map(({ re }) => re),
  );
  const imaginary = floatFormat(
    half,
    values.map(({ im }) => im),
    true,
  );
  return (value) => {
    const { re, im } = value as Complex;
    const padded = imaginary(im);
    const word = padded.trimEnd();
    return `${real(re)}${word}j${padded.slice(word.length)}`;
  };
}

/** NumPy takes the width from the earliest and the latest, not from the longest. */
function timeFormat(values: readonly bigint[], text: (value: bigint) => string): ElementFormat {
  const times = values.filter((value) => value !== NaT).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const widths = [times[0], times.at(-1)].map((time) => (time === undefined ? 0 : text(time).length));
  const width = Math.max(...widths, times.length < values.length ? "'NaT'".length : 0);
  return (value) => (value === NaT ? "'NaT'" : text(value as bigint)).padStart(width);
}

function recordFormat(fields: readonly StructField[], records: readonly StructScalar[]): ElementFormat {
  const columns = fields.map(({ name, type, shape }) => {
    const format = elementFormat(
      type,
      records.flatMap((record) => leavesOf(fieldOf(record, name))),
    );
    const size = shapeSize(shape);
    return (record: Scalar) => nestedText(fieldOf(record, name), format, size > SUMMARY_SIZE);
  });
  return (value) => {
    const words = columns.map((column) => column(value));
    return words.length === 1 ? `(${words[0]},)` : `(${words.join(", ")})`;
  };
}

function nestedText(value: NestedScalar, format: ElementFormat, isSummarised: boolean): string {
  if (!isList(value)) return format(value);
  const isCut = isSummarised && value.length > 2 * EDGE_ITEMS;
  const kept = isCut ? [...value.slice(0, EDGE_ITEMS), ...value.slice(-EDGE_ITEMS)] : value;
  const words = kept.map((entry) => nestedText(entry, format, isSummarised));
  if (isCut) words.splice(EDGE_ITEMS, 0, "...");
  return `[${words.join(", ")}]`;
}
