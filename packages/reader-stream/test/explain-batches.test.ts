import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { openDataset } from "../src/index.ts";
import { bytesRead, countedSource } from "./counted-source.ts";

const ROWS = 100_000;
const bytes = encodeNpy(NdArray.from(new Float32Array(ROWS * 16), [ROWS, 16]));

test("explain tells order, blocks, windows and memory, and reads nothing", async (t) => {
  const source = countedSource(bytes);
  await using dataset = await openDataset({ x: source });
  source.reads.length = 0;
  const sequential = dataset.explain({ size: 128 });
  t.like(sequential, { order: "sequential", batchRows: 128, batches: 782, batchBytes: 8192, warnings: [] });
  t.is(sequential.imbalance, undefined);
  t.is(dataset.explain({ size: 128, last: "drop" }).batches, 781);
  const full = { size: 128, shuffle: { kind: "full" } } as const;
  // 6.4 MB are two reads of 4 MiB at most, in 782 batches.
  t.like(dataset.explain(full), { order: "full", imbalance: 1, reads: "whole", windowBytes: ROWS * 64 });
  t.is(dataset.explain(full).readsPerBatch, 2 / 782);
  t.like(dataset.explain({ ...full, memory: 100_000 }), { reads: "rows", readsPerBatch: 128, windowBytes: 0 });
  t.like(dataset.explain({ ...full, io: "map" }), { reads: "rows" });
  const block = dataset.explain({ size: 128, shuffle: { kind: "block", blockRows: 64, windowBlocks: 512 } });
  t.like(block, { order: "block", blockRows: 64, windowBlocks: 512, warnings: [], readsPerBatch: 2 });
  t.is(block.imbalance, 1 + 127 / 512);
  t.deepEqual(source.reads, []);
});

test("a shuffle of few blocks is warned of, with the number that would do", async (t) => {
  await using dataset = await openDataset({ x: NdArray.from(new Float32Array(ROWS)) });
  const { imbalance, warnings } = dataset.explain({ size: 256, shuffle: { kind: "block", windowBlocks: 64 } });
  t.is(imbalance, 1 + 255 / 64);
  t.regex(warnings.join("\n"), /5\.0 times as unevenly.*64 blocks.*1024 would be enough/);
  t.deepEqual(dataset.explain({ size: 256, shuffle: true }).warnings, []);
});

test("memory that holds no window is warned of", async (t) => {
  await using dataset = await openDataset({ x: countedSource(bytes) });
  const { warnings, peakBytes } = dataset.explain({ size: 256, shuffle: true, memory: 100_000, prefetch: 9 });
  t.regex(warnings.join("\n"), /no window fits memory/);
  t.regex(warnings.join("\n"), /allows \d batches made ready, not 9/);
  t.true(peakBytes <= 100_000);
});

test("the imbalance that is predicted is what batches of sorted labels have", async (t) => {
  const [classes, size] = [10, 64];
  const labels = Int32Array.from({ length: 64_000 }, (_, row) => Math.floor((row * classes) / 64_000));
  await using dataset = await openDataset({ labels: { from: NdArray.from(labels), as: "int32" } });
  for (const [windowBlocks, lanes] of [
    [16, 1],
    [64, 1],
    [256, 1],
    [64, 4],
  ] as const) {
    const shard = { index: 0, count: 1, lanes };
    const options = { size, shuffle: { kind: "block", blockRows: 64, windowBlocks }, last: "drop", shard } as const;
    const { imbalance = 0 } = dataset.explain(options);
    let [chiSquared, batches] = [0, 0];
    for await (const batch of dataset.batches({ ...options, epochs: 4, seed: 5 })) {
      const counts = new Float64Array(classes);
      for (const label of batch.labels.data) counts[label] = (counts[label] ?? 0) + 1;
      chiSquared += counts.reduce((sum, count) => sum + (count - size / classes) ** 2 / (size / classes), 0);
      batches += 1;
    }
    const found = chiSquared / batches / (classes - 1);
    t.true(
      Math.abs(found / imbalance - 1) < 0.25,
      `${found} for ${imbalance} with ${windowBlocks} blocks of ${lanes} lanes`,
    );
  }
});

test("reads and bytes a batch are those that are done", async (t) => {
  const source = countedSource(bytes);
  await using dataset = await openDataset({ x: source });
  for (const options of [
    { size: 4096 },
    { size: 256, shuffle: { kind: "block", blockRows: 256, windowBlocks: 64 } },
    { size: 50, shuffle: { kind: "full" } },
    { size: 50, shuffle: { kind: "full" }, memory: 50_000 },
  ] as const) {
    const { readsPerBatch, bytesPerBatch } = dataset.explain(options);
    source.reads.length = 0;
    let batches = 0;
    for await (const _ of dataset.batches(options)) batches += 1;
    t.true(
      source.reads.length / batches <= readsPerBatch * 1.05,
      `${source.reads.length / batches} for ${readsPerBatch}`,
    );
    t.true(bytesRead(source) / batches <= 4 * bytesPerBatch);
  }
});

test("batches are those of this process, and what lanes are uneven by is told", async (t) => {
  await using dataset = await openDataset({ x: NdArray.from(new Float32Array(ROWS)) });
  for (const shuffle of [false, true, { kind: "full" }] as const) {
    for (const uneven of ["exact", "equal-batches"] as const) {
      let total = 0;
      let left = 0;
      for (let index = 0; index < 3; index++) {
        const options = { size: 32, shuffle, shard: { index, count: 3, uneven } } as const;
        let batches = 0;
        for await (const { meta } of dataset.batches(options)) {
          batches++;
          total += meta.rows;
        }
        const { batches: found, unevenRows } = dataset.explain(options);
        t.is(found, batches);
        left = unevenRows;
      }
      t.is(total, uneven === "exact" ? ROWS : ROWS - left);
      if (shuffle !== true)
        t.true(left < 3 * (shuffle === false ? 2 * (dataset.explain({ size: 32 }).blockRows ?? 0) : 1));
    }
  }
  const sampler = { kind: "balanced", labels: new Uint8Array(ROWS), draws: 100 } as const;
  t.is(dataset.explain({ size: 32, sampler }).batches, 4);
});

test("no rows, batches longer than the rows and mapped blocks are explained as they are", async (t) => {
  await using none = await openDataset({ x: NdArray.from(new Float32Array(0), [0, 3]) });
  for (const shuffle of [false, true, { kind: "full" }] as const) {
    const { batches, readsPerBatch, warnings } = none.explain({ size: 2, shuffle });
    t.deepEqual([batches, Number.isFinite(readsPerBatch), warnings], [0, true, []]);
  }
  await using some = await openDataset({ x: NdArray.from(new Float32Array(10)) });
  const { batchBytes, prefetch, warnings } = some.explain({ size: 2 ** 40, shuffle: true });
  t.deepEqual([batchBytes, prefetch], [40, 2]);
  t.regex(warnings.join(), /as unevenly/);
  t.is((await some.batches({ size: 2 ** 40, shuffle: true }).next()).value?.x.length, 10);
  t.like(some.explain({ size: 2, shuffle: true, io: "map" }), { reads: "rows", windowBytes: 0, warnings: [] });
});
