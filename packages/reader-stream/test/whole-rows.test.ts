import { setTimeout as sleep } from "node:timers/promises";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { bytesSource, openDataset } from "../src/index.ts";
import { bytesRead, countedSource } from "./counted-source.ts";

const ROWS = 20_000;
const bytes = encodeNpy(
  NdArray.from(
    Float64Array.from({ length: ROWS * 100 }, (_, at) => Math.floor(at / 100)),
    [ROWS, 100],
  ),
);
const full = { size: 500, shuffle: { kind: "full" }, seed: 3 } as const;

test("a full shuffle of what fits memory reads each byte once, in long pieces, whatever the epochs", async (t) => {
  const source = countedSource(bytes);
  await using dataset = await openDataset({ x: source });
  source.reads.length = 0;
  const batches = dataset.batches({ ...full, epochs: 3 });
  const counts = new Uint8Array(ROWS);
  for await (const { x } of batches) {
    for (let row = 0; row < x.length; row++) {
      const id = Number(x.get(row, 99));
      counts[id] = (counts[id] as number) + 1;
    }
  }
  t.true(counts.every((count) => count === 3));
  t.is(bytesRead(source), ROWS * 800);
  t.is(source.reads.length, 4);
  t.like(batches.metrics(), { reads: 4, bytes: ROWS * 800 });
  t.true(batches.metrics().peakBytes >= ROWS * 800);
});

test("the order and the rows are those of a shuffle that reads row by row", async (t) => {
  await using dataset = await openDataset({ x: countedSource(bytes) });
  const first = async (memory: number): Promise<unknown> => {
    await using batches = dataset.batches({ ...full, size: 20, memory });
    return (await batches.next()).value?.x.toNested();
  };
  t.is(dataset.explain({ ...full, memory: 20e6 }).reads, "whole");
  t.is(dataset.explain({ ...full, memory: 10e6 }).reads, "rows");
  t.deepEqual(await first(20e6), await first(10e6));
});

test("a read that fails is told to the batch that waits, and is done again for the next one", async (t) => {
  const inner = bytesSource(bytes);
  let failures = 1;
  const source = {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => {
      if (position > 5e6 && failures-- > 0) throw new Error("the disk hiccuped");
      await inner.read(into, position);
    },
    close: async () => undefined,
  };
  await using dataset = await openDataset({ x: source });
  const failed: number[] = [];
  const batches = dataset.batches({
    ...full,
    prefetch: 0,
    onError: ({ meta }) => {
      failed.push(meta.index);
      return "skip";
    },
  });
  let rows = 0;
  for await (const { meta } of batches) rows += meta.rows;
  t.deepEqual([failed, rows], [[0], ROWS - 500]);
});

test("an abort while all rows are read starts no further read, and no memory is held after", async (t) => {
  const inner = countedSource(bytes);
  const source = {
    ...inner,
    read: async (into: Uint8Array, position: number) => {
      await sleep(2);
      await inner.read(into, position);
    },
  };
  await using dataset = await openDataset({ x: source });
  inner.reads.length = 0;
  const controller = new AbortController();
  const batches = dataset.batches({ ...full, memory: 20e6, signal: controller.signal });
  const next = batches.next();
  await sleep(0);
  controller.abort(new Error("enough"));
  await t.throwsAsync(next, { message: "enough" });
  const reads = inner.reads.length;
  await sleep(10);
  t.is(inner.reads.length, reads);
  t.true(reads <= 4);
});
