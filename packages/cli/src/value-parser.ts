import { type DTypeKind, dtypeInfo, type ElementType } from "@npystream/codec";
import { UsageError } from "./usage-error.ts";

/** Reads one value, as `npystream cat` writes it and as Python does. Both throw a RangeError for what is none. */
export interface ValueParser {
  /** From a field of a CSV line. */
  readonly text: (text: string) => unknown;
  /** From a JSON value. */
  readonly json: (value: unknown) => unknown;
  /** Whether a JSON list of two is one value: real and imaginary part. */
  readonly isPair: boolean;
}

const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
};
/** `1.0+2.0j`, in which an exponent may hold a sign as well. */
const COMPLEX = /^\(?(.*?[^e])([+-][^+-]*(?:e[+-]\d+)?)j\)?$/i;

const parsers: { readonly [K in DTypeKind]?: (type: ElementType) => ValueParser } = {
  b: () => simple(parseBoolean, (value) => (typeof value === "boolean" ? value : parseBoolean(String(value)))),
  i: integers,
  u: integers,
  m: integers,
  f: () => simple(parseFloatText, jsonFloat),
  c: () => ({ text: parseComplex, json: jsonComplex, isPair: true }),
  S: () => simple((text) => text, jsonText),
  U: () => simple((text) => text, jsonText),
};

/** Gives what reads values of one type. @throws UsageError for a type that is not read from text. */
export function valueParser(type: ElementType): ValueParser {
  const parser = parsers[dtypeInfo(type.dtype).kind];
  if (parser === undefined) throw new UsageError(`values of ${type.dtype} are not read from text`);
  return parser(type);
}

function simple(text: (text: string) => unknown, json: (value: unknown) => unknown): ValueParser {
  return { text, json, isPair: false };
}

/** Those of 64 bits pass what a number holds exactly. */
function integers({ itemSize }: ElementType): ValueParser {
  const parse = (text: string): number | bigint => {
    const trimmed = text.trim();
    if (!INTEGER.test(trimmed)) throw new RangeError(`${quoted(text)} is no integer`);
    return itemSize === 8 ? BigInt(trimmed.replace(/^\+/, "")) : Number(trimmed);
  };
  return simple(parse, (value) => (typeof value === "number" ? value : parse(textOf(value, "integer"))));
}

function parseFloatText(text: string): number {
  const trimmed = text.trim();
  if (DECIMAL.test(trimmed)) return Number(trimmed);
  const special = SPECIAL[trimmed.replace(/^[+-]/, "").toLowerCase()];
  if (special === undefined) throw new RangeError(`${quoted(text)} is no number`);
  return trimmed.startsWith("-") ? -special : special;
}

function jsonFloat(value: unknown): number {
  return typeof value === "number" ? value : parseFloatText(textOf(value, "number"));
}

function parseBoolean(text: string): boolean {
  switch (text.trim().toLowerCase()) {
    case "true":
    case "1":
      return true;
    case "false":
    case "0":
      return false;
    default:
      throw new RangeError(`${quoted(text)} is no boolean`);
  }
}

function parseComplex(text: string): { readonly re: number; readonly im: number } {
  const [, re, im] = COMPLEX.exec(text.trim()) ?? [];
  if (re === undefined || im === undefined) return { re: parseFloatText(text), im: 0 };
  return { re: parseFloatText(re), im: parseFloatText(im) };
}

function jsonComplex(value: unknown): unknown {
  if (!Array.isArray(value)) return jsonFloat(value);
  const [re, im, ...more] = value;
  if (im === undefined || more.length > 0) throw new RangeError(`${quoted(JSON.stringify(value))} is no pair`);
  return { re: jsonFloat(re), im: jsonFloat(im) };
}

function jsonText(value: unknown): string {
  return textOf(value, "text");
}

function textOf(value: unknown, wanted: string): string {
  if (typeof value === "string") return value;
  throw new RangeError(`${quoted(JSON.stringify(value) ?? String(value))} is no ${wanted}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
