import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import {
  type BatchesOptions,
  createPermutation,
  type Dataset,
  type DTypesOf,
  openDataset,
  openNpy,
} from "../src/index.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { collect } from "./collect.ts";

const folder = testFolder("batches");
numpy(
  `
x = np.arange(1000, dtype='f4')[:, None] * np.ones(3, 'f4')
y = np.arange(1000)
np.save(sys.argv[1] + '/x.npy', x)
np.savez(sys.argv[1] + '/y.npz', labels=y)
for i in range(4): np.save(f'{sys.argv[1]}/x{i}.npy', x[i * 250 : (i + 1) * 250])
np.save(sys.argv[1] + '/short.npy', y[:-1])
`,
  folder,
);
const fields = { features: join(folder, "x.npy"), labels: `${join(folder, "y.npz")}#labels` };

type Pair = DTypesOf<typeof fields>;
type Options = Omit<BatchesOptions<Pair>, "transform">;

/** Labels in the order of delivery; features of each row must say the same. */
async function order(dataset: Dataset<Pair>, options: Options): Promise<number[]> {
  const rows: number[] = [];
  for await (const { features, labels, meta } of dataset.batches(options)) {
    const data = labels.data as BigInt64Array;
    for (const [i, label] of data.entries()) {
      if (features.get(i, 2) !== Number(label)) throw new Error(`row ${label} has another row's features`);
      if (meta.rowIds[i] !== Number(label)) throw new Error(`row ${label} has row id ${meta.rowIds[i]}`);
      rows.push(Number(label));
    }
  }
  return rows;
}

test.serial(
  "batches deliver every row once an epoch, labels with their features, in the permutation's order",
  async (t) => {
    await using dataset = await openDataset(fields);
    t.is(dataset.length, 1000);
    const rows = await order(dataset, { size: 64, shuffle: { kind: "full" }, seed: 5, epochs: 2 });
    const expected = [0, 1].flatMap((epoch) => {
      const { row } = createPermutation(1000, 5, epoch);
      return Array.from({ length: 1000 }, (_, i) => row(i));
    });
    t.deepEqual(rows, expected);
    t.deepEqual(new Set(rows.slice(0, 1000)).size, 1000);
  },
);

test.serial("without a shuffle rows come as they lie", async (t) => {
  await using dataset = await openDataset(fields);
  t.deepEqual(
    await order(dataset, { size: 300 }),
    Array.from({ length: 1000 }, (_, i) => i),
  );
});

test.serial("the order is the same for any prefetch, batch size and way the rows are cut into files", async (t) => {
  await using whole = await openDataset(fields);
  await using shards = await openDataset({ ...fields, features: [0, 1, 2, 3].map((i) => join(folder, `x${i}.npy`)) });
  const expected = await order(whole, { size: 100, shuffle: { kind: "full" }, seed: 8 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1200 }), fc.nat(5), fc.boolean(), async (size, prefetch, cut) => {
      const options: BatchesOptions = { size, prefetch, shuffle: { kind: "full" }, seed: 8 };
      t.deepEqual(await order(cut ? shards : whole, options), expected);
    }),
    { numRuns: 12 },
  );
});

test.serial("a last batch that is not full is kept or dropped, and meta says where a batch stands", async (t) => {
  await using dataset = await openDataset(fields);
  const metas: unknown[] = [];
  for await (const { meta } of dataset.batches({ size: 400, epochs: 2 })) {
    metas.push([meta.epoch, meta.index, meta.position, meta.rows]);
  }
  t.deepEqual(metas, [
    [0, 0, 0, 400],
    [0, 1, 400, 400],
    [0, 2, 800, 200],
    [1, 0, 0, 400],
    [1, 1, 400, 400],
    [1, 2, 800, 200],
  ]);
  t.is((await order(dataset, { size: 400, last: "drop" })).length, 800);
});

test.serial("fields with other numbers of rows are ERR_DATASET_ROWS naming both, and nothing stays open", async (t) => {
  await t.throwsAsync(openDataset({ ...fields, labels: join(folder, "short.npy") }), {
    code: "ERR_DATASET_ROWS",
    message: /features has 1000 rows and field labels has 999/,
  });
  await t.throwsAsync(openDataset({}), { instanceOf: TypeError });
  await t.throwsAsync(openDataset({ meta: fields.features }), { instanceOf: TypeError });
  t.is(openDescriptors(folder), 0);
});

