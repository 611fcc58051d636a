import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  type Descr,
  decodeNpy,
  type ElementType,
  elementType,
  encodeNpy,
  NdArray,
  NpyParser,
  parseNpyHeader,
  setScalar,
  shapeSize,
} from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { Random } from "../fuzz/random.ts";
import { root } from "../package/workspace.ts";
import { type ArraySpec, arraySpec } from "./array-specs.ts";
import { jsonValues } from "./json-values.ts";
import { randomValue } from "./random-value.ts";

/** What NumPy has for an array that it saved. */
interface SavedArray {
  readonly descr: Descr;
  /** The same in the machine's byte order. */
  readonly native: Descr;
  readonly isNative: boolean;
  readonly shape: readonly number[];
  readonly order: "C" | "F";
  readonly values: unknown;
}

const CASES = 400;
const seed = Number(process.env["NPYSTREAM_ROUND_TRIP_SEED"] ?? Date.now() % 1_000_000);
const hint = `NPYSTREAM_ROUND_TRIP_SEED=${seed} repeats it`;

const folder = mkdtempSync(join(tmpdir(), "npystream-round-trips-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const specs: readonly ArraySpec[] = fc.sample(arraySpec, { seed, numRuns: CASES });
write("specs.json", JSON.stringify(specs));
python("make");
const saved = JSON.parse(read("numpy.json").toString()) as readonly SavedArray[];

function read(name: string): Buffer {
  return readFileSync(join(folder, name));
}

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(join(folder, name), content);
}

function python(what: "make" | "check"): string {
  return execFileSync("python3", [join(root, "test/fixtures/round_trips.py"), what, folder], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
}

/** What is wrong with which arrays, the shortest spec first, one line each. */
function faults(check: (array: SavedArray, number: number) => string): string[] {
  const lines = specs.map((_, number) => {
    const array = saved[number];
    if (array === undefined) return line(number, "NumPy did not save it");
    try {
      const wrong = check(array, number);
      return wrong === "" ? "" : line(number, wrong);
    } catch (error) {
      return line(number, String(error));
    }
  });
  return shortest(lines.filter((one) => one !== ""));
}

function line(number: number, wrong: string): string {
  return `array ${number} ${JSON.stringify(specs[number])}: ${wrong}`;
}

function shortest(lines: readonly string[]): string[] {
  return lines.toSorted((a, b) => a.length - b.length).slice(0, 5);
}

test("arrays of every kind that NumPy saves are decoded to its values", (t) => {
  t.log(`seed ${seed}`);
  const wrong = faults(({ descr, native, shape, order, values }, number) => {
    const bytes = read(`numpy-${number}.npy`);
    const array = decodeNpy(bytes, { strict: true });
    if (!isDeepStrictEqual(parseNpyHeader(bytes).descr, descr)) return "another descr";
    if (!isDeepStrictEqual(array.type.descr, native)) return `native descr ${JSON.stringify(array.type.descr)}`;
    if (!isDeepStrictEqual(array.shape, shape)) return `shape ${array.shape}`;
    if (array.size > 1 && array.order !== order) return `order ${array.order}`;
    return isDeepStrictEqual(jsonValues(array), values) ? "" : "other values";
  });
  t.deepEqual(wrong, [], hint);
});

test("arrays in the machine's byte order are encoded to the bytes that NumPy saved", (t) => {
  const wrong = faults(({ isNative }, number) => {
    const bytes = read(`numpy-${number}.npy`);
    return !isNative || bytes.equals(encodeNpy(decodeNpy(bytes))) ? "" : "other bytes";
  });
  t.deepEqual(wrong, [], hint);
});

test("arrays that come in pieces are parsed to NumPy's values, row by row", (t) => {
  const wrong = faults(({ shape, values }, number) => {
    const random = new Random(seed, number);
    const rows: unknown[] = [];
    const parser = new NpyParser({ chunkBytes: 1 + random.below(2000) });
    const bytes = read(`numpy-${number}.npy`);
    for (let start = 0; start < bytes.length; ) {
      const end = start + 1 + random.below(500);
      for (const part of parser.push(bytes.subarray(start, end))) {
        if (part.kind !== "rows") continue;
        const some = jsonValues(part.rows);
        rows.push(...(shape.length === 0 ? [some] : (some as unknown[])));
      }
      start = end;
    }
    parser.finish();
    return isDeepStrictEqual(shape.length === 0 ? rows[0] : rows, values) ? "" : "other values";
  });
  t.deepEqual(wrong, [], hint);
});

test("arrays made here and arrays copied from NumPy's are to NumPy what was written, and it saves the same bytes", (t) => {
  const ours = saved.map(({ native, shape }, number) => {
    const array = filled(elementType(native), shape, specs[number]?.layout ?? "C", new Random(seed, number));
    write(`ours-${number}.npy`, encodeNpy(array));
    write(`again-${number}.npy`, encodeNpy(decodeNpy(read(`numpy-${number}.npy`))));
    const isFortran = array.order === "F";
    // NumPy calls an array with one axis at most that is longer than 1, and one without elements, contiguous both ways.
    const isBoth = array.size === 0 || shape.filter((extent) => extent !== 1).length <= 1;
    return {
      descr: native,
      shape,
      flags: { c: isBoth || !isFortran, f: isBoth || isFortran },
      values: jsonValues(array),
    };
  });
  write("ours.json", JSON.stringify(ours));
  const wrong = JSON.parse(python("check")) as readonly (readonly [number: number, wrong: string])[];
  t.deepEqual(shortest(wrong.map(([number, what]) => line(number, what))), [], hint);
});

test("dtypes, ranks and orders of all kinds are among the arrays", (t) => {
  const kinds = new Set(saved.flatMap(({ native }) => kindsOf(elementType(native))));
  for (const kind of "bool int8 uint64 float16 float128 complex64 datetime64 timedelta64 bytes str void struct".split(
    " ",
  )) {
    t.true(kinds.has(kind), `${kind}; ${hint}`);
  }
  t.deepEqual([...new Set(specs.map(({ shape }) => shape.length))].sort(), [0, 1, 2, 3, 4, 5], hint);
  const few = CASES / 40;
  t.true(saved.filter(({ order }) => order === "F").length > few, hint);
  t.true(saved.filter(({ isNative }) => !isNative).length > few, hint);
  t.true(saved.filter(({ shape }) => shape.includes(0)).length > few, hint);
});

function kindsOf({ dtype, fields }: ElementType): string[] {
  return [dtype.replace(/\[.*/, ""), ...(fields ?? []).flatMap((field) => kindsOf(field.type))];
}

/** An array of this layout whose elements were set one by one. */
function filled(type: ElementType, shape: readonly number[], layout: ArraySpec["layout"], random: Random): NdArray {
  if (layout === "F") return filled(type, shape.toReversed(), "C", random).transpose();
  if (layout === "steps") {
    const whole = filled(
      type,
      shape.map((extent) => 2 * extent),
      "C",
      random,
    );
    return whole.slice(...shape.map((_, axis) => (axis % 2 === 0 ? { step: 2 } : { step: -2 })));
  }
  const array = NdArray.zeros(type, shape);
  for (let i = 0; i < shapeSize(shape, type.itemSize); i++) setScalar(type, array.data, i, randomValue(type, random));
  return array;
}
