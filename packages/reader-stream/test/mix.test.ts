import { NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { concat, type Dataset, mix, openDataset } from "../src/index.ts";

type Rows = Dataset<{ readonly row: "int32" }>;

async function numbered(start: number, length: number): Promise<Rows> {
  const rows = Int32Array.from({ length }, (_, i) => start + i);
  return await openDataset({ row: { from: NdArray.from(rows), as: "int32" } });
}

async function rowsOf(dataset: Rows, size = 5): Promise<number[]> {
  const rows: number[] = [];
  for await (const { row } of dataset.batches({ size })) rows.push(...row.data);
  return rows;
}

test("concat has all rows of all datasets in order, for any lengths, batches and order of asking", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 20 }),
      async (lengths, size) => {
        const parts = await Promise.all(lengths.map((length, part) => numbered(part * 100, length)));
        const all = concat(parts);
        const expected = lengths.flatMap((length, part) => Array.from({ length }, (_, i) => part * 100 + i));
        t.is(all.length, expected.length);
        t.deepEqual(await rowsOf(all, size), expected);
        const places = [...expected.keys(), ...expected.keys()].sort((a, b) => (a % 3) - (b % 3));
        t.deepEqual(
          [...(await all.gather(places)).row.data],
          places.map((place) => expected[place] as number),
        );
        t.deepEqual(await rowsOf(concat([all, all.select({ stop: 1 })])), [...expected, ...expected.slice(0, 1)]);
      },
    ),
    { numRuns: 40 },
  );
});

test("datasets that differ in fields are ERR_DATASET_FIELDS naming what differs", async (t) => {
  const open = (fields: Record<string, NdArray>): Promise<Dataset> => openDataset(fields);
  const x = await open({ x: NdArray.from(new Int32Array(4)) });
  const others = {
    'the fields \\["y"\\]': await open({ y: NdArray.from(new Int32Array(4)) }),
    'x of dtype "<i2"': await open({ x: NdArray.from(new Int16Array(4)) }),
    "x of row shape \\[2\\]": await open({ x: NdArray.from(new Int32Array(4), [2, 2]) }),
  };
  for (const [what, other] of Object.entries(others)) {
    const expected = { code: "ERR_DATASET_FIELDS", message: new RegExp(`dataset 1 has ${what}`) };
    t.throws(() => concat([x, other]), expected);
    t.throws(
      () =>
        mix([
          { dataset: x, weight: 1 },
          { dataset: other, weight: 1 },
        ]),
      expected,
    );
  }
  t.throws(() => concat([]), { instanceOf: TypeError });
});

test("of the first rows of a mixture every dataset has its share, and its own order", async (t) => {
  const part = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }));
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), async (parts) => {
      const datasets = await Promise.all(parts.map(([length], index) => numbered(index * 100, length)));
      const weights = parts.map(([, weight]) => weight);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const mixed = mix(datasets.map((dataset, index) => ({ dataset, weight: weights[index] as number })));
      const rows = await rowsOf(mixed);
      t.is(new Set(rows).size, rows.length);
      const given = weights.map(() => 0);
      for (const [place, row] of rows.entries()) {
        const index = Math.floor(row / 100);
        t.is(given[index] ?? -1, row % 100);
        given[index] = (row % 100) + 1;
        for (const [other, weight] of weights.entries()) {
          t.true(Math.abs((given[other] as number) - ((place + 1) * weight) / total) < Math.max(1, parts.length));
        }
      }
      // It ends where a dataset would have to begin anew.
      t.true(given.some((count, index) => count === parts[index]?.[0]));
      const longer = await rowsOf(
        mix(
          datasets.map((dataset, i) => ({ dataset, weight: weights[i] as number })),
          { length: 200 },
        ),
      );
      t.is(longer.length, 200);
      t.deepEqual(longer.slice(0, rows.length), rows);
    }),
    { numRuns: 40 },
  );
});

test("a mixture refuses weights and lengths that cannot be", async (t) => {
  const dataset = await numbered(0, 3);
  const none = await numbered(0, 0);
  for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => mix([{ dataset, weight }]), { instanceOf: RangeError });
  }
  t.throws(() => mix([{ dataset, weight: 1 }], { length: 1.5 }), { instanceOf: RangeError });
  t.throws(() => mix([{ dataset: none, weight: 1 }], { length: 1 }), { instanceOf: RangeError });
  t.throws(() => mix([{ dataset, weight: 1 }], { rows: 3 } as object), { instanceOf: TypeError });
  t.is(mix([{ dataset: none, weight: 1 }]).length, 0);
});
