import test from "ava";
import fc from "fast-check";
import { type BlockOrderInit, blockOrder } from "../src/block-shuffle.ts";
import type { RowOrder } from "../src/row-order.ts";

/** Rows of all lanes in an epoch, and whether each lane read its windows without a gap. */
function rowsOf(order: RowOrder, lanes: number, epoch: number): number[][] {
  return Array.from({ length: lanes }, (_, lane) => {
    const one = order.lane(epoch, lane);
    return Array.from({ length: one.length }, (_, position) => one.row(position));
  });
}

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 700 }),
  blockRows: fc.integer({ min: 1, max: 50 }),
  windowBlocks: fc.integer({ min: 1, max: 40 }),
  lanes: fc.integer({ min: 1, max: 4 }),
  seed: fc.option(fc.integer(), { nil: undefined }),
});

test("every row is in one lane once, whatever the sizes", (t) => {
  fc.assert(
    fc.property(sizes, fc.nat(5), (init, epoch) => {
      const order = blockOrder(init);
      const lanes = rowsOf(order, init.lanes, epoch);
      t.deepEqual(
        lanes.flat().sort((a, b) => a - b),
        Array.from({ length: init.rows }, (_, i) => i),
      );
      t.true(lanes.every(({ length }) => length >= order.leastLaneLength));
    }),
  );
});

test("windows follow each other, hold whole blocks in the order of the file, and place each of their rows once", (t) => {
  fc.assert(
    fc.property(sizes, (init) => {
      const lane = blockOrder(init).lane(1, init.lanes - 1);
      for (let position = 0; position < lane.length; ) {
        const window = lane.window?.(position);
        if (window === undefined) throw new Error("no window");
        t.is(window.start, position);
        t.is(
          window.runs.reduce((sum, { count }) => sum + count, 0),
          window.length,
        );
        t.true(window.runs.length <= init.windowBlocks);
        const slots = Array.from({ length: window.length }, (_, i) => window.slot(position + i));
        t.is(new Set(slots).size, window.length);
        t.true(slots.every((slot) => slot >= 0 && slot < window.length));
        const starts = window.runs.map(({ start }) => start);
        t.deepEqual(
          starts,
          starts.toSorted((a, b) => a - b),
        );
        position += window.length;
      }
    }),
  );
});

test("a window is found from any position, also of 10^9 rows and past 2^32", (t) => {
  for (const rows of [10 ** 9, 2 ** 32 + 12_345, 2 ** 45 + 1]) {
    const init: BlockOrderInit = { rows, blockRows: 1000, windowBlocks: 64, lanes: 2, seed: 3 };
    const lane = blockOrder(init).lane(0, 1);
    for (const part of [0, 0.1, 0.5, 0.99]) {
      const position = Math.floor(lane.length * part);
      const window = lane.window?.(position);
      t.true(window !== undefined && window.start <= position && position < window.start + window.length);
      const row = lane.row(position);
      t.true(Number.isSafeInteger(row) && row >= 0 && row < rows);
    }
    t.throws(() => lane.row(lane.length), { instanceOf: RangeError });
  }
});

test("windows grow from a sixteenth, so that the first one is read soon", (t) => {
  const lane = blockOrder({ rows: 100_000, blockRows: 10, windowBlocks: 160, lanes: 1, seed: 1 }).lane(0, 0);
  const lengths: number[] = [];
  for (let position = 0; lengths.length < 6; position += lengths.at(-1) ?? 0) {
    lengths.push(lane.window?.(position).length ?? 0);
  }
  t.deepEqual(lengths, [100, 200, 400, 800, 1600, 1600]);
});

test("without a seed rows stay as they lie; lanes take blocks in turn", (t) => {
  const order = blockOrder({ rows: 10, blockRows: 3, windowBlocks: 2, lanes: 2, seed: undefined });
  t.deepEqual(rowsOf(order, 2, 0), [
    [0, 1, 2, 6, 7, 8],
    [3, 4, 5, 9],
  ]);
});

// Of rows sorted by label a batch of B rows out of windows of G blocks has E[chi-squared] / df = 1 + (B - 1) / G, less the
// little that drawing without replacement from a window takes away.
const imbalance = test.macro({
  title: (_, batchRows: number, windowBlocks: number) =>
    `batches of ${batchRows} rows from windows of ${windowBlocks} blocks are as uneven as the formula says`,
  exec(t, batchRows: number, windowBlocks: number) {
    const [classes, blockRows] = [10, 50];
    const rows = windowBlocks * blockRows * 40;
    const order = blockOrder({ rows, blockRows, windowBlocks, lanes: 1, seed: 11 });
    let [sum, batches] = [0, 0];
    for (let epoch = 0; epoch < 6; epoch++) {
      const lane = order.lane(epoch, 0);
      // Behind the ramp, which is just less than a window long.
      for (let position = windowBlocks * blockRows; position + batchRows <= lane.length; position += batchRows) {
        const counts = new Float64Array(classes);
        for (let i = 0; i < batchRows; i++) {
          const label = Math.floor((lane.row(position + i) * classes) / rows);
          counts[label] = (counts[label] ?? 0) + 1;
        }
        const expected = batchRows / classes;
        sum += counts.reduce((chi2, count) => chi2 + (count - expected) ** 2 / expected, 0) / (classes - 1);
        batches++;
      }
    }
    const predicted = 1 + (batchRows - 1) / windowBlocks;
    const found = sum / batches;
    t.true(Math.abs(found / predicted - 1) < 0.1, `found ${found.toFixed(3)}, predicted ${predicted.toFixed(3)}`);
  },
});
test(imbalance, 32, 128);
test(imbalance, 64, 64);
test(imbalance, 64, 16);
