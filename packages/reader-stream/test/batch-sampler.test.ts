import { join } from "node:path";
import { elementType, encodeNpy, fromNested, NdArray } from "@npystream/codec";
import test from "ava";
import { type BatchesOptions, openDataset } from "../src/index.ts";
import { numpy, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";

const folder = testFolder("batch-sampler");
const ROWS = 3000;
// Classes of 70, 20 and 10 per cent, sorted.
numpy(
  `
n = ${ROWS}
np.save(sys.argv[1] + '/rows.npy', np.arange(n))
np.save(sys.argv[1] + '/labels.npy', np.repeat(np.array(['cat', 'dog', 'owl']), [n * 7 // 10, n * 2 // 10, n // 10]))
np.save(sys.argv[1] + '/weights.npy', np.repeat([0.0, 1.0, 3.0], n // 3))
np.savez_compressed(sys.argv[1] + '/set.npz', rows=np.arange(n))
`,
  folder,
);
const open = () =>
  openDataset({
    rows: join(folder, "rows.npy"),
    labels: join(folder, "labels.npy"),
    weights: join(folder, "weights.npy"),
  });
const shares = [0.7, 0.2, 0.1];
const classOf = (row: number): number => (row < ROWS * 0.7 ? 0 : row < ROWS * 0.9 ? 1 : 2);
const rowsOf = ({ rows }: { readonly rows: NdArray }): number[] => Array.from(rows.data as BigInt64Array, Number);

async function batchesOf(options: Omit<BatchesOptions, "transform">): Promise<number[][]> {
  await using dataset = await open();
  const all: number[][] = [];
  for await (const batch of dataset.batches(options)) all.push(rowsOf(batch));
  return all;
}

function countsOf(rows: readonly number[]): number[] {
  return shares.map((_, index) => rows.filter((row) => classOf(row) === index).length);
}

test.serial("stratified batches have each row once and the classes of the whole, in every process", async (t) => {
  const sampler = { kind: "stratified", labels: "labels" } as const;
  const seen: number[] = [];
  for (const index of [0, 1]) {
    const all = await batchesOf({ size: 50, seed: 2, sampler, shard: { index, count: 2 } });
    for (const rows of all) {
      for (const [i, count] of countsOf(rows).entries()) {
        t.true(Math.abs(count - 50 * (shares[i] ?? 0)) <= 2, `class ${i} has ${count} of 50 rows`);
      }
    }
    seen.push(...all.flat());
  }
  t.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({ length: ROWS }, (_, i) => i),
  );
});

test.serial("balanced batches draw classes equally often", async (t) => {
  const rows = (await batchesOf({ size: 100, sampler: { kind: "balanced", labels: "labels", draws: 30_000 } })).flat();
  t.is(rows.length, 30_000);
  // Five standard errors of a count of 30,000 draws with a chance of a third.
  for (const count of countsOf(rows)) t.true(Math.abs(count - 10_000) < 5 * Math.sqrt(30_000 * (1 / 3) * (2 / 3)));
});

test.serial("weighted batches draw rows by weight, from a field or from an array", async (t) => {
  const weights = Float64Array.from({ length: ROWS }, (_, i) => (i < 1000 ? 0 : i < 2000 ? 1 : 3));
  const rows = (await batchesOf({ size: 100, seed: 6, sampler: { kind: "weighted", weights } })).flat();
  t.deepEqual(
    (await batchesOf({ size: 100, seed: 6, sampler: { kind: "weighted", weights: "weights" } })).flat(),
    rows,
  );
  t.true(rows.every((row) => row >= 1000));
  const heavy = rows.filter((row) => row >= 2000).length / rows.length;
  t.true(Math.abs(heavy - 0.75) < 5 * Math.sqrt((0.75 * 0.25) / ROWS), `${heavy} of the draws`);
});

