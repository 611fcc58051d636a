import test from "ava";
import fc from "fast-check";
import { AliasTable } from "../src/alias-table.ts";
import { CounterRandom } from "../src/index.ts";

test("indices are drawn as often as their weights say", (t) => {
  const weights = [5, 0, 1, 3, 0.5, 0.5];
  const table = new AliasTable(weights);
  const counts = weights.map(() => 0);
  const draws = 100_000;
  for (let i = 0; i < draws; i++) {
    const index = table.draw(new CounterRandom(3, i));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  t.is(counts[1], 0);
  const chi2 = weights.reduce((sum, weight, index) => {
    const expected = (weight / 10) * draws;
    return expected === 0 ? sum : sum + ((counts[index] ?? 0) - expected) ** 2 / expected;
  }, 0);
  // 4 degrees of freedom; the 0.9999 quantile.
  t.true(chi2 < 23.5, `chi-squared ${chi2}`);
});

test("a weight of zero is never drawn, whatever rounding leaves", (t) => {
  const weight = fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e9, noNaN: true }));
  fc.assert(
    fc.property(fc.array(weight, { minLength: 1, maxLength: 40 }), (weights) => {
      fc.pre(weights.some((value) => value > 0));
      const table = new AliasTable(weights);
      for (let i = 0; i < 200; i++) if (weights[table.draw(new CounterRandom(i))] === 0) t.fail("drawn with weight 0");
    }),
  );
  t.pass();
});

test("weights that cannot be are refused", (t) => {
  for (const weights of [[], [0, 0], [1, -1], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
    t.throws(() => new AliasTable(weights), { instanceOf: RangeError });
  }
});
