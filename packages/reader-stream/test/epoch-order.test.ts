import test from "ava";
import fc from "fast-check";
import { blockOrder } from "../src/block-shuffle.ts";
import { ShardOrder } from "../src/epoch-order.ts";
import { fullOrder, type RowOrder } from "../src/row-order.ts";

/** Numbers of rows at which things go wrong: the smallest, and those around powers of two. */
const edgeRows = fc.oneof(
  fc.constantFrom(1, 2, 3),
  fc.integer({ min: 2, max: 9 }).chain((k) => fc.constantFrom(2 ** k - 1, 2 ** k, 2 ** k + 1)),
);

const orders = fc.record({
  rows: edgeRows,
  seed: fc.integer(),
  count: fc.integer({ min: 1, max: 4 }),
  each: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom("full", "block", "sequential"),
  blockRows: fc.integer({ min: 1, max: 20 }),
  windowBlocks: fc.integer({ min: 1, max: 20 }),
});
type Sizes = typeof orders extends fc.Arbitrary<infer T> ? T : never;

function orderOf({ rows, seed, count, each, kind, blockRows, windowBlocks }: Sizes): RowOrder {
  const lanes = count * each;
  if (kind === "full") return fullOrder(rows, seed, lanes);
  return blockOrder({ rows, blockRows, windowBlocks, lanes, seed: kind === "block" ? seed : undefined });
}

test("all processes together have each row once an epoch, at the edges of powers of two too", (t) => {
  fc.assert(
    fc.property(orders, fc.nat(3), (sizes, epoch) => {
      const { rows, count, each } = sizes;
      const order = orderOf(sizes);
      const seen: number[] = [];
      for (let index = 0; index < count; index++) {
        const shard = { index, count, lanes: count * each, uneven: "exact" } as const;
        const one = new ShardOrder(order, shard).epoch(epoch);
        seen.push(...one.rows(0, one.length));
      }
      t.deepEqual(
        seen.sort((a, b) => a - b),
        Array.from({ length: rows }, (_, row) => row),
      );
    }),
    { numRuns: 300 },
  );
});

test("rows are those of the segments, whatever positions are asked for", (t) => {
  fc.assert(
    fc.property(orders, fc.nat(), fc.nat(), (sizes, at, length) => {
      const { count, each } = sizes;
      const shard = { index: count - 1, count, lanes: count * each, uneven: "exact" } as const;
      const order = new ShardOrder(orderOf(sizes), shard).epoch(1);
      const position = at % (order.length + 1);
      const taken = length % (order.length - position + 1);
      const expected = order.rows(0, order.length).slice(position, position + taken);
      t.deepEqual(order.rows(position, taken), expected);
      const found = new Float64Array(taken);
      for (const { lane, start, count: some, target, stride } of order.segments(position, taken)) {
        for (let i = 0; i < some; i++) found[target + i * stride] = order.lanes[lane]?.row(start + i) ?? -1;
      }
      t.deepEqual(found, expected);
    }),
    { numRuns: 300 },
  );
});

test("equal batches give every process as many rows, none twice, and leave out fewer than the lanes can differ by", (t) => {
  fc.assert(
    fc.property(orders, (sizes) => {
      const { rows, count, each, kind, blockRows } = sizes;
      const lanes = count * each;
      const order = orderOf(sizes);
      fc.pre(order.leastLaneLength > 0);
      const parts = Array.from({ length: count }, (_, index) => {
        const one = new ShardOrder(order, { index, count, lanes, uneven: "equal-batches" }).epoch(2);
        return Array.from(one.rows(0, one.length));
      });
      const all = parts.flat();
      t.is(new Set(parts.map(({ length }) => length)).size, 1);
      t.is(new Set(all).size, all.length);
      t.true(rows - all.length < lanes * 2 * (kind === "full" ? 1 : blockRows));
    }),
    { numRuns: 200 },
  );
});

test("an epoch that was made is kept while it and the next one are asked for", (t) => {
  let made = 0;
  const inner = fullOrder(10, 1, 1);
  const counted: RowOrder = {
    ...inner,
    lane: (epoch, lane) => {
      made++;
      return inner.lane(epoch, lane);
    },
  };
  const order = new ShardOrder(counted, { index: 0, count: 1, lanes: 1, uneven: "exact" });
  for (const epoch of [0, 0, 1, 0, 1, 2, 1, 2]) t.is(order.epoch(epoch).epoch, epoch);
  t.is(made, 3);
});
