import { join } from "node:path";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { type BatchesOptions, concat, type Dataset, mix, openDataset } from "../src/index.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";

const folder = testFolder("concat-fields");
numpy(
  `
np.save(sys.argv[1] + '/x.npy', np.arange(100, 120, dtype='f8')[:, None] * np.ones(3))
np.save(sys.argv[1] + '/y.npy', np.arange(100, 120, dtype='i4'))
`,
  folder,
);
type Rows = Dataset<{ readonly x: "float32"; readonly y: "int32" }>;

/** Ten rows from `first` on, in memory, in memory as float64, to be read, or in files. */
async function part(kind: "memory" | "cast" | "read" | "file", first: number): Promise<Rows> {
  const as = { x: "float32", y: "int32" } as const;
  const x = NdArray.from(
    Float32Array.from({ length: 30 }, (_, i) => first + Math.floor(i / 3)),
    [10, 3],
  );
  const y = NdArray.from(Int32Array.from({ length: 10 }, (_, i) => first + i));
  const file = (name: string): string => join(folder, `${name}.npy`);
  const from = {
    memory: { x, y },
    cast: { x: x.astype("float64"), y },
    read: { x: countedSource(encodeNpy(x)), y },
    file: { x: file("x"), y: file("y") },
  }[kind];
  return await openDataset({ x: { from: from.x, as: as.x }, y: { from: from.y, as: as.y } });
}

async function rowsOf(dataset: Rows, options: Omit<BatchesOptions, "transform">): Promise<number[]> {
  const rows: number[] = [];
  for await (const { x, y } of dataset.batches(options)) {
    for (const [i, row] of y.data.entries()) {
      if (x.get(i, 0) !== row || x.get(i, 2) !== row) throw new Error(`row ${row} has the features of ${x.get(i, 0)}`);
      rows.push(row);
    }
  }
  return rows;
}

test("datasets behind each other give the same batches wherever their rows are: mapped, in memory or read", async (t) => {
  const kinds = fc.array(fc.constantFrom("memory" as const, "cast" as const, "read" as const, "file" as const), {
    minLength: 1,
    maxLength: 4,
  });
  const shuffles = fc.constantFrom<NonNullable<BatchesOptions["shuffle"]>>(false, true, { kind: "full" });
  await fc.assert(
    fc.asyncProperty(
      kinds,
      shuffles,
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      async (kinds, shuffle, isMixed, size) => {
        const parts = await Promise.all(kinds.map((kind, index) => part(kind, kind === "file" ? 100 : index * 10)));
        const chosen = parts.map((one, index) => (index % 2 === 0 ? one : one.select([7, 2, 3, 3])));
        const all = isMixed ? mix(chosen.map((dataset, i) => ({ dataset, weight: i + 1 }))) : concat(chosen);
        const options = { size, shuffle, seed: 3, memory: 2000 };
        const expected = await rowsOf(all, { ...options, io: "read" });
        t.deepEqual(await rowsOf(all, options), expected);
        if (!kinds.includes("read")) t.deepEqual(await rowsOf(all, { ...options, io: "map" }), expected);
        else await t.throwsAsync(rowsOf(all, { ...options, io: "map" }), { code: "ERR_MAP_UNAVAILABLE" });
        for (const one of parts) await one.close();
      },
    ),
    { numRuns: 60 },
  );
  t.is(openDescriptors(folder), 0);
});

test("arrays in memory are copied from where they lie, without a read, also behind each other", async (t) => {
  const all = concat([
    await part("memory", 0),
    await part("memory", 10),
    (await part("memory", 20)).select({ stop: 5 }),
  ]);
  for (const shuffle of [false, true, { kind: "full" }] as const) {
    const batches = all.batches({ size: 4, shuffle });
    for await (const _ of batches);
    t.like(batches.metrics(), { reads: 0, windows: 0, rows: 25 });
  }
});