test.serial("the draw for a position is the same in any batch and in any number of processes", async (t) => {
  const sampler = { kind: "balanced", labels: "labels" } as const;
  const all = (await batchesOf({ size: 100, seed: 8, sampler, epochs: 2 })).flat();
  t.deepEqual((await batchesOf({ size: 37, seed: 8, sampler, epochs: 2, memory: 0 })).flat(), all);
  t.notDeepEqual(all.slice(0, ROWS), all.slice(ROWS));
  const shard = { index: 1, count: 3 };
  const third = (await batchesOf({ size: 10, seed: 8, sampler, shard })).flat();
  t.deepEqual(
    third,
    all.slice(0, ROWS).filter((_, position) => position % 3 === 1),
  );
});

test.serial("a sampler goes on behind any batch", async (t) => {
  await using dataset = await open();
  for (const sampler of [
    { kind: "stratified", labels: "labels" },
    { kind: "weighted", weights: "weights" },
  ] as const) {
    const all = await batchesOf({ size: 700, sampler });
    const batches = dataset.batches({ size: 700, sampler });
    await batches.next();
    await batches.next();
    const rest: number[][] = [];
    for await (const batch of dataset.batches({ size: 700, sampler, state: batches.state() })) rest.push(rowsOf(batch));
    await batches.return();
    t.deepEqual(rest, all.slice(2));
  }
});

test.serial(
  "labels of another number, fields that there are not and rows of several elements are refused",
  async (t) => {
    await using dataset = await openDataset({ x: encodeNpy(NdArray.from(new Float32Array(6), [3, 2])) });
    const refuses = (sampler: NonNullable<BatchesOptions["sampler"]>, instanceOf: ErrorConstructor): void => {
      t.throws(() => dataset.batches({ size: 1, sampler }), { instanceOf });
      t.throws(() => dataset.explain({ size: 1, sampler }), { instanceOf });
    };
    refuses({ kind: "weighted", weights: [1, 2] }, RangeError);
    refuses({ kind: "weighted", weights: NdArray.from(new Float32Array(6), [3, 2]) }, TypeError);
    refuses({ kind: "balanced", labels: NdArray.from(new Float32Array(6), [3, 2]) }, TypeError);
    refuses({ kind: "balanced", labels: "y" }, TypeError);
    refuses({ kind: "balanced", labels: "x" }, TypeError);
  },
);

test.serial("a deflated member is not shuffled: ERR_SHUFFLE_ACCESS names the ways out", async (t) => {
  await using dataset = await openDataset({ rows: `${join(folder, "set.npz")}#rows` });
  const orders: Partial<Omit<BatchesOptions, "transform">>[] = [
    { shuffle: true },
    { shuffle: { kind: "full" } },
    { sampler: { kind: "balanced", labels: "rows" } },
    { shard: { index: 0, count: 1, lanes: 2 } },
  ];
  for (const order of orders) {
    t.throws(() => dataset.batches({ size: 2, ...order }), { code: "ERR_SHUFFLE_ACCESS", message: /block table/ });
  }
  const rows: number[] = [];
  for await (const batch of dataset.batches({ size: 64, prefetch: 3 })) rows.push(...rowsOf(batch));
  t.deepEqual(
    rows,
    Array.from({ length: ROWS }, (_, i) => i),
  );
});

test.serial("mapping what is neither a plain file nor in memory is ERR_MAP_UNAVAILABLE", async (t) => {
  const bytes = encodeNpy(NdArray.from(new Float32Array(3)));
  await using dataset = await openDataset({ x: countedSource(bytes) });
  await t.throwsAsync(dataset.batches({ size: 1, io: "map" }).next(), { code: "ERR_MAP_UNAVAILABLE" });
  t.is((await dataset.batches({ size: 3, shuffle: { kind: "full" } }).next()).value?.x.length, 3);
  await using memory = await openDataset({ x: bytes });
  t.is((await memory.batches({ size: 3, io: "map" }).next()).value?.x.length, 3);
});

