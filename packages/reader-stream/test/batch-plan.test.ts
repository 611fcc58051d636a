import { type ByteSource, formatNpyHeader } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { checkOptions, type PlanOptions } from "../src/batch-options.ts";
import { type BatchPlan, planBatches } from "../src/batch-plan.ts";
import type { BatchState } from "../src/batch-state.ts";
import { HandleFields } from "../src/handle-fields.ts";
import { openNpy } from "../src/index.ts";
import type { RowFields } from "../src/row-fields.ts";

/** A field of `rows` float32 rows that takes no room: planning reads the header alone. */
async function fieldsOf(rows: number, columns: number, gapBytes?: number): Promise<RowFields> {
  const head = formatNpyHeader({ dtype: "float32", shape: [rows, columns] });
  const source: ByteSource = {
    byteLength: head.length + rows * columns * 4,
    ...(gapBytes === undefined ? {} : { gapBytes }),
    read: async (into, position) => {
      into.fill(0);
      into.set(head.subarray(position, position + into.length));
    },
    close: async () => undefined,
  };
  return new HandleFields(new Map([["x", { handle: await openNpy(source) }]]));
}

const plan = (fields: RowFields, options: PlanOptions): BatchPlan =>
  planBatches(fields, options, checkOptions(options));

test("a window has four times as many blocks as a batch has rows, of 16 KiB each, or 1 MiB behind a network", async (t) => {
  const local = await fieldsOf(10 ** 7, 64);
  t.like(plan(local, { size: 1000, shuffle: true }), { windowBlocks: 4096, blockRows: 64, imbalance: 1 + 999 / 4096 });
  // 64 MiB hold no more than 512 blocks of 128 KiB.
  t.like(plan(local, { size: 100, shuffle: true }), { windowBlocks: 512, blockRows: 512 });
  const remote = plan(await fieldsOf(10 ** 7, 64, 32 << 10), { size: 1000, shuffle: true });
  t.like(remote, { windowBlocks: 64, blockRows: 4096 });
  const processes = { index: 0, count: 4 };
  t.is(plan(local, { size: 250, shuffle: true, shard: processes }).windowBlocks, 4096);
});

test("few rows are cut into 64 blocks a lane at least, and what is asked for is taken", async (t) => {
  const fields = await fieldsOf(6400, 4);
  t.is(plan(fields, { size: 10, shuffle: true }).blockRows, 100);
  t.is(plan(fields, { size: 10, shuffle: true, shard: { index: 0, count: 4 } }).blockRows, 25);
  const shuffle = { kind: "block", blockRows: 7, windowBlocks: 9 } as const;
  t.like(plan(fields, { size: 10, shuffle }), { blockRows: 7, windowBlocks: 9 });
  t.is(plan(fields, { size: 10, shuffle }).order.text, "block:7:9");
});

test("what is held stays within memory, whatever the sizes, and changes nothing about the order", async (t) => {
  const rows = fc.oneof(fc.constantFrom(1, 2, 3), fc.integer({ min: 1, max: 10 ** 7 }));
  const options = fc.record({
    size: fc.integer({ min: 1, max: 5000 }),
    shuffle: fc.constantFrom<NonNullable<PlanOptions["shuffle"]>>(false, true, { kind: "full" }),
    prefetch: fc.nat(5),
    memory: fc.oneof(fc.nat(100_000), fc.nat(10 ** 9)),
    count: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom(1, 16, 300), options, async (length, columns, { count, ...given }) => {
      const fields = await fieldsOf(length, columns);
      const shard = { index: 0, count };
      const found = plan(fields, { ...given, shard });
      t.true(found.peakBytes <= Math.max(given.memory, found.batchBytes), JSON.stringify(found));
      t.true(found.prefetch <= given.prefetch);
      const { size, shuffle } = given;
      t.is(found.order.text, plan(fields, { size, shuffle, shard, memory: 1 << 30, io: "read" }).order.text);
    }),
    { numRuns: 200 },
  );
});

test("rows of a full shuffle are read whole where they fit, and never where files are to be mapped", async (t) => {
  const fields = await fieldsOf(1000, 25);
  const options = { size: 100, shuffle: { kind: "full" } } as const;
  t.like(plan(fields, { ...options, memory: 110_000 }), { reads: "whole", windowBytes: 100_000, prefetch: 1 });
  t.like(plan(fields, { ...options, memory: 109_999 }), { reads: "rows", windowBytes: 0, prefetch: 2 });
  t.like(plan(fields, { ...options, io: "map" }), { reads: "rows" });
  const labels = Array.from({ length: 1000 }, (_, row) => row % 3);
  t.like(plan(fields, { size: 100, sampler: { kind: "balanced", labels } }), { reads: "whole" });
});

test("a state brings the sizes of blocks and windows with it, so that another batch size goes on with the same order", async (t) => {
  const fields = await fieldsOf(10 ** 6, 64);
  const before = plan(fields, { size: 1000, shuffle: true });
  const state: BatchState = {
    version: 1,
    epoch: 0,
    position: 0,
    seed: 0,
    order: before.order.text,
    shard: "0/1:1",
    rows: 10 ** 6,
    fields: "",
    fingerprint: "",
  };
  t.not(plan(fields, { size: 100, shuffle: true }).order.text, before.order.text);
  t.is(plan(fields, { size: 100, shuffle: true, state }).order.text, before.order.text);
});
