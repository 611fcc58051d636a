import { NpyError } from "./npy-error.ts";

/** One piece of a compiled name template. */
export type TemplatePart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "text"; readonly name: string }
  | { readonly kind: "integer"; readonly name: string; readonly width: number }
  | { readonly kind: "date"; readonly name: string }
  | { readonly kind: "rest"; readonly name: string };

/** The pieces between two `/` of a template. */
export type TemplateSegment = readonly TemplatePart[];

const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
/** Digits of the largest safe integer. */
const MAX_INTEGER_WIDTH = 16;

/**
 * Compiles the text of a name template into segments of literals and fields.
 *
 * Refused, because no text could be read back without doubt: two fields with nothing between them, a digit beside an
 * integer, a field twice, more than one `{...rest}` or one that is not a whole segment.
 *
 * @throws NpyError `ERR_TEMPLATE` where the text is no template.
 */
export function compileTemplate(template: string): TemplateSegment[] {
  const fail = (why: string): never => {
    throw new NpyError("ERR_TEMPLATE", `${JSON.stringify(template)} is no name template: ${why}`);
  };
  if (typeof template !== "string") {
    throw new TypeError(`expected a template as text, found ${typeof template}`);
  }
  if (/[\p{Cc}\\]/u.test(template)) {
    fail("folders are separated by / and control characters are not allowed");
  }
  const segments = template.split("/").map((text) => {
    if (text === "" || text === "." || text === "..") {
      fail("it must be relative, without empty, . or .. folders");
    }
    return compileSegment(text, fail);
  });
  const fields = segments.flat().filter((part) => part.kind !== "literal");
  const names = new Set<string>();
  for (const field of fields) {
    if (names.has(field.name)) {
      fail(`the field ${field.name} stands in it twice`);
    }
    names.add(field.name);
  }
  if (fields.filter((field) => field.kind === "rest").length > 1) {
    fail("only one field can take any number of folders");
  }
  return segments;
}

function compileSegment(text: string, fail: (why: string) => never): TemplateSegment {
  const parts: TemplatePart[] = [];
  for (let at = 0; at < text.length; ) {
    if (text[at] === "{") {
      const close = text.indexOf("}", at);
      parts.push(compileField(close < 0 ? fail("a { is not closed") : text.slice(at + 1, close), fail));
      at = close + 1;
    } else {
      const open = text.indexOf("{", at);
      const literal = text.slice(at, open < 0 ? text.length : open);
      if (literal.includes("}")) {
        fail("a } closes nothing");
      }
      parts.push({ kind: "literal", text: literal });
      at += literal.length;
    }
  }
  for (const [index, part] of parts.entries()) {
    checkNeighbours(part, parts[index + 1], fail);
  }
  if (parts.length > 1 && parts.some((part) => part.kind === "rest")) {
    fail("a field that takes any number of folders must be a whole segment");
  }
  return parts;
}

function checkNeighbours(left: TemplatePart, right: TemplatePart | undefined, fail: (why: string) => never): void {
  if (right === undefined) {
    return;
  }
  if (left.kind !== "literal" && right.kind !== "literal") {
    fail(`the fields ${left.name} and ${right.name} have nothing between them`);
  }
  const digitBefore = left.kind === "literal" && /[0-9]$/.test(left.text) && right.kind === "integer";
  const digitAfter = right.kind === "literal" && /^[0-9]/.test(right.text) && left.kind === "integer";
  if (digitBefore || digitAfter) {
    fail("a digit stands beside an integer field");
  }
}

function compileField(text: string, fail: (why: string) => never): TemplatePart {
  const rest = text.startsWith("...");
  const [name = "", style, ...more] = (rest ? text.slice(3) : text).split(":");
  if (!FIELD_NAME.test(name) || more.length > 0 || (rest && style !== undefined)) {
    fail(`{${text}} is no field`);
  }
  if (rest) {
    return { kind: "rest", name };
  }
  if (style === undefined) {
    return { kind: "text", name };
  }
  if (style === "iso-date") {
    return { kind: "date", name };
  }
  const width = /^0[1-9][0-9]?$/.test(style) ? Number(style.slice(1)) : 0;
  if (width < 1 || width > MAX_INTEGER_WIDTH) {
    fail(`{${text}} has neither a width from :01 to :${MAX_INTEGER_WIDTH} nor :iso-date`);
  }
  return { kind: "integer", name, width };
}
