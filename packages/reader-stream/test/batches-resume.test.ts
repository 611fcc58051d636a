import { type ByteSource, formatNpyHeader, NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { blockOrder } from "../src/block-shuffle.ts";
import { type BatchesOptions, type BatchState, createPermutation, type Dataset, openDataset } from "../src/index.ts";
import { smallBlocks } from "./small-blocks.ts";

type Labelled = Dataset<{ readonly row: "int32"; readonly label: "int32" }>;
type Options = BatchesOptions<{ readonly row: "int32"; readonly label: "int32" }>;

async function labelled(length: number): Promise<Labelled> {
  const row = NdArray.from(Int32Array.from({ length }, (_, i) => i));
  const label = NdArray.from(Int32Array.from({ length }, (_, i) => (i * 7) % 3));
  return await openDataset({ row: { from: row, as: "int32" }, label: { from: label, as: "int32" } });
}

/** What each batch says of itself, its rows, and the first random number of each. */
async function described(dataset: Labelled, options: Options): Promise<string[]> {
  const all: string[] = [];
  let drawn: number[] = [];
  const transform: Options["transform"] = ({ meta }, random) => {
    drawn = Array.from(meta.rowIds, (_, i) => random(i).uint32());
    return undefined;
  };
  for await (const { row, meta } of dataset.batches({ ...options, prefetch: 0, transform })) {
    for (const [i, id] of meta.rowIds.entries()) {
      if (row.data[i] !== Math.max(0, id)) throw new Error(`row ${row.data[i]} is said to be ${id}`);
    }
    all.push(JSON.stringify([meta.epoch, meta.index, meta.position, [...meta.rowIds], drawn]));
  }
  return all;
}

const orders = fc.oneof(
  fc.constantFrom<Partial<Options>>(
    { shuffle: false },
    { shuffle: true },
    { shuffle: { kind: "full" } },
    { sampler: { kind: "stratified", labels: "label" } },
    { sampler: { kind: "balanced", labels: "label", draws: 50 } },
    { sampler: { kind: "weighted", weights: "row" } },
  ),
  smallBlocks,
);
const shards = fc
  .record({ count: fc.integer({ min: 1, max: 3 }), each: fc.integer({ min: 1, max: 2 }), of: fc.nat(2) })
  .map(({ count, each, of }) => ({ index: of % count, count, lanes: count * each }));
const ways = fc.record({
  memory: fc.constantFrom(0, 60, 500, 256 << 20),
  ownership: fc.constantFrom("fresh" as const, "pooled" as const),
  io: fc.constantFrom("auto" as const, "map" as const, "read" as const),
});

test("behind any batch a process with its lanes goes on with the same batches, whatever the order or the sampler", async (t) => {
  const lasts = fc.constantFrom("keep" as const, "drop" as const, "pad" as const, "wrap" as const);
  const rows = fc.constantFrom(2, 3, 7, 8, 9, 31, 32, 33);
  const sizes = fc.record({ rows, size: fc.integer({ min: 1, max: 12 }), seed: fc.integer() });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      orders,
      shards,
      lasts,
      ways,
      ways,
      async ({ rows, ...given }, order, shard, last, way, other) => {
        await using dataset = await labelled(rows);
        const size = given.size * (shard.lanes / shard.count);
        const options: Options = { ...order, ...given, size, last, shard, epochs: 2 };
        const expected = await described(dataset, { ...options, ...way });
        await using batches = dataset.batches({ ...options, ...way });
        for (let k = 0; k <= expected.length; k++) {
          const state = JSON.parse(JSON.stringify(batches.state())) as BatchState;
          if (k % 4 === 0) t.deepEqual(await described(dataset, { ...options, ...other, state }), expected.slice(k));
          await batches.next();
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("of 10^9 rows a run goes on with those that the order has there, compared with the order itself", async (t) => {
  const rows = 10 ** 9;
  await using dataset = await openDataset({ row: { from: numbers(rows), as: "int32" } });
  const [seed, size, blockRows, windowBlocks] = [3, 64, 16, 256];
  const block = blockOrder({ rows, blockRows, windowBlocks, lanes: 1, seed });
  const cases = [
    { shuffle: { kind: "full" }, rowAt: (epoch: number) => createPermutation(rows, seed, epoch).row },
    {
      shuffle: { kind: "block", blockRows, windowBlocks },
      rowAt: (epoch: number) => (position: number) => block.lane(epoch, 0).row(position),
    },
  ] as const;
  for (const { shuffle, rowAt } of cases) {
    const options = { size, shuffle, seed, epochs: 3, memory: 1 << 20 } as const;
    const start = dataset.batches(options).state();
    for (const [epoch, position] of [
      [0, 0],
      [1, 10 ** 8],
      [2, 999_999_936],
    ] as const) {
      await using batches = dataset.batches({ ...options, state: { ...start, epoch, position } });
      for (let step = 0; step < 3; step++) {
        const at = batches.state();
        const { value } = await batches.next();
        if (value === undefined) break;
        const expected = Array.from({ length: size }, (_, i) => rowAt(at.epoch)(at.position + i));
        t.deepEqual(Array.from(value.row.data), expected);
        t.deepEqual(Array.from(value.meta.rowIds), expected);
      }
    }
  }
});

/** An int32 array of the numbers 0 to `length` - 1 that is worked out where it is read. */
function numbers(length: number): ByteSource {
  const head = formatNpyHeader({ dtype: "int32", shape: [length] });
  const byteAt = (position: number): number => {
    const [row, byte] = [Math.floor((position - head.length) / 4), (position - head.length) % 4];
    return position < head.length ? (head[position] as number) : (row >>> (8 * byte)) & 255;
  };
  return {
    byteLength: head.length + length * 4,
    read: async (into, position) => {
      for (let i = 0; i < into.length; i++) into[i] = byteAt(position + i);
    },
    close: async () => undefined,
  };
}
