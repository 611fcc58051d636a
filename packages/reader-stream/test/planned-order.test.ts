import { NdArray } from "@npystream/codec";
import test from "ava";
import { openDataset } from "../src/index.ts";

test("lanes of equal length that would be empty are refused at once, whatever the order", async (t) => {
  await using dataset = await openDataset({ x: NdArray.from(new Float32Array(10)) });
  const shard = { index: 0, count: 16, uneven: "equal-batches" } as const;
  const expected = { instanceOf: RangeError, message: /rows are too few for 16 lanes/ };
  for (const order of [
    {},
    { shuffle: true },
    { shuffle: { kind: "full" } },
    { sampler: { kind: "stratified", labels: "x" } },
    { sampler: { kind: "balanced", labels: "x", draws: 15 } },
  ] as const) {
    t.throws(() => dataset.batches({ size: 1, ...order, shard }), expected);
    t.throws(() => dataset.explain({ size: 1, ...order, shard }), expected);
  }
  t.notThrows(() => dataset.batches({ size: 1, sampler: { kind: "balanced", labels: "x", draws: 16 }, shard }));
  await using none = await openDataset({ x: NdArray.from(new Float32Array(0)) });
  t.true((await none.batches({ size: 1, shard }).next()).done);
});
