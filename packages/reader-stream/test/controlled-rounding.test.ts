import test from "ava";
import fc from "fast-check";
import { divideClasses } from "../src/controlled-rounding.ts";

test("classes and parts add up, and every share is rounded up or down, of any table", (t) => {
  const table = fc
    .tuple(
      fc.array(fc.nat(50), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 7 }),
    )
    .map(([classes, cuts]) => {
      const total = classes.reduce((sum, count) => sum + count, 0);
      const ends = [...cuts.map((cut) => cut % (total + 1)), total].sort((a, b) => a - b);
      return { classes, sizes: ends.map((end, part) => end - (ends[part - 1] ?? 0)), total };
    });
  fc.assert(
    fc.property(table, ({ classes, sizes, total }) => {
      const counts = divideClasses(classes, sizes);
      const count = (row: number, part: number): number => counts[row * sizes.length + part] ?? Number.NaN;
      for (const [row, size] of classes.entries()) {
        t.is(
          sizes.reduce((sum, _, part) => sum + count(row, part), 0),
          size,
        );
      }
      for (const [part, size] of sizes.entries()) {
        t.is(
          classes.reduce((sum, _, row) => sum + count(row, part), 0),
          size,
        );
        for (const [row, rows] of classes.entries()) {
          const exact = total === 0 ? 0 : (rows * size) / total;
          t.true(Math.abs(count(row, part) - exact) < 1, `${count(row, part)} of ${exact}`);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("products past 2^53 are divided exactly", (t) => {
  const [large, small] = [2 ** 40 + 1, 2 ** 39 + 3];
  const counts = divideClasses([large, small], [small, large]);
  t.is((counts[0] ?? 0) + (counts[1] ?? 0), large);
  const exact = Number((BigInt(large) * BigInt(small)) / BigInt(large + small));
  t.true(counts[0] === exact || counts[0] === exact + 1);
});
