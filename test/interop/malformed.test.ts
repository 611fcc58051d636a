import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { decodeNpy, decodeNpz, isNpyError, type NdArray, parseNpyHeader, parsePythonLiteral } from "@npystream/codec";
import { openNpy, openNpz } from "@npystream/reader-stream";
import test from "ava";
import { root } from "../package/workspace.ts";

/** Memory outside the heap that decoding may take beside the file's size, whatever a file claims. */
const ALLOWANCE_BYTES = 16 << 20;

/** Codes that decoding gives, each of which some malformed file must give. */
const CODES = [
  ...["MAGIC", "VERSION", "HEADER", "DTYPE", "SHAPE", "OBJECT", "TRUNCATED", "TRAILING"].map(
    (code) => `ERR_NPY_${code}`,
  ),
  ...["DIRECTORY", "METHOD", "ENCRYPTED", "CRC", "SIZE", "DUPLICATE", "DEFLATE"].map((code) => `ERR_NPZ_${code}`),
  ...["HEADER", "DEPTH", "RANK", "MEMBERS"].map((code) => `ERR_LIMIT_${code}`),
];

const folder = mkdtempSync(join(tmpdir(), "npystream-malformed-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
execFileSync("python3", [join(root, "test/fixtures/malformed.py"), folder]);
// Decoders are told by the name what a file is, so that a name that is wrong is one more thing they meet.
const malformed = [...filesIn("malformed"), ...filesIn("misnamed")];

function filesIn(name: string): string[] {
  return readdirSync(join(folder, name))
    .sort()
    .map((file) => join(folder, name, file));
}

function codeIn(path: string): string {
  return /ERR_[A-Z]+_[A-Z]+/.exec(path)?.[0] ?? "";
}

/** What a decoder does with a file: a code, `decoded`, or whatever else it threw; then what is wrong beside that. */
function outcomeOf(error: unknown): string {
  if (error === undefined) return "decoded";
  if (!isNpyError(error)) return String(error);
  return /[\p{Cc}\u2028\u2029]/u.test(error.message) ? `${error.code}, in more than one line` : error.code;
}

async function thrownBy(decode: () => unknown): Promise<unknown> {
  try {
    await decode();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Reads everything that a file holds. */
async function readThrough(path: string): Promise<void> {
  if (path.endsWith(".npy")) {
    await using handle = await openNpy(path);
    await handle.read();
    return;
  }
  await using archive = await openNpz(path);
  for (const name of archive.names) {
    await using handle = await archive.open(name);
    await handle.read();
  }
}

async function readWhole(path: string, member: string): Promise<NdArray> {
  await using archive = await openNpz(path);
  await using handle = await archive.open(member);
  return await handle.read();
}

/**
 * Outcomes of the files that are not as expected, and of those that take memory of the size they claim: one line a file, so that
 * one run shows them all.
 */
async function mismatches(
  files: readonly string[],
  expected: (path: string) => string,
  decode: (path: string) => unknown,
): Promise<string[]> {
  const lines: string[] = [];
  for (const path of files) {
    const before = process.memoryUsage().arrayBuffers;
    const found = outcomeOf(await thrownBy(() => decode(path)));
    // Little is collected so soon, and what is collected in between hides no claim of gigabytes.
    const taken = process.memoryUsage().arrayBuffers - before;
    if (found !== expected(path)) lines.push(`${path.slice(folder.length + 1)}: ${found}`);
    if (taken > statSync(path).size + ALLOWANCE_BYTES) lines.push(`${path.slice(folder.length + 1)}: ${taken} bytes`);
  }
  return lines;
}

test("there are malformed files for every code that decoding gives, several of most", (t) => {
  t.deepEqual([...new Set(malformed.map(codeIn))].sort(), [...CODES].sort());
  t.true(malformed.length > 400, `${malformed.length} files`);
});

// Serial, since memory is measured, which other tests take too.
test.serial(
  "codec gives for every malformed file the code in its name, in one line, and takes no memory of the size claimed",
  async (t) => {
    const decode = (path: string): unknown => {
      const bytes = readFileSync(path);
      return path.endsWith(".npy") ? decodeNpy(bytes, { strict: true }) : decodeNpz(bytes);
    };
    t.deepEqual(await mismatches(malformed, codeIn, decode), []);
  },
);

test.serial("reader-stream does the same, but for trailing bytes, which it leaves alone as NumPy does", async (t) => {
  const expected = (path: string): string => (codeIn(path) === "ERR_NPY_TRAILING" ? "decoded" : codeIn(path));
  t.deepEqual(await mismatches(malformed, expected, readThrough), []);
});

test("an archive with a lie that decoding does not look at decodes to its array, and only a reader that goes by a block table refuses it", async (t) => {
  const files = filesIn("tolerated");
  t.true(files.length > 20);
  const values = Int32Array.from({ length: 1000 }, (_, i) => i);
  const refused: string[] = [];
  for (const path of files) {
    const decoded: Readonly<Record<string, { readonly data: unknown }>> = decodeNpz(readFileSync(path));
    t.deepEqual(decoded["x"]?.data, values, path);
    const reading = await thrownBy(async () => t.deepEqual((await readWhole(path, "x")).data as unknown, values, path));
    if (reading !== undefined) refused.push(`${basename(path)}: ${outcomeOf(reading)}`);
  }
  const lying = files.map((path) => basename(path)).filter((name) => name.startsWith("ERR_NPZ_SIZE-block-table-"));
  t.deepEqual(
    refused,
    lying.map((name) => `${name}: ERR_NPZ_SIZE`),
  );
});

/** A literal of `byteLength` characters, with `piece` again and again between `open` and `close`. */
function literal(byteLength: number, open: string, piece: (index: number) => string, close: string): string {
  const pieces: string[] = [];
  for (let length = open.length + close.length; ; ) {
    const next = piece(pieces.length);
    length += next.length;
    if (next === "" || length > byteLength) break;
    pieces.push(next);
  }
  return `${open}${pieces.join("")}${close}`.padEnd(byteLength);
}

/** A version 2.0 file with this header and no data. */
function npyOf(text: string): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from("\x93NUMPY\x02\x00", "latin1"), length, Buffer.from(text, "latin1")]);
}

test("fields without elements ask for no swap, which every record would do", (t) => {
  const fields = literal(
    1 << 16,
    "{'fortran_order':False,'shape':(9,),'descr':[",
    (i) => `('${i}','>i2',0),`,
    "('z','|u1')]}",
  );
  t.is(parseNpyHeader(npyOf(fields)).swaps.length, 0);
});

/** The text of a header in place of a string, for a count of how often its characters are looked at. */
function countingText(text: string): { readonly text: string; readonly looks: () => number } {
  let looks = 0;
  const counted = new Proxy(Object(text) as object, {
    get(_, property) {
      if (property === "slice") {
        return (start: number, end: number): string => {
          const part = text.slice(start, end);
          looks += part.length;
          return part;
        };
      }
      looks++;
      return Reflect.get(Object(text), property);
    },
  });
  // The parser asks a string only for its length, its characters and its slices.
  return { text: counted as unknown as string, looks: () => looks };
}

function looksAt(text: string): number {
  const counting = countingText(text);
  try {
    parsePythonLiteral(counting.text, { depth: 32, python2: true });
  } catch (error) {
    if (!isNpyError(error)) throw error;
  }
  return counting.looks();
}

const isReadOnce = test.macro({
  title: (_, what: string) => `the literal of ${what} is looked at a number of times in proportion to its length`,
  exec(t, _what: string, open: string, piece: (index: number) => string, close: string) {
    const [short, long] = [1 << 12, 1 << 15].map((length) => looksAt(literal(length, open, piece, close)));
    t.true((short ?? 0) > 0 && (long ?? 0) / (short ?? 0) < 8.5, `${short} and ${long} for 8 times the length`);
  },
});

const nothing = (): string => "";
test(isReadOnce, "brackets", "[", () => "[],", "]");
test(isReadOnce, "nested brackets", "[", () => "[[[[[[[[]]]]]]]],", "]");
test(isReadOnce, "brackets that are not closed", "[", () => "[],", "");
test(isReadOnce, "dicts", "[", () => "{'a':{}},", "]");
test(isReadOnce, "quotes", "[", () => "'',", "]");
test(isReadOnce, "quotes of both kinds", "[", () => "'\"',", "]");
test(isReadOnce, "prefixed quotes", "[", () => "u'',", "]");
test(isReadOnce, "escapes", "'", () => "\\x41", "'");
test(isReadOnce, "backslashes", "'", () => "\\\\", "'");
test(isReadOnce, "text", "'", () => "a", "'");
test(isReadOnce, "text that is not closed", "'", () => "a", "");
test(isReadOnce, "digits", "", () => "1", "");
test(isReadOnce, "zeros", "", () => "0", "");
test(isReadOnce, "letters", "", () => "a", "");
test(isReadOnce, "integers", "[", () => "12,", "]");
test(isReadOnce, "integers of 300 digits", "[", () => `${"9".repeat(300)},`, "]");
test(isReadOnce, "spaces", "", () => " ", "1");
test(isReadOnce, "spaces alone", "", nothing, "");
test(isReadOnce, "keys", "{", (index) => `'${index}':0,`, "}");

/** CPU seconds that parsing a header takes: the quickest of some runs, which other processes and the collector disturb least. */
function cpuSecondsOf(bytes: Uint8Array): number {
  let quickest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const start = process.cpuUsage();
    try {
      parseNpyHeader(bytes);
    } catch (error) {
      if (!isNpyError(error)) throw error;
    }
    const { user, system } = process.cpuUsage(start);
    quickest = Math.min(quickest, (user + system) / 1e6);
  }
  return quickest;
}

