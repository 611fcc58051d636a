import { NpyError } from "./npy-error.ts";
import { isSafePath, isSafeSegment, safeSegments } from "./safe-path.ts";

/** Value of one field of a name: a number for `{shard:05}`, text for every other kind. */
export type NameFieldValue = string | number;

/** Fields of a name, by the names they have in the template. */
export type NameFields = Readonly<Record<string, NameFieldValue>>;

type FieldName<P extends string> = P extends `...${infer N}` ? N : P extends `${infer N}:${string}` ? N : P;
type FieldValue<P extends string> = P extends `${string}:0${string}` ? number : string;
type FieldsIn<T extends string> = T extends `${string}{${infer P}}${infer Tail}`
  ? { readonly [N in FieldName<P>]: FieldValue<P> } & FieldsIn<Tail>
  : unknown;

/**
 * The fields of the template `T`: `NameFieldsOf<'{split}/{shard:05}.{role}.npy'>` is
 * `{ split: string; shard: number; role: string }`. A template that is only known at run time has {@link NameFields}.
 */
export type NameFieldsOf<T extends string> = string extends T
  ? NameFields
  : { readonly [N in keyof FieldsIn<T>]: FieldsIn<T>[N] };

/** A convention of file names that both reads and writes them. Made by {@link nameTemplate}. */
export interface NameTemplate<F extends object = NameFields> {
  /** The template as it was given. */
  readonly template: string;
  /** Names of the fields in the order they stand in the template. */
  readonly fieldNames: readonly string[];
  /** Reads the fields out of `path`, relative and with `/` between folders; `null` where it does not fit. */
  parse(path: string): F | null;
  /**
   * Writes the path of `fields`. Fields that the template does not have are left out.
   *
   * @throws NpyError `ERR_TEMPLATE_PATH` where a field is missing, unsafe in a path, or would not be read back as it is.
   */
  format(fields: F): string;
}

/** One piece of a compiled template; `width` is the least number of digits. */
type TemplatePart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "integer"; readonly name: string; readonly width: number }
  | { readonly kind: "text" | "date" | "rest"; readonly name: string };

/** What stands between two `/` of a template. */
type TemplateSegment = readonly TemplatePart[];

/** `...rest`, `key`, `date:iso-date`, or `shard:05` with up to the 16 digits of the largest safe integer. */
const FIELD = /^(\.{3})?([A-Za-z][A-Za-z0-9_]*)(?::(iso-date|0[1-9]|01[0-6]))?$/;

/**
 * Makes a name template of its text.
 *
 * `{key}` is one path segment or a part of one, `{shard:05}` an integer with at least that many digits,
 * `{date:iso-date}` a day such as `2024-02-29`, `{...rest}` any number of folders, and everything else stands for
 * itself, as in the hive style `split={split}`. Parsing never tries twice: within a segment the last fields are read
 * first and take the least, so that in `{key}.{role}.npy` the key may hold dots and the role may not. Formatting
 * refuses what would not be read back, so `parse(format(fields))` gives the same fields and `format(parse(path))` the
 * same path.
 *
 * @example
 * const names = nameTemplate('{split}/{shard:05}.{role}.npy');
 * names.parse('train/00007.labels.npy'); // { split: 'train', shard: 7, role: 'labels' }
 *
 * @throws NpyError `ERR_TEMPLATE` where the text is no template.
 */
