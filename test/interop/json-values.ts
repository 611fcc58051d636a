import { type Complex, decodeLatin1, type ElementType, formatDatetime, NaT, type NdArray } from "@npystream/codec";

/**
 * The elements as `npystream cat --json` prints them and `test/fixtures/generate.py` writes them.
 *
 * Written apart from the command's own printing, so that the two check each other through NumPy's values.
 */
export function jsonValues(array: NdArray): unknown {
  return nested(array.toNested(), array.type);
}

function nested(value: unknown, type: ElementType): unknown {
  return Array.isArray(value) ? value.map((entry) => nested(entry, type)) : scalar(value, type);
}

function scalar(value: unknown, type: ElementType): unknown {
  if (type.fields !== undefined) {
    const record = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(type.fields.map((field) => [field.name, nested(record[field.name], field.type)]));
  }
  if (type.dtype.startsWith("datetime64")) return formatDatetime(value as bigint, type);
  if (typeof value === "bigint") return value === NaT && type.dtype.startsWith("timedelta") ? "NaT" : String(value);
  if (type.dtype === "bytes") return decodeLatin1(value as Uint8Array);
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "object" && value !== null) {
    const { re, im } = value as Complex;
    return [re, im].map((part) => (Number.isFinite(part) ? part : String(part)));
  }
  return value;
}
