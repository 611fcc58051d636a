import { NdArray } from "@npystream/codec";
import test from "ava";
import { type BatchesOptions, concat, mix, openDataset } from "../src/index.ts";

const three = { x: NdArray.from(Float32Array.of(1, 2, 3)) };

const refuses = test.macro({
  title: (_, options: unknown, expected: RegExp) => `batches refuse ${JSON.stringify(options)}: ${expected.source}`,
  async exec(t, options: unknown, expected: RegExp) {
    await using dataset = await openDataset(three);
    const given = options as Omit<BatchesOptions, "transform">;
    for (const use of [() => dataset.batches(given), () => dataset.explain(given), () => dataset.stream(given)]) {
      const error = t.throws<Error>(use, { message: expected });
      t.true(error instanceof TypeError || error instanceof RangeError, String(error));
    }
  },
});

for (const [options, expected] of [
  [undefined, /options of batches are an object, not undefined/],
  [null, /not null/],
  [32, /not 32/],
  [{}, /size is a number, not undefined/],
  [{ size: "32" }, /size is a number, not a string/],
  [{ size: 0 }, /size is a whole number from 1, not 0/],
  [{ size: 1.5 }, /not 1\.5/],
  [{ size: Number.NaN }, /not NaN/],
  [{ size: 1, shufle: false }, /no option shufle; it has shuffle/],
  [{ size: 1, seed: 0.5 }, /seed is a safe integer, not 0\.5/],
  [{ size: 1, seed: "7" }, /seed is a number/],
  [{ size: 1, epochs: -1 }, /epochs/],
  [{ size: 1, prefetch: -1 }, /prefetch/],
  [{ size: 1, memory: -1 }, /memory/],
  [{ size: 1, memory: "1 GB" }, /memory is a number, not a string/],
  [{ size: 1, signal: {} }, /signal is an AbortSignal, not an Object/],
  [{ size: 1, transform: 1 }, /transform is a function, not a number/],
  [{ size: 1, onError: "skip" }, /onError is a function, not a string/],
] as const) {
  test(refuses, options, expected);
}
for (const [options, expected] of [
  [{ size: 1, shuffle: "yes" }, /shuffle is a boolean/],
  [{ size: 1, shuffle: null }, /shuffle is a boolean/],
  [{ size: 1, shuffle: { kind: "block", blockRows: 0 } }, /blockRows is a whole number from 1/],
  [{ size: 1, shuffle: { kind: "full", blockRows: 2 } }, /shuffle has no option blockRows/],
  [{ size: 1, last: "round" }, /last is one of keep, drop, pad, wrap/],
  [{ size: 1, ownership: "mine" }, /ownership is one of fresh, pooled/],
  [{ size: 1, io: "mmap" }, /io is one of auto, map, read/],
  [{ size: 1, resume: "any" }, /resume is one of same-files, same-rows/],
  [{ size: 1, shard: 1 }, /options of shard are an object/],
  [{ size: 1, shard: { index: "0", count: 1 } }, /shard\.index is a number/],
  [{ size: 1, shard: { index: 2, count: 2 } }, /shard\.index is less than shard\.count, 2/],
  [{ size: 1, shard: { index: 0, count: 2, lanes: 3 } }, /shard\.count divides shard\.lanes/],
  [{ size: 1, shard: { index: 0, count: 1, lanes: 2 } }, /size is a multiple of the 2 lanes/],
  [{ size: 1, sampler: null }, /sampler is .*, not null/],
  [{ size: 1, sampler: "balanced" }, /sampler is .*, not a string/],
  [{ size: 1, sampler: { kind: "weighted" } }, /weights or labels/],
  [{ size: 1, sampler: { kind: "weighted", weights: [1, 1, 1], draw: 2 } }, /sampler has no option draw; it has draws/],
  [{ size: 1, shuffle: true, sampler: { kind: "balanced", labels: [1, 2, 3] } }, /leave shuffle out/],
  [{ size: 1, state: {} }, /state is what state\(\) of batches gave/],
  [{ size: 1, state: "{}" }, /state is what state\(\) of batches gave/],
] as const) {
  test(refuses, options, expected);
}

test("what else a dataset is asked for is refused by name too", async (t) => {
  await using dataset = await openDataset(three);
  const asked: [act: (given: never) => unknown, given: unknown, expected: RegExp][] = [
    [(given) => dataset.split(given), undefined, /parts by name.*not undefined/],
    [(given) => dataset.split(given), [0.5, 0.5], /parts by name.*not an Array/],
    [(given) => dataset.split({ a: 1 }, given), null, /options of split are an object/],
    [(given) => dataset.split({ a: 1 }, given), { sed: 1 }, /split has no option sed; it has seed/],
    [(given) => dataset.where(given), undefined, /where takes a function/],
    [(given) => dataset.where(() => true, given), { field: ["x"] }, /where has no option field; it has fields/],
    [(given) => dataset.stats("x", given), { column: 1 }, /stats has no option column; it has columns/],
    [(given) => dataset.gather(given), 5, /gather takes indices of rows, not a number/],
    [(given) => dataset.gather(given), [1n], /not a bigint/],
    [(given) => openDataset(given), undefined, /fields by name.*not undefined/],
    [(given) => openDataset(given), "x.npy", /fields by name.*not a string/],
    [(given) => openDataset(given), { x: { from: three.x, sa: "int32" } }, /a field has no option sa/],
    [(given) => concat(given), dataset, /concat takes an array of datasets, not a Dataset/],
    [(given) => mix(given), [dataset], /mix takes datasets of openDataset, not undefined/],
    [(given) => mix([{ dataset, weight: 1 }], given), { len: 1 }, /mix has no option len/],
  ];
  for (const [act, given, expected] of asked) {
    await t.throwsAsync(async () => await act(given as never), { instanceOf: TypeError, message: expected });
  }
});
