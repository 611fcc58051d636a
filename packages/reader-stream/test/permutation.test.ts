import test from "ava";
import fc from "fast-check";
import { createPermutation } from "../src/index.ts";

const sizes = new Set([0, 1, 2, 3, 1000]);
for (let k = 2; k <= 17; k++) for (const d of [-1, 0, 1]) sizes.add(2 ** k + d);

test("every permutation around a power of two up to 2^17 + 1 rows is a bijection with an inverse", (t) => {
  for (const length of sizes) {
    const { row, position } = createPermutation(length, 7, 3);
    const seen = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const at = row(i);
      seen[at] = (seen[at] ?? 0) + 1;
      if (position(at) !== i) t.fail(`${length} rows: position of row ${at}`);
    }
    t.true(
      seen.every((count) => count === 1),
      `${length} rows`,
    );
  }
});

test("rows of any number, seed and epoch go to positions and back, up to 2^52", (t) => {
  const lengths = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 2 ** 52 }));
  fc.assert(
    fc.property(
      lengths,
      fc.maxSafeInteger(),
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (length, seed, epoch, at) => {
        const { row, position } = createPermutation(length, seed, epoch);
        const from = Math.min(length - 1, Math.floor(at * length));
        return position(row(from)) === from && row(position(from)) === from;
      },
    ),
  );
  t.pass();
});

/** Chi-squared of the classes of rows in batches, each as a part of its degrees of freedom, on average. */
function batchChi2(order: (position: number) => number, rows: number): number {
  const [classes, size] = [10, 100];
  let sum = 0;
  for (let position = 0; position < rows; position += size) {
    const counts = new Float64Array(classes);
    for (let i = 0; i < size; i++) {
      const label = Math.floor((order(position + i) * classes) / rows);
      counts[label] = (counts[label] ?? 0) + 1;
    }
    sum += counts.reduce((chi2, count) => chi2 + (count - size / classes) ** 2 / (size / classes), 0) / (classes - 1);
  }
  return sum / (rows / size);
}

test("batches of sorted rows are as even as those that Fisher and Yates shuffle", (t) => {
  const rows = 10_000;
  const [ours, theirs]: number[][] = [[], []];
  let state = 12_345;
  // The generator of Park and Miller (1988), for an order that does not depend on ours.
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let epoch = 0; epoch < 40; epoch++) {
    ours?.push(batchChi2(createPermutation(rows, 4, epoch).row, rows));
    const order = Array.from({ length: rows }, (_, i) => i);
    for (let i = rows - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
    }
    theirs?.push(batchChi2((position) => order[position] ?? 0, rows));
  }
  const mean = (values: readonly number[] = []): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  // Of 40 x 100 batches with 9 degrees of freedom: a standard error of sqrt(2 / 9 / 4000) each.
  t.true(Math.abs(mean(ours) - mean(theirs)) < 5 * Math.sqrt((2 * 2) / 9 / 4000), `${mean(ours)} and ${mean(theirs)}`);
});

test("positions past 2^32 and near 2^52 come back", (t) => {
  for (const length of [10 ** 9, 2 ** 32 + 1, 2 ** 49 + 1, 2 ** 52]) {
    const { row, position } = createPermutation(length, -5, 0);
    for (let i = 0; i < 500; i++) {
      const from = Math.floor((i / 500) * length);
      const at = row(from);
      t.true(Number.isSafeInteger(at) && at >= 0 && at < length);
      t.is(position(at), from);
    }
  }
});

test("the same seed and epoch give the same order, others another", (t) => {
  const order = (seed: number, epoch: number): string => {
    const { row } = createPermutation(50, seed, epoch);
    return Array.from({ length: 50 }, (_, i) => row(i)).join();
  };
  t.is(order(1, 2), order(1, 2));
  const orders = [
    order(1, 2),
    order(2, 1),
    order(1, 3),
    order(2 ** 40, 0),
    order(2 ** 41, 0),
    order(-1, 0),
    order(0, 0),
  ];
  t.is(new Set(orders).size, orders.length);
});

// Over uniform permutations the number of fixed points and of neighbours that stay neighbours are both Poisson(1)
// in the limit: mean and variance 1 each.
test("fixed points and adjacent pairs are as rare as in random orders, and rows are spread evenly", (t) => {
  const [length, epochs] = [1000, 2000];
  const [fixed, adjacent]: number[][] = [[], []];
  const places = new Float64Array(10 * 10);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const { row } = createPermutation(length, 99, epoch);
    let [stays, pairs, before] = [0, 0, -2];
    for (let i = 0; i < length; i++) {
      const at = row(i);
      if (at === i) stays++;
      if (at === before + 1) pairs++;
      const cell = Math.floor(i / 100) * 10 + Math.floor(at / 100);
      places[cell] = (places[cell] ?? 0) + 1;
      before = at;
    }
    fixed?.push(stays);
    adjacent?.push(pairs);
  }
  for (const counts of [fixed ?? [], adjacent ?? []]) {
    const mean = counts.reduce((sum, count) => sum + count, 0) / epochs;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (epochs - 1);
    // Five standard errors on each side; the seed is fixed, so this holds or does not, always.
    t.true(Math.abs(mean - 1) < 5 / Math.sqrt(epochs), `mean ${mean}`);
    t.true(Math.abs(variance - 1) < 5 * Math.sqrt(3 / epochs), `variance ${variance}`);
  }
  const expected = (length * epochs) / 100;
  const chi2 = places.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 81 degrees of freedom; within a permutation a block is drawn without replacement, which lowers the variance.
  t.true(chi2 < 81 + 5 * Math.sqrt(2 * 81), `chi-squared ${chi2}`);
});

test("what is no number of rows, seed or position is refused", (t) => {
  for (const [length, seed, epoch] of [
    [-1, 0, 0],
    [2 ** 53, 0, 0],
    [3, 0.5, 0],
    [3, 0, Number.NaN],
  ] as const) {
    t.throws(() => createPermutation(length, seed, epoch), { instanceOf: RangeError });
  }
  t.throws(() => createPermutation(3, 0, 0).row(3), { instanceOf: RangeError });
});
