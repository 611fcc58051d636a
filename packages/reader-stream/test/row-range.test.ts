import test from "ava";
import { resolveRows } from "../src/row-range.ts";

test("bounds that are left out are the ends, and negative ones count from the end", (t) => {
  t.deepEqual(resolveRows(10), { start: 0, stop: 10 });
  t.deepEqual(resolveRows(10, -3), { start: 7, stop: 10 });
  t.deepEqual(resolveRows(10, 2, -2), { start: 2, stop: 8 });
  t.deepEqual(resolveRows(10, 10, 10), { start: 10, stop: 10 });
  t.deepEqual(resolveRows(0), { start: 0, stop: 0 });
});

test("a range that reaches outside, or runs backwards, is ERR_ROWS_RANGE and not clipped", (t) => {
  for (const [start, stop] of [
    [0, 11],
    [-11, 5],
    [6, 5],
    [0, -11],
  ] as const) {
    const message = `rows ${start} to ${stop} are not a range of an array with 10 rows`;
    t.throws(() => resolveRows(10, start, stop), { code: "ERR_ROWS_RANGE", message });
  }
});

test("a bound that is no whole number is a RangeError", (t) => {
  for (const bound of [0.5, Number.NaN, Number.POSITIVE_INFINITY, "1", null]) {
    t.throws(() => resolveRows(10, bound as number), { instanceOf: RangeError, message: /a row is a whole number/ });
  }
});
