import { NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { type BatchesOptions, type BatchState, type Dataset, openDataset } from "../src/index.ts";
import { collect } from "./collect.ts";
import { smallBlocks } from "./small-blocks.ts";

type Options = Omit<BatchesOptions, "transform">;
type Rows = Dataset<{ readonly row: "int32" }>;

const numbered = (length: number): Promise<Rows> => {
  const rows = Int32Array.from({ length }, (_, row) => row);
  return openDataset({ row: { from: NdArray.from(rows), as: "int32" } });
};

/** Epoch and row of all that is delivered. */
async function delivered(dataset: Rows, options: Options, most = Number.POSITIVE_INFINITY) {
  const seen: string[] = [];
  await using batches = dataset.batches(options);
  for (let step = 0; step < most; step++) {
    const { value } = await batches.next();
    if (value === undefined) break;
    for (const row of value.row.data) seen.push(`${value.meta.epoch}:${row}`);
  }
  return { seen, state: JSON.parse(JSON.stringify(batches.state())) as BatchState };
}

const orders = fc.oneof(
  fc.constantFrom<Partial<Options>>(
    { shuffle: false },
    { shuffle: true },
    { shuffle: { kind: "full" } },
    { sampler: { kind: "stratified", labels: "row" } },
  ),
  smallBlocks,
);
const counts = fc.constantFrom(1, 2, 3, 4, 6).chain((lanes) => {
  const divisors = fc.constantFrom(...[1, 2, 3, 4, 6].filter((count) => lanes % count === 0));
  return fc.record({ lanes: fc.constant(lanes), before: divisors, after: divisors });
});

test("a state that is taken over by other processes gives the rest once, or is refused by all of them", async (t) => {
  const uneven = fc.constantFrom("exact" as const, "equal-batches" as const);
  const sizes = fc.record({ rows: fc.integer({ min: 1, max: 70 }), size: fc.integer({ min: 1, max: 9 }) });
  let refused = 0;
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      sizes,
      orders,
      counts,
      uneven,
      fc.nat(),
      fc.nat(30),
      async (sized, order, count, uneven, of, steps) => {
        const { lanes, before, after } = count;
        await using dataset = await numbered(sized.rows);
        const optionsOf = (index: number, count: number): Options => {
          const shard = { index, count, lanes, uneven };
          return { ...order, size: (sized.size * lanes) / count, seed: 5, epochs: 2, shard };
        };
        fc.pre(isPossible(dataset, optionsOf(0, before)));
        const stopped = [];
        for (let index = 0; index < before; index++) {
          stopped.push(await delivered(dataset, optionsOf(index, before), steps));
        }
        const from = of % before;
        const { state } = stopped[from] as { readonly state: BatchState };
        const seen = stopped.flatMap((one) => one.seen);
        let refusals = 0;
        for (let index = 0; index < after; index++) {
          try {
            seen.push(...(await delivered(dataset, { ...optionsOf(index, after), state })).seen);
          } catch (error) {
            t.like(error, { code: "ERR_STATE_MISMATCH" });
            t.regex(String(error), /lanes of unequal length/);
            refusals++;
          }
        }
        // A process always goes on with what it said itself.
        const others = before === after ? after - 1 : after;
        t.true(refusals === 0 || refusals === others, `${refusals} of ${others} refuse`);
        if (refusals > 0) {
          refused++;
          t.true(
            before > 1 && uneven === "exact",
            "what one process said of all lanes, or of equal ones, is always enough",
          );
          return;
        }
        taken++;
        t.deepEqual(seen.sort(), (await delivered(dataset, optionsOf(0, 1))).seen.sort());
      },
    ),
    { numRuns: 250 },
  );
  t.true(refused > 10 && taken > 100, `${taken} were taken and ${refused} refused`);
});

test("a state whose other processes may stand elsewhere is ERR_STATE_MISMATCH that says what to do", async (t) => {
  await using dataset = await numbered(12);
  // Lanes of eight and of four rows.
  const options: Options = { shuffle: { kind: "block", blockRows: 4, windowBlocks: 2 }, size: 1 };
  const [long, short] = [0, 1].toSorted((a, b) => lengthOf(dataset, options, b) - lengthOf(dataset, options, a));
  const stateOf = async (index: number, steps: number): Promise<BatchState> =>
    (await delivered(dataset, { ...options, shard: { index, count: 2 } }, steps)).state;
  const take = (state: BatchState, index: number, count: number) => () =>
    dataset.batches({ ...options, size: 2 / count, shard: { index, count, lanes: 2 }, state });
  const expected = { code: "ERR_STATE_MISMATCH", message: /each process's own state.*equal-batches/ };
  // Six batches: one process has ended its epoch and the other one has not.
  t.throws(take(await stateOf(long ?? 0, 6), 0, 1), expected);
  t.throws(take(await stateOf(short ?? 0, 6), 0, 1), expected);
  t.throws(take(await stateOf(short ?? 0, 6), long ?? 0, 2), expected);
  t.notThrows(take(await stateOf(short ?? 0, 6), short ?? 0, 2));
  t.notThrows(take(await stateOf(long ?? 0, 4), 0, 1));
});

test("processes that go on from one that had all lanes have those that ended behind them", async (t) => {
  await using dataset = await numbered(12);
  const shuffle = { kind: "block", blockRows: 4, windowBlocks: 2 } as const;
  const one = { shuffle, size: 2, shard: { index: 0, count: 1, lanes: 2 } } as const;
  const { seen, state } = await delivered(dataset, one, 5);
  t.is(state.position, 10);
  for (const index of [0, 1]) {
    const rest = dataset.batches({ shuffle, size: 1, shard: { index, count: 2, lanes: 2 }, state });
    for (const { row } of await collect(rest)) seen.push(`0:${row.data[0]}`);
  }
  t.deepEqual(seen.sort(), Array.from({ length: 12 }, (_, row) => `0:${row}`).sort());
});

function isPossible(dataset: Rows, options: Options): boolean {
  try {
    dataset.batches(options);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function lengthOf(dataset: Rows, options: Options, index: number): number {
  return dataset.explain({ ...options, shard: { index, count: 2 } }).batches;
}
