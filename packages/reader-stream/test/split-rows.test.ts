import { fromNested, NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { type Dataset, openDataset } from "../src/index.ts";

type Rows = Dataset<{ readonly row: "int32"; readonly label: "int32"; readonly group: "int32" }>;

async function labelled(labels: readonly number[], groups: readonly number[] = labels): Promise<Rows> {
  const ints = (values: Iterable<number>) => ({ from: NdArray.from(Int32Array.from(values)), as: "int32" }) as const;
  return await openDataset({ row: ints(labels.keys()), label: ints(labels), group: ints(groups) });
}

async function rowsOf(part: Rows): Promise<number[]> {
  return [...(await part.gather([...Array(part.length).keys()])).row.data];
}

function countOf<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Fractions that add up to 1, from whole numbers. */
const fractions = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })
  .map((shares) => shares.map((share) => share / shares.reduce((sum, other) => sum + other, 0)));
const labelsOf = fc.array(fc.nat(4), { maxLength: 120 });
const named = (shares: readonly number[]): Record<string, number> =>
  Object.fromEntries(shares.map((share, part) => [`part${part}`, share]));

test("parts have their sizes, share no row, leave none out, keep the order, and come again with their seed", async (t) => {
  await fc.assert(
    fc.asyncProperty(labelsOf, fractions, fc.integer(), fc.boolean(), async (labels, shares, seed, isStratified) => {
      const dataset = await labelled(labels);
      const options = isStratified ? ({ seed, stratify: "label" } as const) : { seed };
      const parts = Object.values(await dataset.split(named(shares), options));
      const rows = await Promise.all(parts.map(rowsOf));
      for (const [part, share] of shares.entries()) {
        t.true(Math.abs((rows[part]?.length ?? 0) - share * labels.length) < 1);
        t.deepEqual(
          rows[part],
          rows[part]?.toSorted((a, b) => a - b),
        );
      }
      t.deepEqual(
        rows.flat().toSorted((a, b) => a - b),
        [...labels.keys()],
      );
      const again = Object.values(await dataset.split(named(shares), options));
      t.deepEqual(await Promise.all(again.map(rowsOf)), rows);
    }),
    { numRuns: 60 },
  );
});

