import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { decodeNpy, decodeNpz, elementType, encodeNpy, encodeNpz, NpyParser, parseNpyHeader } from "@npystream/codec";
import { createMappedNpy, mapNpy, openNpy, openNpz } from "@npystream/reader-stream";
import test from "ava";
import { Random } from "../fuzz/random.ts";
import { jsonValues } from "./json-values.ts";
import { codeOf, faultOf, layoutOf, makeNumpyCases, parsedCode } from "./numpy-cases.ts";

const { cases, folder, at, read, check } = makeNumpyCases();
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const basic = Object.entries(cases.basic);

test("scalar types in both byte orders and all layouts, and records, are decoded to what was saved", (t) => {
  t.is(basic.length, 12 * 2 * 6 + 5);
  for (const [name, expected] of basic) {
    const array = decodeNpy(read(`${name}.npy`), { strict: true });
    t.is(faultOf(array, expected), "", name);
    t.deepEqual(layoutOf(array.type), expected.layout, name);
  }
});

test("reads of random sizes give the same", (t) => {
  const random = new Random(4027);
  for (const [name, { shape, values }] of basic) {
    const bytes = read(`${name}.npy`);
    const parser = new NpyParser();
    const rows: unknown[] = [];
    for (let start = 0; start < bytes.length; ) {
      const end = start + 1 + random.below(bytes.length - start);
      for (const part of parser.push(bytes.subarray(start, end)))
        if (part.kind === "rows") rows.push(jsonValues(part.rows));
      start = end;
    }
    parser.finish();
    t.true(isDeepStrictEqual(shape.length === 0 ? rows[0] : rows.flat(1), values), name);
  }
});

test("each of them without its last byte is ERR_NPY_TRUNCATED, in memory, in pieces and as a file", async (t) => {
  for (const [name] of basic) {
    const bytes = read(`${name}.npy`).subarray(0, -1);
    writeFileSync(at("cut.npy"), bytes);
    t.is(
      codeOf(() => decodeNpy(bytes)),
      "ERR_NPY_TRUNCATED",
      name,
    );
    t.is(parsedCode(bytes), "ERR_NPY_TRUNCATED", name);
    await t.throwsAsync(openNpy(at("cut.npy")), { code: "ERR_NPY_TRUNCATED" }, name);
  }
});

test("an item longer than NumPy's buffer is one item", (t) => {
  const bytes = read("long-item.npy");
  const array = decodeNpy(bytes, { strict: true });
  t.deepEqual([array.shape, array.itemSize], [[1], 4 * 262_145]);
  t.true(array.get(0) === "\u{1f600}".repeat(262_145));
  t.true(bytes.equals(encodeNpy(array)));
  t.is(parsedCode(bytes), "none");
});

test("mapped, those in the machine's byte order are NumPy's, and a file made by mapping has the bytes of np.save", (t) => {
  let mapped = 0;
  for (const [name, expected] of basic) {
    const bytes = read(`${name}.npy`);
    const { swaps, byteLength } = parseNpyHeader(bytes);
    if (swaps.length > 0 && byteLength > 0) {
      t.is(
        codeOf(() => mapNpy(at(`${name}.npy`))),
        "ERR_MAP_LAYOUT",
        name,
      );
      continue;
    }
    mapped++;
    using array = mapNpy(at(`${name}.npy`));
    t.is(faultOf(array, expected), "", name);
    using made = createMappedNpy(at("made.npy"), {
      dtype: array.type,
      shape: array.shape,
      order: expected.order,
      overwrite: true,
    });
    new Uint8Array(made.data.buffer, made.data.byteOffset, byteLength).set(bytes.subarray(bytes.length - byteLength));
    made.flush();
    // Headers are written in the machine's order, and a sub-array of sub-arrays as one of more axes.
    const isSame = swaps.length === 0 && name !== "records-subarray-of-subarrays";
    if (isSame) t.true(bytes.equals(read("made.npy")), name);
  }
  t.true(mapped >= 12 * 6 + 3, `${mapped} arrays`);
});

test("records with padding, offsets, titles, metadata and deep sub-arrays keep their values and the place of every field", async (t) => {
  const padded = Object.entries(cases.padded);
  t.true(padded.length >= 11);
  const members = decodeNpz(read("padded.npz"));
  await using archive = await openNpz(at("padded.npz"));
  for (const [name, expected] of padded) {
    await using handle = await archive.open(name);
    for (const array of [decodeNpy(read(`${name}.npy`)), members[name], await handle.read()]) {
      if (array === undefined) throw new TypeError(`there is no ${name}`);
      t.is(faultOf(array, expected), "", name);
      t.deepEqual(layoutOf(array.type), expected.layout, name);
    }
  }
});

test("a file of Python 2 with long integers is read", (t) => {
  if (hasData("win64python2.npy")) t.deepEqual(decodeNpy(read("data-win64python2.npy")).toNested(), [1, 1]);
  const text = "{'descr': '<f8', 'fortran_order': False, 'shape': (2L,), }";
  const header = Buffer.from(`\x93NUMPY\x01\x00\x46\x00${text.padEnd(69)}\n`, "latin1");
  t.deepEqual(decodeNpy(Buffer.concat([header, read("f8-little-line.npy").subarray(128, 144)])).toNested(), [0, 1]);
});

function hasData(name: string): boolean {
  return readdirSync(folder).includes(`data-${name}`);
}

test("pickled objects of Python 2 and 3 are ERR_NPY_OBJECT in .npy and .npz, and no type to write", async (t) => {
  const pickled = readdirSync(folder).filter((name) => /^data-.*objarr|^objects\./.test(name));
  t.true(pickled.length >= 2);
  for (const name of pickled) {
    const bytes = read(name);
    t.is(
      codeOf(() => (name.endsWith(".npz") ? decodeNpz(bytes) : decodeNpy(bytes))),
      "ERR_NPY_OBJECT",
      name,
    );
  }
  await using archive = await openNpz(at("objects.npz"));
  await using first = await archive.open("arr_0");
  t.deepEqual((await first.read()).toNested(), [
    [1, 2],
    [3, 4],
  ]);
  await t.throwsAsync(archive.open("arr_1"), { code: "ERR_NPY_OBJECT" });
  t.is(
    codeOf(() => elementType("O")),
    "ERR_NPY_OBJECT",
  );
});

test("what is decoded and encoded again is to NumPy the array that it saved", (t) => {
  for (const group of [cases.basic, cases.padded, cases.headers]) {
    for (const name of Object.keys(group))
      writeFileSync(at(`ours-${name}.npy`), encodeNpy(decodeNpy(read(`${name}.npy`))));
  }
  for (const name of Object.keys(cases.archives)) {
    const bytes = readFileSync(at(`${name}.npz`));
    writeFileSync(at(`ours-${name}.npz`), encodeNpz(decodeNpz(bytes), { compress: name.includes("compressed") }));
  }
  t.deepEqual(check(), []);
});
