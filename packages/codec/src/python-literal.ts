import { NpyError } from "./npy-error.ts";
import { checkOptionKeys } from "./option-keys.ts";

/** A Python tuple; a list is a plain array. */
export class PythonTuple {
  /** Its entries. */
  readonly items: readonly PythonValue[];
  constructor(items: readonly PythonValue[]) {
    this.items = items;
  }
}

/** What a `.npy` header may be made of. Integers are bigint, a dict is a Map with string keys. */
export type PythonValue = string | bigint | boolean | null | readonly PythonValue[] | PythonTuple | PythonDict;

/** A Python dict with string keys. */
export type PythonDict = ReadonlyMap<string, PythonValue>;

/** What is asked of the parser. */
export interface LiteralOptions {
  /** Deepest nesting of brackets. */
  readonly depth: number;
  /** Whether Python 2's long integers, `6L`, are taken. */
  readonly python2: boolean;
}

interface Frame {
  readonly close: ")" | "]" | "}";
  readonly items: PythonValue[];
  readonly entries: Map<string, PythonValue> | undefined;
  key: string | undefined;
  comma: boolean;
  needsComma: boolean;
}

const keywords: ReadonlyMap<string, boolean | null> = new Map([
  ["True", true],
  ["False", false],
  ["None", null],
]);

/** Longest integer taken: past 2^1024 no shape could be meant, and BigInt() is not linear in its digits. */
const MAX_DIGITS = 309;

const escapes: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * Parses one Python literal: dict, list, tuple, string, integer, bool, None. One pass, no recursion, no evaluation.
 *
 * @throws NpyError `ERR_NPY_HEADER` for anything that is not such a literal, `ERR_LIMIT_DEPTH` past the depth.
 */