test.serial("a handle that is passed in stays open, and a specification names its source", async (t) => {
  const handle = await openNpy(fields.features);
  const dataset = await openDataset({ features: handle, labels: { from: fields.labels } });
  const { features } = await dataset.gather([7, 7]);
  t.is(features.get(1, 0), 7);
  await dataset.close();
  t.is((await handle.rows(0, 1)).length, 1);
  await handle.close();
  t.is(openDescriptors(folder), 0);
});

test.serial("a consumer that leaves stops the reads, and the iterator has ended", async (t) => {
  const bytes = encodeNpy(NdArray.from(Float32Array.from({ length: 1000 }, (_, i) => i)));
  let [reads, underWay] = [0, 0];
  const source = {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => {
      reads++;
      underWay++;
      await sleep(2);
      underWay--;
      into.set(bytes.subarray(position, position + into.length));
    },
    close: async () => undefined,
  };
  await using dataset = await openDataset({ x: source });
  const batches = dataset.batches({ size: 10, prefetch: 3 });
  for await (const { x } of batches) {
    t.is(x.length, 10);
    break;
  }
  t.is(underWay, 0);
  const before = reads;
  await sleep(15);
  t.is(reads, before);
  t.deepEqual(await batches.next(), { done: true, value: undefined });
});

test.serial(
  "a read that fails ends the iteration with its error, and one that nobody waits for harms nothing",
  async (t) => {
    const bytes = encodeNpy(NdArray.from(new Float32Array(100)));
    const error = new Error("the disk is gone");
    const source = {
      byteLength: bytes.length,
      read: async (into: Uint8Array, position: number) => {
        if (position > 0 && position + into.length > 300) throw error;
        into.set(bytes.subarray(position, position + into.length));
      },
      close: async () => undefined,
    };
    await using dataset = await openDataset({ x: source });
    const batches = dataset.batches({ size: 10 });
    t.is(
      await t.throwsAsync(async () => {
        for await (const _ of batches);
      }),
      error,
    );
    t.true((await batches.next()).done);
    for await (const _ of dataset.batches({ size: 30, prefetch: 4, memory: 500 })) break;
  },
);

test.serial("an abort ends the iteration with the reason untouched", async (t) => {
  await using dataset = await openDataset(fields);
  const controller = new AbortController();
  const reason = new Error("enough");
  const caught = await t.throwsAsync(async () => {
    for await (const _ of dataset.batches({ size: 10, signal: controller.signal })) controller.abort(reason);
  });
  t.is(caught, reason);
});

test.serial("overlapping calls of next are answered in order", async (t) => {
  await using dataset = await openDataset(fields);
  const batches = dataset.batches({ size: 250 });
  const steps = await Promise.all(Array.from({ length: 6 }, () => batches.next()));
  t.deepEqual(
    steps.map(({ value }) => value?.meta.index),
    [0, 1, 2, 3, undefined, undefined],
  );
});

test.serial("a last batch is padded with zeros and a mask, or filled with the first rows of its epoch", async (t) => {
  await using dataset = await openDataset(fields);
  const all = await collect(dataset.batches({ size: 400, last: "pad" }));
  const last = all.at(-1);
  t.deepEqual(
    all.map(({ meta }) => [meta.rows, meta.valid?.reduce((sum, one) => sum + one, 0)]),
    [
      [400, 400],
      [400, 400],
      [400, 200],
    ],
  );
  t.deepEqual([last?.labels.get(199), last?.labels.get(200), last?.features.get(399, 0)], [999n, 0n, 0]);
  t.deepEqual([last?.meta.rowIds[199], last?.meta.rowIds[200]], [999, -1]);
  const options = { size: 400, last: "wrap", shuffle: true, seed: 4 } as const;
  const wrapped = await order(dataset, options);
  t.deepEqual(wrapped.slice(1000), wrapped.slice(0, 200));
  t.is(new Set(wrapped).size, 1000);
  await using few = await openDataset({ x: encodeNpy(NdArray.from(new Float32Array([1, 2, 3]))) });
  const [only] = await collect(few.batches({ size: 7, last: "wrap" }));
  t.deepEqual(only?.x.toNested(), [1, 2, 3, 1, 2, 3, 1]);
});