const isLinear = test.macro({
  title: (_, what: string) => `a header of ${what} takes time in proportion to its length`,
  exec(t, _what: string, open: string, piece: (index: number) => string, close: string) {
    const [short, long] = [1 << 15, 1 << 18].map((length) => npyOf(literal(length, open, piece, close)));
    if (short === undefined || long === undefined) throw new TypeError("two lengths");
    let ratio = Number.POSITIVE_INFINITY;
    // 8 times the length: 8 times the time where it is linear, 64 times where it is quadratic.
    for (let attempt = 0; attempt < 5 && ratio > 40; attempt++) {
      // Below a millisecond the clock and the compiler are what is measured.
      ratio = Math.min(ratio, cpuSecondsOf(long) / Math.max(1e-3, cpuSecondsOf(short)));
    }
    t.true(ratio <= 40, `${ratio.toFixed(1)} times the time for 8 times the length`);
  },
});

// A shape that no array has comes last, so that the header is not remembered as one that was parsed.
const fieldsOf = "{'fortran_order':False,'shape':(-1,),'descr':[";
test(isLinear, "extents", "{'descr':'<i4','fortran_order':False,'shape':(", () => "1,", ")}");
test(isLinear, "keys", "{", (index) => `'${index}':0,`, "}");
test(isLinear, "fields", fieldsOf, (index) => `('${index}','>f4'),`, "]}");
test(isLinear, "fields of records", fieldsOf, (index) => `('${index}',[('a','>i2',3)]),`, "]}");
test(isLinear, "a long type", "{'fortran_order':False,'shape':(1,),'descr':'<", () => "f", "'}");