export function nameTemplate<const T extends string>(template: T): NameTemplate<NameFieldsOf<T>> {
  const segments = compileTemplate(template);
  const fieldNames = segments.flatMap((segment) =>
    segment.flatMap((part) => (part.kind === "literal" ? [] : part.name)),
  );
  const parse = (path: string): NameFields | null => {
    const folders = safeSegments(path);
    const found = folders === null ? null : matchPath(segments, folders);
    if (found === null) {
      return null;
    }
    const fields: Record<string, NameFieldValue> = {};
    for (const name of fieldNames) {
      fields[name] = found.get(name) ?? "";
    }
    return fields;
  };
  const format = (fields: NameFields): string => {
    const path = segments.flatMap((segment) => formatSegment(template, segment, fields)).join("/");
    const read = parse(path);
    const odd = fieldNames.find((name) => read?.[name] !== fields[name]);
    if (read === null || odd !== undefined) {
      const what = odd === undefined ? "" : `: ${odd} ${JSON.stringify(fields[odd])} would not be read back`;
      throw new NpyError(
        "ERR_TEMPLATE_PATH",
        `${JSON.stringify(path)} is no safe path of the template ${template}${what}`,
      );
    }
    return path;
  };
  // The fields that the text of a template declares are what its compiled form gives, which types cannot follow.
  return { template, fieldNames, parse, format } as NameTemplate<object> as NameTemplate<NameFieldsOf<T>>;
}

function compileTemplate(template: string): TemplateSegment[] {
  const check = (fits: boolean, why: string): void => {
    if (!fits) {
      throw new NpyError("ERR_TEMPLATE", `${JSON.stringify(template)} is no name template: ${why}`);
    }
  };
  check(!/[\p{Cc}\\]/u.test(template), "it holds a backslash or a control character");
  const segments = template.split("/").map((text) => {
    check(!["", ".", ".."].includes(text), "it must be relative, without empty, . or .. folders");
    return compileSegment(text, check);
  });
  const fields = segments.flat().filter((part) => part.kind !== "literal");
  check(new Set(fields.map((field) => field.name)).size === fields.length, "a field stands in it twice");
  check(fields.filter((field) => field.kind === "rest").length <= 1, "two fields take any number of folders");
  return segments;
}

function compileSegment(text: string, check: (fits: boolean, why: string) => void): TemplateSegment {
  const parts: TemplatePart[] = [];
  for (const [index, piece] of text.split(/[{}]/).entries()) {
    if (index % 2 === 0) {
      parts.push(...(piece === "" ? [] : [{ kind: "literal", text: piece } as const]));
      continue;
    }
    const [, dots, name = "", style] = FIELD.exec(piece) ?? [];
    check(name !== "" && (dots === undefined || style === undefined), `{${piece}} is no field`);
    if (style?.startsWith("0")) {
      parts.push({ kind: "integer", name, width: Number(style) });
    } else {
      parts.push({ kind: dots ? "rest" : style ? "date" : "text", name });
    }
  }
  const braces = text.replace(/[^{}]/g, "");
  check(braces === "{}".repeat(braces.length / 2), "its braces do not pair");
  check(parts.length === 1 || parts.every((part) => part.kind !== "rest"), "{...} must be a whole segment");
  for (const [index, right] of parts.entries()) {
    const left = parts[index - 1];
    // What could be read back in two ways is refused here, so that matching never has to choose.
    const clear = left === undefined || left.kind === "literal" || right.kind === "literal";
    check(clear, "two fields have nothing between them");
    const digits = left?.kind === "literal" ? /[0-9]$/.test(left.text) : /^[0-9]/.test(literalText(right));
    check(!(digits && (left?.kind === "integer" || right.kind === "integer")), "a digit stands beside an integer");
  }
  return parts;
}

function literalText(part: TemplatePart): string {
  return part.kind === "literal" ? part.text : "";
}

function formatSegment(template: string, segment: TemplateSegment, fields: NameFields): string[] {
  const texts = segment.map((part) => {
    if (part.kind === "literal") {
      return part.text;
    }
    const value = Object.hasOwn(fields, part.name) ? fields[part.name] : undefined;
    const text = formatField(part, value);
    if (text === null) {
      const found = value === undefined ? "nothing" : JSON.stringify(value);
      throw new NpyError("ERR_TEMPLATE_PATH", `field ${part.name} of the template ${template} cannot be ${found}`);
    }
    return text;
  });
  const text = texts.join("");
  return segment[0]?.kind === "rest" && text === "" ? [] : [text];
}