test.serial(
  "the arrays of a pooled batch are detached when the next one is asked for, and fresh ones stay",
  async (t) => {
    await using dataset = await openDataset(fields);
    for (const shuffle of [false, true, { kind: "full" }] as const) {
      const pooled = dataset.batches({ size: 100, ownership: "pooled", shuffle });
      const first = (await pooled.next()).value;
      t.is(first?.labels.data.length, 100);
      await pooled.next();
      t.is(first?.labels.data.length, 0);
      await pooled.return();
    }
    const fresh = dataset.batches({ size: 100 });
    const first = (await fresh.next()).value;
    await fresh.next();
    t.is(first?.labels.get(99), 99n);
    t.throws(() => dataset.batches({ size: 1, ownership: "pooled" }).stream(), { instanceOf: TypeError });
  },
);

test.serial("a transform gets random numbers of each row, the same in any batch", async (t) => {
  await using dataset = await openDataset(fields);
  const draws = async (options: Options): Promise<Map<number, number>> => {
    const drawn = new Map<number, number>();
    const transform: BatchesOptions<Pair>["transform"] = (batch, random) => {
      for (const [i, row] of batch.meta.rowIds.entries()) drawn.set(row, random(i).uint32());
      return { ...batch, labels: NdArray.from(Float32Array.from(batch.meta.rowIds)) };
    };
    for await (const { labels, meta } of dataset.batches({ ...options, transform })) {
      t.deepEqual(labels?.dtype, "float32");
      t.is(labels?.length, meta.rows);
    }
    return drawn;
  };
  const one = await draws({ size: 64, shuffle: true, seed: 3 });
  const other = await draws({ size: 300, seed: 3, prefetch: 0 });
  t.deepEqual(
    [...one].sort(([a], [b]) => a - b),
    [...other],
  );
  t.true(new Set(one.values()).size > 990);
  t.notDeepEqual([...(await draws({ size: 300, seed: 4 }))], [...other]);
});

test.serial("a batch that cannot be made is skipped where onError says so, and counts as delivered", async (t) => {
  await using dataset = await openDataset(fields);
  const failures: unknown[] = [];
  const batches = dataset.batches({
    size: 250,
    transform: (batch) => {
      if (batch.meta.index === 1) throw new Error("a bad batch");
      return undefined;
    },
    onError: ({ error, meta }) => {
      failures.push([String(error), meta.position]);
      return "skip";
    },
  });
  const seen: number[] = [];
  for await (const { meta } of batches) seen.push(meta.index);
  t.deepEqual(seen, [0, 2, 3]);
  t.deepEqual(failures, [["Error: a bad batch", 250]]);
  t.deepEqual([batches.state().epoch, batches.state().position], [1, 0]);
  const failing = dataset.batches({
    size: 250,
    transform: () => Promise.reject(new Error("no")),
    onError: () => "fail",
  });
  await t.throwsAsync(failing.next(), { message: "no" });
});

test.serial("metrics count what was delivered and read", async (t) => {
  await using dataset = await openDataset(fields);
  const batches = dataset.batches({ size: 300, shuffle: true, epochs: 2 });
  for await (const _ of batches);
  const { batches: count, rows, bytes, reads, windows, waitMs, peakBytes } = batches.metrics();
  t.deepEqual([count, rows, bytes], [8, 2000, 2 * 1000 * (12 + 8)]);
  t.true(reads > 0 && windows >= 2 && waitMs > 0 && peakBytes > 0);
});

test("an epoch without a batch ends, however many epochs are asked for", async (t) => {
  await using few = await openDataset({ x: encodeNpy(NdArray.from(new Float32Array(3))) });
  t.true((await few.batches({ size: 4, last: "drop", epochs: Number.POSITIVE_INFINITY }).next()).done);
  await using none = await openDataset({ x: encodeNpy(NdArray.from(new Float32Array(0))) });
  t.true((await none.batches({ size: 4, epochs: Number.POSITIVE_INFINITY }).next()).done);
});