export function parsePythonLiteral(text: string, options: LiteralOptions): PythonValue {
  checkOptionKeys("parsePythonLiteral", options, ["depth", "python2"]);
  const stack: Frame[] = [];
  let position = 0;
  let result: { value: PythonValue } | undefined;

  const fail = (message: string, at = position): never => {
    throw new NpyError("ERR_NPY_HEADER", `the header is not a Python literal: ${message} at character ${at}`);
  };

  const place = (value: PythonValue): void => {
    const frame = stack.at(-1);
    if (frame === undefined) {
      if (result !== undefined) fail("more than one value");
      result = { value };
      return;
    }
    if (frame.needsComma) fail("a comma is missing");
    if (frame.entries !== undefined && frame.key === undefined) {
      if (typeof value !== "string") {
        fail("a key that is not a string");
        return;
      }
      skipSpace();
      if (text[position] !== ":") fail("a colon is missing");
      position++;
      frame.key = value;
      frame.comma = false;
      return;
    }
    if (frame.entries !== undefined && frame.key !== undefined) {
      if (frame.entries.has(frame.key)) fail(`the key ${JSON.stringify(frame.key.slice(0, 40))} twice`);
      frame.entries.set(frame.key, value);
      frame.key = undefined;
    } else frame.items.push(value);
    frame.needsComma = true;
    frame.comma = false;
  };

  const skipSpace = (): void => {
    while (position < text.length && " \t\n\r\f".includes(text[position] as string)) position++;
  };

  const open = (close: Frame["close"]): void => {
    if (stack.length >= options.depth) {
      throw new NpyError("ERR_LIMIT_DEPTH", `the header nests more than ${options.depth} brackets`);
    }
    if (stack.at(-1)?.needsComma) fail("a comma is missing");
    const enclosing = stack.at(-1);
    if (enclosing?.entries !== undefined && enclosing.key === undefined) fail("a key that is not a string");
    const entries = close === "}" ? new Map<string, PythonValue>() : undefined;
    stack.push({ close, items: [], entries, key: undefined, comma: false, needsComma: false });
    position++;
  };

  const finish = (character: string): void => {
    const frame = stack.pop();
    if (frame === undefined || frame.close !== character) {
      fail(`an unmatched ${character}`);
      return;
    }
    if (frame.key !== undefined) fail("a key without a value");
    position++;
    if (frame.entries !== undefined) {
      place(frame.entries);
      return;
    }
    if (frame.close === "]") {
      place(frame.items);
      return;
    }
    // Brackets around one value without a comma only group.
    const [only] = frame.items;
    place(frame.items.length === 1 && !frame.comma && only !== undefined ? only : new PythonTuple(frame.items));
  };

  for (skipSpace(); position < text.length; skipSpace()) {
    const character = text[position] as string;
    if (character === "{") open("}");
    else if (character === "[") open("]");
    else if (character === "(") open(")");
    else if (character === "}" || character === "]" || character === ")") finish(character);
    else if (character === ",") {
      const frame = stack.at(-1);
      if (frame === undefined || !frame.needsComma) fail("an unexpected comma");
      else {
        frame.needsComma = false;
        frame.comma = true;
      }
      position++;
    } else if (character === "'" || character === '"') place(string(false, false));
    else if (isDigit(character) || character === "-" || character === "+") place(integer());
    else if (isLetter(character)) place(word());
    else fail(`an unexpected ${JSON.stringify(character)}`);
  }
  if (stack.length > 0) fail(`a missing ${stack.at(-1)?.close ?? ""}`);
  if (result === undefined) return fail("no value");
  return result.value;

  function word(): PythonValue {
    const start = position;
    while (position < text.length && isLetter(text[position] as string)) position++;
    const name = text.slice(start, position);
    const quote = text[position];
    if (quote === "'" || quote === '"') {
      const prefix = name.toLowerCase();
      if (["u", "b", "r", "br", "rb"].includes(prefix)) return string(prefix.includes("r"), prefix.includes("b"));
    }
    const keyword = keywords.get(name);
    return keyword === undefined ? fail(`the name ${JSON.stringify(name.slice(0, 40))}`, start) : keyword;
  }

  function integer(): bigint {
    const start = position;
    if (text[position] === "-" || text[position] === "+") position++;
    const digits = position;
    const radix = text[position] === "0" ? (text[position + 1] ?? "").toLowerCase() : "";
    if (radix === "x" || radix === "o" || radix === "b") position += 2;
    while (position < text.length && (isHexDigit(text[position] as string) || text[position] === "_")) position++;
    const literal = text.slice(digits, position).replaceAll("_", "");
    if (options.python2 && text[position] === "L") position++;
    const next = text[position];
    if (next !== undefined && (isLetter(next) || isDigit(next) || next === "." || next === '"' || next === "'")) {
      fail("a number that is not an integer", start);
    }
    if (literal.length > MAX_DIGITS) fail("an integer with too many digits", start);
    if (literal.length > 1 && literal[0] === "0" && isDigit(literal[1] as string) && /[1-9]/.test(literal)) {
      // Octal in Python 2 and an error in Python 3.
      fail("an integer with leading zeros", start);
    }
    try {
      const value = BigInt(literal === "" ? "?" : literal);
      return text[start] === "-" ? -value : value;
    } catch (cause) {
      throw new NpyError("ERR_NPY_HEADER", `the header is not a Python literal: a bad number at character ${start}`, {
        cause,
      });
    }
  }

  function string(raw: boolean, isBytes: boolean): string {
    const quote = text[position] as string;
    const start = position++;
    let value = "";
    let from = position;
    for (;;) {
      const character = text[position];
      if (character === undefined || character === "\n") return fail("a string without an end", start);
      if (character === quote) break;
      if (character !== "\\") {
        position++;
        continue;
      }
      if (raw) {
        position += 2;
        continue;
      }
      value += text.slice(from, position) + escapedText(isBytes);
      from = position;
    }
    value += text.slice(from, position++);
    return value;
  }

  function escapedText(isBytes: boolean): string {
    const start = position++;
    const letter = text[position++] ?? fail("a string without an end", start);
    const plain = escapes[letter];
    if (plain !== undefined) return plain;
    const digits = letter === "x" ? 2 : isBytes ? 0 : letter === "u" ? 4 : letter === "U" ? 8 : 0;
    if (digits > 0) {
      const hex = text.slice(position, position + digits);
      const code = Number.parseInt(hex, 16);
      if (hex.length !== digits || ![...hex].every(isHexDigit) || code > 0x10ffff) fail("a bad escape", start);
      position += digits;
      return String.fromCodePoint(code);
    }
    if (letter >= "0" && letter <= "7") {
      position--;
      const from = position;
      while (position - from < 3 && /[0-7]/.test(text[position] ?? "")) position++;
      return String.fromCharCode(Number.parseInt(text.slice(from, position), 8));
    }
    return `\\${letter}`;
  }
}

/** Writes text as Python's `repr` does: in single quotes unless it holds those alone, with escapes for what is not printable. */
export function formatPythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = "";
  for (const character of text) {
    if (character === quote || character === "\\") body += `\\${character}`;
    else if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) body += character;
    else body += escapeCharacter(character);
  }
  return `${quote}${body}${quote}`;
}

function escapeCharacter(character: string): string {
  const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

function isHexDigit(character: string): boolean {
  return isDigit(character) || (character >= "a" && character <= "f") || (character >= "A" && character <= "F");
}

function isLetter(character: string): boolean {
  return (character >= "a" && character <= "z") || (character >= "A" && character <= "Z") || character === "_";
}