const SAME = 1000;
/** Labels of two classes, nine to one, of types whose elements are objects, or whose array is one. */
const labelTypes = {
  numbers: NdArray.from(Uint8Array.from({ length: SAME }, (_, i) => (i < 900 ? 97 : 98))),
  bytes: fromNested(
    Array.from({ length: SAME }, (_, i) => Uint8Array.of(i < 900 ? 97 : 98)),
    "|S1",
  ),
  void: new NdArray({
    dtype: elementType("|V2"),
    shape: [SAME],
    data: Uint8Array.from({ length: 2 * SAME }, (_, i) => Number(i > 1799)),
  }),
  complex: new NdArray({
    dtype: "complex128",
    shape: [SAME, 1],
    data: Float64Array.from({ length: 2 * SAME }, (_, i) =>
      i % 2 === 0 ? -0 : i < 1800 ? Number.POSITIVE_INFINITY : Number.NaN,
    ),
  }),
  times: NdArray.from(BigInt64Array.from({ length: SAME }, (_, i) => (i < 900 ? 2n ** 60n : 2n ** 60n + 1n))),
};

test("a sampler's labels may be of any dtype with one value a row, in a field, an array or a list", async (t) => {
  await using dataset = await openDataset(labelTypes);
  const idsOf = async (sampler: NonNullable<BatchesOptions["sampler"]>): Promise<number[]> => {
    const ids: number[] = [];
    for await (const { meta } of dataset.batches({ size: 100, seed: 4, sampler })) ids.push(...meta.rowIds);
    return ids;
  };
  const list = Array.from({ length: SAME }, (_, i) => (i < 900 ? "often" : "rarely"));
  for (const kind of ["balanced", "stratified"] as const) {
    const expected = await idsOf({ kind, labels: list });
    const rare = expected.filter((id) => id >= 900).length;
    t.is(kind === "stratified" ? rare : Math.round(rare / 100), kind === "stratified" ? 100 : 5);
    for (const [name, labels] of Object.entries(labelTypes)) {
      t.deepEqual(await idsOf({ kind, labels: name }), expected, `${kind} by the field ${name}`);
      t.deepEqual(await idsOf({ kind, labels }), expected, `${kind} by the array of ${name}`);
    }
  }
  const { times } = labelTypes;
  const weights = NdArray.from(Float32Array.from({ length: 2 * SAME }, (_, i) => (i % 2 === 0 ? i : 0))).slice({
    step: 2,
  });
  const heavy = await idsOf({ kind: "weighted", weights });
  t.deepEqual(heavy, await idsOf({ kind: "weighted", weights: Array.from({ length: SAME }, (_, i) => 2 * i) }));
  t.true((await idsOf({ kind: "weighted", weights: times })).length === SAME);
});

test("a sampler of no rows, of one and of a single class gives what there is", async (t) => {
  for (const rows of [0, 1, 5]) {
    await using dataset = await openDataset({ x: NdArray.from(new Int32Array(rows)) });
    const samplers = [
      { kind: "balanced", labels: "x" },
      { kind: "stratified", labels: "x" },
    ] as const;
    for (const sampler of [...samplers, { kind: "weighted", weights: new Float64Array(rows).fill(2) }] as const) {
      const ids: number[] = [];
      for await (const { meta } of dataset.batches({ size: 2, sampler })) ids.push(...meta.rowIds);
      t.is(ids.length, rows);
      if (sampler.kind === "stratified") t.is(new Set(ids).size, rows);
    }
  }
});

test("a list of labels is looked at once, and tells an order only by which rows are alike", async (t) => {
  await using dataset = await openDataset({ x: NdArray.from(new Int32Array(4)) });
  let looks = 0;
  const labels: ArrayLike<string> = new Proxy(["a", "b", "a", "a"], {
    get: (target, key) => {
      if (key === "0") looks++;
      return Reflect.get(target, key);
    },
  });
  const orderOf = (labels: ArrayLike<unknown>): string =>
    dataset.batches({ size: 1, sampler: { kind: "balanced", labels } }).state().order;
  const order = orderOf(labels);
  t.is(looks, 1);
  t.is(orderOf([7, 8, 7, 7]), order);
  t.not(orderOf([7, 8, 8, 7]), order);
});
