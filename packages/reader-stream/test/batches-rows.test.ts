import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { type BatchesOptions, type BatchState, type Dataset, openDataset } from "../src/index.ts";
import { numpy, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";

const folder = testFolder("batches-rows");
const at = (name: string): string => join(folder, name);
type Options = Omit<BatchesOptions, "transform">;
type Numbered = Dataset<{ readonly x: "float32"; readonly y: "int32" }>;

/** Numbers of rows at which things go wrong: the smallest, and those around powers of two. */
const edgeRows = fc.oneof(
  fc.constantFrom(1, 2, 3),
  fc.integer({ min: 2, max: 10 }).chain((k) => fc.constantFrom(2 ** k - 1, 2 ** k, 2 ** k + 1)),
);

/** A dataset of `length` rows that say which they are: from memory, or from sources that are read, as they are or cast. */
async function numbered(length: number, kind: "memory" | "read" | "cast" | "shards"): Promise<Numbered> {
  const x = NdArray.from(
    Float32Array.from({ length: length * 5 }, (_, i) => Math.floor(i / 5)),
    [length, 5],
  );
  const y = NdArray.from(Int32Array.from({ length }, (_, row) => row));
  const read = (array: NdArray): ReturnType<typeof countedSource> => countedSource(encodeNpy(array));
  const half = Math.ceil(length / 2);
  const parts = [x.slice({ stop: half }), x.slice({ start: half })].map((part) => encodeNpy(part));
  if (kind === "memory") return await openDataset({ x: { from: x, as: "float32" }, y: { from: y, as: "int32" } });
  if (kind === "shards")
    return await openDataset({ x: { from: parts, as: "float32" }, y: { from: read(y), as: "int32" } });
  if (kind === "read")
    return await openDataset({ x: { from: read(x), as: "float32" }, y: { from: read(y), as: "int32" } });
  const wide = { x: x.astype("float64"), y: y.astype("int64") };
  return await openDataset({ x: { from: read(wide.x), as: "float32" }, y: { from: wide.y, as: "int32" } });
}

/** Rows of each batch, where features say the same as labels. */
async function batchesOf(dataset: Numbered, options: Options): Promise<number[][]> {
  const all: number[][] = [];
  for await (const { x, y } of dataset.batches(options)) {
    for (const [i, row] of y.data.entries()) {
      if (x.get(i, 0) !== row || x.get(i, 4) !== row) throw new Error(`row ${row} has the features of ${x.get(i, 4)}`);
    }
    all.push(Array.from(y.data));
  }
  return all;
}

const kinds = fc.constantFrom("memory" as const, "read" as const, "cast" as const, "shards" as const);
const orders = fc.record({
  size: fc.oneof(fc.constantFrom(1, 2, 3, 7, 8, 9), fc.integer({ min: 1, max: 300 })),
  seed: fc.integer(),
  shuffle: fc.oneof(
    fc.constantFrom<NonNullable<Options["shuffle"]>>(false, true, { kind: "full" }),
    fc.record({
      kind: fc.constant("block" as const),
      blockRows: fc.integer({ min: 1, max: 70 }),
      windowBlocks: fc.integer({ min: 1, max: 20 }),
    }),
  ),
});
const ways = fc.record({
  prefetch: fc.nat(4),
  memory: fc.constantFrom(0, 100, 3000, 30_000, 256 << 20),
  ownership: fc.constantFrom("fresh" as const, "pooled" as const),
});

test("every row comes once an epoch, with its label, at 1, 2, 3 and around powers of two, over any shards", async (t) => {
  const shards = fc.record({ count: fc.integer({ min: 1, max: 4 }), each: fc.integer({ min: 1, max: 2 }) });
  await fc.assert(
    fc.asyncProperty(edgeRows, kinds, orders, ways, shards, async (rows, kind, order, way, { count, each }) => {
      await using dataset = await numbered(rows, kind);
      const seen: number[] = [];
      for (let index = 0; index < count; index++) {
        const shard = { index, count, lanes: count * each };
        seen.push(...(await batchesOf(dataset, { ...order, ...way, size: order.size * each, shard })).flat());
      }
      t.deepEqual(
        seen.sort((a, b) => a - b),
        Array.from({ length: rows }, (_, row) => row),
      );
    }),
    { numRuns: 100 },
  );
});

test("the order is a function of rows, seed and options of the order, not of where rows are or how they are read", async (t) => {
  await fc.assert(
    fc.asyncProperty(edgeRows, kinds, kinds, orders, ways, ways, async (rows, kind, other, order, way, another) => {
      await using one = await numbered(rows, kind);
      await using two = await numbered(rows, other);
      const expected = await batchesOf(one, { ...order, ...way, epochs: 2 });
      t.deepEqual(await batchesOf(two, { ...order, ...another, epochs: 2 }), expected);
    }),
    { numRuns: 100 },
  );
});

test("a run that goes on behind every batch gives the rest, at every number of rows", async (t) => {
  const lasts = fc.constantFrom("keep" as const, "drop" as const, "pad" as const, "wrap" as const);
  await fc.assert(
    fc.asyncProperty(edgeRows, kinds, orders, ways, ways, lasts, async (rows, kind, order, way, other, last) => {
      await using dataset = await numbered(rows, kind);
      const options = { ...order, size: order.size + Math.floor(rows / 10), last, epochs: 2 };
      const expected = await rowIdsOf(dataset, { ...options, ...way });
      await using batches = dataset.batches({ ...options, ...way });
      for (let k = 0; k <= expected.length; k++) {
        const state = JSON.parse(JSON.stringify(batches.state())) as BatchState;
        t.true(JSON.stringify(state).length < 400);
        t.deepEqual(await rowIdsOf(dataset, { ...options, ...other, state }), expected.slice(k));
        await batches.next();
      }
    }),
    { numRuns: 25 },
  );
});

test.serial(
  "what is left behind every batch is the same in another process, with other memory, prefetch and files",
  async (t) => {
    const rows = 257;
    numpy(
      `
n = int(sys.argv[2])
x = np.arange(n, dtype='f4')[:, None] * np.ones(6, 'f4')
np.save(sys.argv[1] + '/x.npy', x)
for i, part in enumerate(np.split(x, [1, 130])): np.save(f'{sys.argv[1]}/x{i}.npy', part)
np.save(sys.argv[1] + '/y.npy', np.arange(n))
`,
      folder,
      String(rows),
    );
    await using dataset = await openDataset({ features: [at("x.npy")], labels: at("y.npy") });
    const script = fileURLToPath(new URL("rest-by-process.ts", import.meta.url));
    const features = JSON.stringify([0, 1, 2].map((i) => at(`x${i}.npy`)));
    for (const shuffle of [true, { kind: "full" }] as const) {
      const options = { size: 20, shuffle, seed: 11, epochs: 2, last: "drop" } as const;
      const batches = dataset.batches(options);
      const states: BatchState[] = [batches.state()];
      const all: number[][] = [];
      for await (const { labels } of batches) {
        all.push(Array.from(labels.data as BigInt64Array, Number));
        states.push(batches.state());
      }
      const others = { ...options, prefetch: 0, memory: 4000, io: "read", resume: "same-rows" };
      const args = [JSON.stringify(others), JSON.stringify(states), features, at("y.npy")];
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--import=tsx", "--conditions=@npystream/source", script, ...args],
        { maxBuffer: 1 << 26 },
      );
      t.is(all.length, 24);
      t.deepEqual(
        JSON.parse(stdout),
        states.map((_, k) => all.slice(k)),
      );
    }
  },
);

/** Which rows each batch has; -1 is padding. */
async function rowIdsOf(dataset: Numbered, options: Options): Promise<number[][]> {
  const all: number[][] = [];
  for await (const { y, meta } of dataset.batches(options)) {
    for (const [i, id] of meta.rowIds.entries()) if (id >= 0 && y.data[i] !== id) throw new Error(`not row ${id}`);
    all.push(Array.from(meta.rowIds));
  }
  return all;
}
