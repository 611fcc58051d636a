import { pipeline } from "node:stream/promises";
import { encodeNpy, fromNested, NdArray, type RowChunk } from "@npystream/codec";
import test from "ava";
import { expectTypeOf } from "expect-type";
import fc from "fast-check";
import { type Dataset, openDataset, type RowChoice } from "../src/index.ts";
import { bytesRead, countedSource } from "./counted-source.ts";

type Numbered = Dataset<{ readonly x: "float32"; readonly y: "int32" }>;

/** A dataset of `length` rows that say which they are; nothing of it is resident, so that it is read. */
async function numbered(length: number, first = 0): Promise<Numbered> {
  const y = Int32Array.from({ length }, (_, row) => first + row);
  const x = Float32Array.from({ length: length * 3 }, (_, at) => first + Math.floor(at / 3));
  return await openDataset({
    x: { from: countedSource(encodeNpy(NdArray.from(x, [length, 3]))), as: "float32" },
    y: { from: countedSource(encodeNpy(NdArray.from(y))), as: "int32" },
  });
}

/** Which rows a dataset has, in its order, by reading them in batches; checks that the fields agree. */
async function rowsOf(dataset: Numbered, size = 7): Promise<number[]> {
  const rows: number[] = [];
  for await (const { x, y } of dataset.batches({ size })) {
    for (const [i, row] of y.data.entries()) {
      if (x.get(i, 0) !== row || x.get(i, 2) !== row) throw new Error(`row ${row} has the features of ${x.get(i, 0)}`);
      rows.push(row);
    }
  }
  return rows;
}

test("select takes rows by index, mask, range or array, as NumPy does", async (t) => {
  const dataset = await numbered(10);
  const mask = Array.from({ length: 10 }, (_, row) => row % 4 === 1);
  const choices: [RowChoice, number[]][] = [
    [
      [3, 9, 3, 0],
      [3, 9, 3, 0],
    ],
    [[], []],
    [Uint8Array.of(1, 0), [1, 0]],
    [BigInt64Array.of(8n, 2n), [8, 2]],
    [mask, [1, 5, 9]],
    [NdArray.from(Int16Array.of(4, 5, 6)), [4, 5, 6]],
    [fromNested(mask, "bool"), [1, 5, 9]],
    [{ start: 2, stop: 5 }, [2, 3, 4]],
    [{ step: -3 }, [9, 6, 3, 0]],
    [{ start: -2 }, [8, 9]],
  ];
  for (const [choice, rows] of choices) {
    const selected = dataset.select(choice);
    t.is(selected.length, rows.length);
    t.deepEqual(await rowsOf(selected), rows);
    t.like(selected.fields.x, { shape: [rows.length, 3], dtype: "float32" });
  }
});

test("a selection of a selection is one of the rows behind it, whatever is selected", async (t) => {
  const dataset = await numbered(40);
  const anyRows = (length: number): fc.Arbitrary<number[]> =>
    length === 0 ? fc.constant([]) : fc.array(fc.nat(length - 1), { maxLength: 30 });
  const nested = anyRows(40).chain((outer) => fc.tuple(fc.constant(outer), anyRows(outer.length)));
  await fc.assert(
    fc.asyncProperty(nested, fc.integer({ min: 1, max: 50 }), async ([outer, inner], size) => {
      const selected = dataset.select(outer).select(inner);
      const expected = inner.map((at) => outer[at] as number);
      t.deepEqual(await rowsOf(selected, size), expected);
      const places = expected.map((_, at) => expected.length - 1 - at);
      t.deepEqual([...(await selected.gather(places)).y.data], expected.toReversed());
    }),
    { numRuns: 60 },
  );
});

const refuses = test.macro({
  title: (_, what: string) => `select refuses ${what}`,
  async exec(t, _what: string, choice: unknown, expected: object) {
    const dataset = await numbered(4);
    t.throws(() => dataset.select(choice as RowChoice), expected);
  },
});
test(refuses, "an index past the end", [4], { code: "ERR_ROWS_RANGE" });
test(refuses, "a negative index", [-1], { code: "ERR_ROWS_RANGE" });
test(refuses, "half a row", [0.5], { code: "ERR_ROWS_RANGE" });
test(refuses, "a mask of another length", [true, false], { instanceOf: RangeError });
test(refuses, "a mask with a number in it", [true, false, 1, true], { instanceOf: TypeError });
test(refuses, "text", ["1"], { instanceOf: TypeError });
test(refuses, "a number", 3, { instanceOf: TypeError });
test(refuses, "a range with a word of its own", { from: 3 }, { instanceOf: TypeError });
test(refuses, "an array of floats", NdArray.from(Float32Array.of(1)), { instanceOf: TypeError });
test(refuses, "an array of two axes", NdArray.from(new Int32Array(4), [2, 2]), { instanceOf: TypeError });

test("a selection reads what it needs: a range as one piece, rows that are apart by themselves", async (t) => {
  const bytes = encodeNpy(NdArray.from(new Float32Array(1_000_000), [1000, 1000]));
  const source = countedSource(bytes);
  await using dataset = await openDataset({ x: source });
  source.reads.length = 0;
  for await (const _ of dataset.select({ start: 100, stop: 110 }).batches({ size: 10 }));
  t.is(bytesRead(source), 40_000);
  t.is(source.reads.length, 1);
  source.reads.length = 0;
  await dataset.select([0, 500, 999]).gather([2, 1]);
  t.is(bytesRead(source), 8000);
  t.is(source.reads.length, 2);
});