function formatField(part: Exclude<TemplatePart, { kind: "literal" }>, value: unknown): string | null {
  if (part.kind === "integer") {
    const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
    return fits ? String(value).padStart(part.width, "0") : null;
  }
  if (typeof value !== "string") {
    return null;
  }
  if (part.kind === "rest") {
    return value === "" || isSafePath(value) ? value : null;
  }
  return !value.includes("/") && isSafeSegment(value) && parseField(part, value) !== null ? value : null;
}

function matchPath(segments: readonly TemplateSegment[], path: readonly string[]): Map<string, NameFieldValue> | null {
  const found = new Map<string, NameFieldValue>();
  const restAt = segments.findIndex((segment) => segment[0]?.kind === "rest");
  const surplus = path.length - segments.length;
  if (restAt < 0 ? surplus !== 0 : surplus < -1) {
    return null;
  }
  for (const [index, segment] of segments.entries()) {
    const first = segment[0];
    if (first?.kind === "rest") {
      found.set(first.name, path.slice(index, index + surplus + 1).join("/"));
    } else {
      const text = path[restAt >= 0 && index > restAt ? index + surplus : index];
      if (text === undefined || !matchSegment(segment, text, found)) {
        return null;
      }
    }
  }
  return found;
}

/** Reads one segment: literals and integers from both ends inwards, then the rest from right to left. Linear in `text`. */
function matchSegment(parts: TemplateSegment, text: string, found: Map<string, NameFieldValue>): boolean {
  let [first, last, start, end] = [0, parts.length - 1, 0, text.length];
  const keep = (part: TemplatePart, from: number, to: number): boolean => {
    if (part.kind === "literal") {
      return text.slice(from, to) === part.text;
    }
    const value = from < to ? parseField(part, text.slice(from, to)) : null;
    if (value === null || formatField(part, value) === null) {
      return false;
    }
    found.set(part.name, value);
    return true;
  };
  for (let part = parts[first]; part !== undefined && first <= last && part.kind !== "text"; part = parts[++first]) {
    const to = start + extent(part, text, start, end, 1);
    if (to > end || !keep(part, start, to)) {
      return false;
    }
    start = to;
  }
  for (let part = parts[last]; part !== undefined && first <= last; part = parts[--last]) {
    const before = parts[last - 1];
    let from = end - extent(part, text, start, end, -1);
    if (part.kind === "text") {
      // What stands before a text field is a literal, or nothing where the field is the first that is left.
      const literal = first < last && before !== undefined ? literalText(before) : "";
      const at = literal === "" ? start : text.lastIndexOf(literal, end - literal.length - 1);
      from = at + literal.length;
      if (at < start) {
        return false;
      }
    }
    if (from < start || !keep(part, from, end)) {
      return false;
    }
    end = from;
  }
  return start === end;
}

/** Number of UTF-16 units that a part of known extent takes at one end of what is left of `text`. */
function extent(part: TemplatePart, text: string, start: number, end: number, step: 1 | -1): number {
  if (part.kind === "literal") {
    return part.text.length;
  }
  if (part.kind === "date") {
    return 10;
  }
  let digits = 0;
  for (let at = step > 0 ? start : end - 1; at >= start && at < end && /[0-9]/.test(text.charAt(at)); at += step) {
    digits++;
  }
  return digits;
}

function parseField(part: TemplatePart, text: string): NameFieldValue | null {
  if (part.kind === "integer") {
    const value = Number(text);
    return Number.isSafeInteger(value) && String(value).padStart(part.width, "0") === text ? value : null;
  }
  return part.kind === "date" && !isIsoDate(text) ? null : text;
}

function isIsoDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) {
    return false;
  }
  // `Date` takes the 31st of every month, and gives another day back where there is none.
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === text;
}
