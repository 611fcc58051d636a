/** What runs in the browser: codec over fixtures that NumPy wrote, with nothing of Node. */
import { decodeNpy, decodeNpz, encodeNpy, encodeNpz, fromNested, type NdArray, NpyParser } from "@npystream/codec";
import { jsonValues } from "../interop/json-values.ts";

/** A fixture with its bytes. */
export interface BrowserFixture {
  readonly file: string;
  readonly base64: string;
  /** Whether encoding what was decoded gives the same bytes; of a `.npy`. */
  readonly identical?: boolean;
  /** Values of a `.npy`. */
  readonly values?: unknown;
  /** Values of the arrays of an `.npz`. */
  readonly members?: Readonly<Record<string, { readonly values: unknown }>>;
}

/** What came of the suite: checks made, and what failed. */
export interface SuiteResult {
  readonly checks: number;
  readonly failures: readonly string[];
}

/**
 * Decodes, encodes, parses and archives every fixture.
 *
 * @param json - The fixtures as JSON: a field named `__proto__` survives that way into the page alone.
 */
export function runSuite(json: string): SuiteResult {
  const fixtures = JSON.parse(json) as readonly BrowserFixture[];
  const failures: string[] = [];
  let checks = 0;
  const check = (what: string, act: () => boolean): void => {
    checks++;
    try {
      if (!act()) failures.push(what);
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const { file, base64, identical, values, members } of fixtures) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    if (members !== undefined) {
      check(`${file} decodes`, () => {
        const arrays = Object.entries(decodeNpz(bytes));
        return arrays.every(([name, array]) => same(jsonValues(array), members[name]?.values));
      });
      check(`${file} survives deflate and inflate`, () => {
        const again = decodeNpz(encodeNpz(decodeNpz(bytes), { compress: true }));
        return Object.entries(again).every(([name, array]) => same(jsonValues(array), members[name]?.values));
      });
      continue;
    }
    check(`${file} decodes`, () => same(jsonValues(decodeNpy(bytes)), values));
    if (identical) check(`${file} encodes to the same bytes`, () => sameBytes(encodeNpy(decodeNpy(bytes)), bytes));
    check(`${file} parses from pieces`, () => same(parsed(bytes), values));
  }
  check("text and bigints are made in the browser too", () => {
    const array = fromNested([["a", "日本"]], "U2");
    return same(jsonValues(decodeNpy(encodeNpy(array))), [["a", "日本"]]);
  });
  return { checks, failures };
}

function parsed(bytes: Uint8Array): unknown {
  const parser = new NpyParser({ chunkBytes: 50 });
  const chunks: NdArray[] = [];
  for (let start = 0; start < bytes.length; start += 97) {
    for (const part of parser.push(bytes.subarray(start, start + 97))) if (part.kind === "rows") chunks.push(part.rows);
  }
  parser.finish();
  const [first] = chunks;
  return first?.rank === 0 ? jsonValues(first) : chunks.flatMap((chunk) => jsonValues(chunk) as unknown[]);
}

function same(found: unknown, expected: unknown): boolean {
  return JSON.stringify(found) === JSON.stringify(expected);
}

function sameBytes(found: Uint8Array, expected: Uint8Array): boolean {
  return found.length === expected.length && found.every((byte, index) => byte === expected[index]);
}