test("a stratified part has of every label what its size says, rounded up or down", async (t) => {
  await fc.assert(
    fc.asyncProperty(labelsOf, fractions, fc.integer(), async (labels, shares, seed) => {
      const dataset = await labelled(labels);
      const totals = countOf(labels);
      for (const part of Object.values(await dataset.split(named(shares), { seed, stratify: "label" }))) {
        const found = countOf((await rowsOf(part)).map((row) => labels[row]));
        for (const [label, total] of totals) {
          const exact = (total * part.length) / labels.length;
          const count = found.get(label) ?? 0;
          t.true(count >= Math.floor(exact + 1e-9) && count <= Math.ceil(exact - 1e-9), `${count} of ${exact}`);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("rows of one group are never in two parts, and no part passes its size by more than the largest group", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      labelsOf,
      fc.array(fc.nat(12), { minLength: 120, maxLength: 120 }),
      fractions,
      fc.boolean(),
      fc.nat(),
      async (labels, all, shares, isStratified, seed) => {
        const groups = all.slice(0, labels.length);
        const dataset = await labelled(labels, groups);
        const stratify = isStratified ? ({ stratify: "label" } as const) : {};
        const parts = Object.values(await dataset.split(named(shares), { seed, groupBy: "group", ...stratify }));
        const rows = await Promise.all(parts.map(rowsOf));
        t.deepEqual(
          rows.flat().toSorted((a, b) => a - b),
          [...labels.keys()],
        );
        const seen = rows.map((part) => new Set(part.map((row) => groups[row])));
        t.is(
          seen.reduce((sum, { size }) => sum + size, 0),
          new Set(groups).size,
        );
        if (isStratified) return;
        const largest = Math.max(0, ...countOf(groups).values());
        for (const [part, share] of shares.entries()) {
          t.true((rows[part]?.length ?? 0) < share * labels.length + 1 + largest);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("groups that are alike in labels are divided alike in labels", async (t) => {
  const groups = Array.from({ length: 2000 }, (_, row) => Math.floor(row / 10));
  const labels = groups.map((group, row) => (group % 4 === 0 ? row % 2 : 0));
  const dataset = await labelled(labels, groups);
  const { train, test: held } = await dataset.split(
    { train: 0.75, test: 0.25 },
    { stratify: "label", groupBy: "group" },
  );
  t.true(Math.abs(train.length - 1500) <= 10, String(train.length));
  const ones = (await rowsOf(held)).filter((row) => labels[row] === 1).length;
  t.true(Math.abs(ones - 250 / 4) <= 5, String(ones));
});

test("groups that are divided by label too leave no small part empty, and sizes are near those asked for", async (t) => {
  const sizes = [96, 12, 12];
  let off = 0;
  for (let seed = 0; seed < 60; seed++) {
    const groups = Array.from({ length: 120 }, (_, row) => (row * (seed + 7) + (row % 11) * seed) % 25);
    const dataset = await labelled(
      groups.map((group) => (group * 7) % 4),
      groups,
    );
    const parts = await dataset.split({ a: 0.8, b: 0.1, c: 0.1 }, { seed, stratify: "label", groupBy: "group" });
    const found = Object.values(parts).map(({ length }) => length);
    t.true(
      found.every((length) => length > 0),
      `seed ${seed}: ${found}`,
    );
    off += Math.max(...found.map((length, part) => Math.abs(length - (sizes[part] ?? 0))));
  }
  // The largest groups have five rows.
  t.true(off / 60 < 5, `${off / 60} rows off on average`);
});

test("seeds give other splits, and a split does not depend on the shuffle of the same seed", async (t) => {
  const dataset = await labelled(Array.from({ length: 1000 }, () => 0));
  const rowsOfSeed = async (seed: number): Promise<number[]> =>
    rowsOf((await dataset.split({ a: 0.5, b: 0.5 }, { seed })).a);
  const [first, second] = [await rowsOfSeed(1), new Set(await rowsOfSeed(2))];
  const both = first.filter((row) => second.has(row)).length;
  // Of two independent halves a quarter is in both: 250, with a standard deviation of 8.
  t.true(both > 200 && both < 300, String(both));
  const shuffled: number[] = [];
  for await (const { row } of dataset.batches({ size: 100, shuffle: { kind: "full" }, seed: 1 })) {
    shuffled.push(...row.data);
  }
  const firstHalf = new Set(shuffled.slice(0, 500));
  const shared = first.filter((row) => firstHalf.has(row)).length;
  t.true(shared > 200 && shared < 300, String(shared));
});

test("counts are taken as they are, and labels may be text, bytes, floats or of 64 bits", async (t) => {
  const words = Array.from({ length: 30 }, (_, row) => (row % 3 === 0 ? "cat" : "dog"));
  await using dataset = await openDataset({
    text: fromNested(words, "<U3"),
    bytes: fromNested(
      words.map((word) => new TextEncoder().encode(word)),
      "|S3",
    ),
    float: NdArray.from(Float64Array.from(words, (word) => (word === "cat" ? Number.NaN : 1))),
    wide: { from: NdArray.from(BigInt64Array.from(words, (word) => BigInt(word.charCodeAt(0)))), as: "int64" },
    column: NdArray.from(
      Int8Array.from(words, (word) => word.length),
      [30, 1],
    ),
  });
  for (const stratify of ["text", "bytes", "float", "wide"] as const) {
    const { some, rest } = await dataset.split({ some: 6, rest: 24 }, { stratify });
    t.deepEqual([some.length, rest.length], [6, 24]);
    const { wide } = await some.gather([0, 1, 2, 3, 4, 5]);
    t.is([...wide.data].filter((code) => code === 99n).length, 2, stratify);
  }
  t.is((await dataset.split({ a: 3, b: 27 }, { stratify: "column" })).a.length, 3);
});

const refuses = test.macro({
  title: (_, what: string) => `split refuses ${what}`,
  async exec(t, _what: string, parts: Record<string, number>, options: object, expected: object) {
    await using dataset = await openDataset({
      label: NdArray.from(new Int32Array(10)),
      image: NdArray.from(new Int32Array(20), [10, 2]),
    });
    await t.throwsAsync(dataset.split(parts, options), expected);
  },
});
test(
  refuses,
  "fractions that leave rows out",
  { a: 0.5, b: 0.4 },
  {},
  { instanceOf: RangeError, message: /add up to 0\.9/ },
);
test(
  refuses,
  "counts that leave rows out",
  { a: 5, b: 4 },
  {},
  { instanceOf: RangeError, message: /9 rows in all.*10/ },
);
test(refuses, "a negative part", { a: 1.5, b: -0.5 }, {}, { instanceOf: RangeError });
test(refuses, "no parts", {}, {}, { instanceOf: RangeError });
test(
  refuses,
  "a field that there is not",
  { a: 1 },
  { stratify: "labels" },
  { instanceOf: TypeError, message: /labels/ },
);
test(
  refuses,
  "a field of several values a row",
  { a: 1 },
  { stratify: "image" },
  { instanceOf: TypeError, message: /image/ },
);
test(refuses, "half a seed", { a: 1 }, { seed: 0.5 }, { instanceOf: RangeError });
test(refuses, "an option that there is not", { a: 1 }, { stratified: true }, { instanceOf: TypeError });