test("pick leaves the fields that are named, and no others are read", async (t) => {
  const x = countedSource(encodeNpy(NdArray.from(new Float32Array(10))));
  await using dataset = await openDataset({
    x,
    y: { from: NdArray.from(Int32Array.of(...Array(10).keys())), as: "int32" },
  });
  x.reads.length = 0;
  const picked = dataset.select([4, 2]).pick("y");
  expectTypeOf(picked).toEqualTypeOf<
    Dataset<Pick<{ readonly x: "float32"; readonly y: "int32" }, "y">> | typeof picked
  >();
  t.deepEqual(picked.names, ["y"]);
  const batch = await picked.gather([0, 1]);
  t.deepEqual(Object.keys(batch), ["y"]);
  t.deepEqual([...batch.y.data], [4, 2]);
  t.deepEqual(x.reads, []);
  t.throws(() => dataset.pick(), { instanceOf: TypeError });
  t.throws(() => dataset.pick("z" as "y"), { instanceOf: TypeError, message: /no field z; it has x, y/ });
});

test("where selects the rows that a predicate wants, reading only the fields that it looks at, once", async (t) => {
  const length = 100_000;
  const x = countedSource(encodeNpy(NdArray.from(new Float32Array(length * 3), [length, 3])));
  const y = countedSource(encodeNpy(NdArray.from(Int32Array.from({ length }, (_, row) => row))));
  await using dataset = await openDataset({ x, y: { from: y, as: "int32" } });
  x.reads.length = 0;
  y.reads.length = 0;
  const found = await dataset.where(({ y: values }, i) => (values.data[i] ?? 0) % 3 === 1, { fields: ["y"] });
  t.is(found.length, 33_333);
  t.deepEqual(x.reads, []);
  t.is(bytesRead(y), 4 * length);
  t.deepEqual([...(await found.gather([0, 33_332])).y.data], [1, 99_997]);
});

test("where finds what filtering the rows finds, of any selection", async (t) => {
  const dataset = await numbered(50);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(49), { maxLength: 60 }), fc.uniqueArray(fc.nat(49)), async (rows, wanted) => {
      const found = await dataset.select(rows).where(({ y }, i) => wanted.includes(y.data[i] ?? -1));
      t.deepEqual(
        await rowsOf(found),
        rows.filter((row) => wanted.includes(row)),
      );
    }),
    { numRuns: 40 },
  );
});

test("where refuses a predicate that gives a promise, and throws what the predicate throws", async (t) => {
  const dataset = await numbered(5);
  const asynchronous = (async () => true) as unknown as () => boolean;
  await t.throwsAsync(dataset.where(asynchronous), { instanceOf: TypeError, message: /true or false/ });
  const error = new Error("no");
  const caught = await t.throwsAsync(
    dataset.where(() => {
      throw error;
    }),
  );
  t.is(caught, error);
  await t.throwsAsync(
    dataset.where(() => true, { fields: ["z" as "y"] }),
    { instanceOf: TypeError },
  );
});

test("an abort ends where, stats and split with the reason untouched", async (t) => {
  const dataset = await numbered(500_000);
  const reason = new Error("enough");
  for (const act of [
    (signal: AbortSignal) => dataset.where(() => true, { signal }),
    (signal: AbortSignal) => dataset.stats("x", { signal }),
    (signal: AbortSignal) => dataset.split({ a: 1 }, { stratify: "y", signal }),
    (signal: AbortSignal) => dataset.gather([0], { signal }),
  ]) {
    t.is(await t.throwsAsync(act(AbortSignal.abort(reason))), reason);
  }
  const controller = new AbortController();
  const meanwhile = dataset.where(
    () => {
      controller.abort(reason);
      return true;
    },
    { signal: controller.signal },
  );
  t.is(await t.throwsAsync(meanwhile), reason);
});

test("gather reads the rows asked for, refuses others, and names the options there are", async (t) => {
  const dataset = await numbered(10);
  const { x, y } = await dataset.gather([9, 0, 9]);
  expectTypeOf(x.data).toEqualTypeOf<Float32Array>();
  t.deepEqual([...y.data], [9, 0, 9]);
  t.deepEqual([...x.data], [9, 9, 9, 0, 0, 0, 9, 9, 9]);
  for (const row of [10, -1, 0.5]) await t.throwsAsync(dataset.gather([row]), { code: "ERR_ROWS_RANGE" });
  await t.throwsAsync(dataset.gather([0], { as: "int32" } as object), { instanceOf: TypeError });
});

test("batches of a selection are shuffled within it, each row once", async (t) => {
  const dataset = (await numbered(300)).select({ start: 50, stop: 250, step: 2 });
  for (const shuffle of [true, { kind: "full" }] as const) {
    const rows: number[] = [];
    for await (const { y, meta } of dataset.batches({ size: 16, shuffle, seed: 3 })) {
      for (const [i, row] of y.data.entries()) t.is(50 + 2 * (meta.rowIds[i] ?? 0), row);
      rows.push(...y.data);
    }
    t.notDeepEqual(rows, await rowsOf(dataset));
    t.deepEqual(
      rows.toSorted((a, b) => a - b),
      await rowsOf(dataset),
    );
  }
});

test("stream gives batches to a pipeline", async (t) => {
  const dataset = await numbered(25);
  const sizes: number[] = [];
  await pipeline(dataset.stream({ size: 10 }), async (batches: AsyncIterable<{ y: RowChunk }>) => {
    for await (const { y } of batches) sizes.push(y.length);
  });
  t.deepEqual(sizes, [10, 10, 5]);
});
