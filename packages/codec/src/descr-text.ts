import type { Descr, DescrField } from "./element-type.ts";
import { defaultLimits } from "./limits.ts";
import { NpyError } from "./npy-error.ts";
import { formatPythonString, PythonTuple, type PythonValue } from "./python-literal.ts";
import { pythonType } from "./python-type.ts";

/**
 * Takes a descr out of a parsed header: a type string, or a list of fields at any depth.
 *
 * @throws NpyError `ERR_NPY_DTYPE` for anything else.
 */
export function readDescr(value: PythonValue | undefined): Descr {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(readField);
  throw new NpyError("ERR_NPY_DTYPE", `descr is a type string or a list of fields, not ${pythonType(value)}`);
}

/** Writes a descr as Python's `repr` of NumPy's `dtype.descr`: `'<f4'`, `[('a', '<i4'), ('b', '<f8', (2, 2))]`. */
export function formatDescr(descr: Descr): string {
  if (typeof descr === "string") return formatPythonString(descr);
  return `[${descr.map(formatField).join(", ")}]`;
}

function readField(value: PythonValue): DescrField {
  const items = value instanceof PythonTuple ? value.items : [];
  const [label, descr, shape] = items;
  if (items.length < 2 || items.length > 3) {
    throw new NpyError("ERR_NPY_DTYPE", `a field of descr is a tuple of 2 or 3, not ${pythonType(value)}`);
  }
  const base =
    descr instanceof PythonTuple ? unnest(descr, shape) : { descr: readDescr(descr), shape: readShape(shape) };
  return base.shape.length === 0 ? [readLabel(label), base.descr] : [readLabel(label), base.descr, base.shape];
}

/** A type that is itself a sub-array, `('<f4', (3,))`: its shape comes behind that of the field. */
function unnest(tuple: PythonTuple, outer: PythonValue | undefined): { descr: Descr; shape: number[] } {
  const [base, inner, ...others] = tuple.items;
  if (inner === undefined || others.length > 0) {
    throw new NpyError("ERR_NPY_DTYPE", `a field's type and shape are a tuple of 2, not ${pythonType(tuple)}`);
  }
  const shape = [...readShape(outer), ...readShape(inner)];
  if (!(base instanceof PythonTuple)) return { descr: readDescr(base), shape };
  const deeper = unnest(base, undefined);
  return { descr: deeper.descr, shape: [...shape, ...deeper.shape] };
}

function readLabel(label: PythonValue | undefined): DescrField[0] {
  if (typeof label === "string") return label;
  if (label instanceof PythonTuple && label.items.length === 2) {
    const [title, name] = label.items;
    if (typeof title === "string" && typeof name === "string") return [title, name];
  }
  throw new NpyError(
    "ERR_NPY_DTYPE",
    `the name of a field is a str or a tuple of title and name, not ${pythonType(label)}`,
  );
}

function readShape(value: PythonValue | undefined): number[] {
  if (value === undefined) return [];
  const extents = value instanceof PythonTuple ? value.items : [value];
  if (extents.length > defaultLimits.rank) {
    throw new NpyError("ERR_LIMIT_RANK", `a sub-array has ${extents.length} axes, the limit is ${defaultLimits.rank}`);
  }
  return extents.map((extent) => {
    if (typeof extent !== "bigint" || extent < 0n || extent > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new NpyError(
        "ERR_NPY_DTYPE",
        `the shape of a sub-array holds ${typeof extent === "bigint" ? extent : pythonType(extent)}: an extent is an int from 0`,
      );
    }
    return Number(extent);
  });
}

function formatField([label, descr, shape]: DescrField): string {
  const name =
    typeof label === "string"
      ? formatPythonString(label)
      : `(${label.map((part) => formatPythonString(part)).join(", ")})`;
  const extents = shape === undefined || shape.length === 0 ? "" : `, ${formatTuple(shape)}`;
  return `(${name}, ${formatDescr(descr)}${extents})`;
}

/** Writes numbers as a Python tuple: `(3,)`, `(3, 4)`, `()`. */
export function formatTuple(numbers: readonly number[]): string {
  return numbers.length === 1 ? `(${numbers[0]},)` : `(${numbers.join(", ")})`;
}
