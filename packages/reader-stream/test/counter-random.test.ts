import test from "ava";
import { CounterRandom } from "../src/index.ts";

test("the same words give the same numbers, and others give others", (t) => {
  const draw = (...words: number[]): string => {
    const random = new CounterRandom(...words);
    return Array.from({ length: 8 }, () => random.uint32()).join();
  };
  t.is(draw(1, 2, 3), draw(1, 2, 3));
  const keys = [[1, 2, 3], [3, 2, 1], [1, 2], [1, 2, 4], [2 ** 40], [2 ** 41], [-1], [0]];
  t.is(new Set(keys.map((words) => draw(...words))).size, keys.length);
});

test("floats, integers and normal numbers have the moments of their distributions", (t) => {
  const count = 100_000;
  const moments = (draw: (random: CounterRandom) => number): [mean: number, variance: number] => {
    // One number of each of many keys, as rows of an epoch draw them.
    const values = Array.from({ length: count }, (_, row) => draw(new CounterRandom(7, 0, row)));
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count];
  };
  // Five standard errors; the keys are fixed, so this holds or does not, always.
  const within = (found: number, expected: number, deviation: number): void => {
    t.true(Math.abs(found - expected) < (5 * deviation) / Math.sqrt(count), `${found}, expected ${expected}`);
  };
  const [floatMean, floatVariance] = moments((random) => random.float());
  within(floatMean, 1 / 2, Math.sqrt(1 / 12));
  within(floatVariance, 1 / 12, Math.sqrt(1 / 180));
  const [normalMean, normalVariance] = moments((random) => random.normal());
  within(normalMean, 0, 1);
  within(normalVariance, 1, Math.sqrt(2));
  within(moments((random) => random.integer(10))[0], 4.5, Math.sqrt(99 / 12));
});
