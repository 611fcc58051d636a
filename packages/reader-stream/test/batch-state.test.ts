import { join } from "node:path";
import test from "ava";
import { type BatchesOptions, type BatchState, openDataset } from "../src/index.ts";
import { numpy, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("batch-state");
numpy(
  `
np.save(sys.argv[1] + '/x.npy', np.zeros((100, 2), 'f4'))
np.save(sys.argv[1] + '/copy.npy', np.zeros((100, 2), 'f4'))
np.save(sys.argv[1] + '/doubles.npy', np.zeros((100, 2), 'f8'))
np.save(sys.argv[1] + '/short.npy', np.zeros((99, 2), 'f4'))
`,
  folder,
);
const open = (name: string) => openDataset({ x: join(folder, name) });
type Options = Omit<BatchesOptions, "transform">;
const base: Options = { size: 10, shuffle: true, seed: 1 };

async function stateOf(options: Options): Promise<BatchState> {
  await using dataset = await open("x.npy");
  const batches = dataset.batches(options);
  await batches.next();
  await batches.return();
  return batches.state();
}

const mismatch = test.macro({
  title: (_, difference: string, name: string, options: Options) =>
    `a state with other ${difference} is ERR_STATE_MISMATCH naming it: ${name}, ${JSON.stringify(options).slice(0, 80)}`,
  async exec(t, difference: string, name: string, options: Options) {
    const state = await stateOf(base);
    await using dataset = await open(name);
    t.throws(() => dataset.batches({ ...options, state }), {
      code: "ERR_STATE_MISMATCH",
      message: new RegExp(`a run with ${difference} `),
    });
  },
});
test(mismatch, "rows", "short.npy", base);
test(mismatch, "fields", "doubles.npy", base);
test(mismatch, "fingerprint", "copy.npy", base);
test(mismatch, "seed", "x.npy", { ...base, seed: 2 });
test(mismatch, "order", "x.npy", { ...base, shuffle: { kind: "full" } });
test(mismatch, "order", "x.npy", { ...base, shuffle: { kind: "block", blockRows: 3 } });
test(mismatch, "order", "x.npy", {
  size: 10,
  sampler: { kind: "weighted", weights: Array.from({ length: 100 }, () => 1) },
});
test(mismatch, "lanes", "x.npy", { ...base, shard: { index: 0, count: 1, lanes: 2 } });

test("files that were copied are gone on with where only rows have to be the same", async (t) => {
  const state = await stateOf(base);
  await using dataset = await open("copy.npy");
  const batches = dataset.batches({ size: 10, shuffle: true, state, resume: "same-rows" });
  t.deepEqual((await batches.next()).value?.meta.position, 10);
});

test("a state counts delivered batches, not those that are ready, and is less than 400 bytes", async (t) => {
  await using dataset = await open("x.npy");
  const batches = dataset.batches({ size: 30, shuffle: true, seed: -(2 ** 53 - 1), prefetch: 4, epochs: 2 });
  const places = [];
  for (;;) {
    const state = batches.state();
    t.true(JSON.stringify(state).length < 400);
    places.push([state.epoch, state.position]);
    if ((await batches.next()).done) break;
  }
  t.deepEqual(places, [
    ...[0, 30, 60, 90].map((position) => [0, position]),
    ...[0, 30, 60, 90].map((position) => [1, position]),
    [2, 0],
  ]);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field-number-${i}`, join(folder, "x.npy")]));
  await using wide = await openDataset(many);
  t.true(JSON.stringify(wide.batches({ size: 1, shuffle: true }).state()).length < 400);
});

test("a run goes on with the blocks of its state where the options leave them open", async (t) => {
  const state = await stateOf({ ...base, shuffle: { kind: "block", blockRows: 7, windowBlocks: 5 } });
  await using dataset = await open("x.npy");
  const batches = dataset.batches({ size: 20, shuffle: true, state });
  t.is(batches.state().order, state.order);
});

test("a state of another version says so, and what is none is a TypeError", async (t) => {
  const state = await stateOf(base);
  await using dataset = await open("x.npy");
  const go = (other: object) => () => dataset.batches({ ...base, state: other as BatchState });
  t.throws(go({ ...state, version: 2 }), { code: "ERR_STATE_MISMATCH", message: /version 2/ });
  for (const odd of [{}, { ...state, position: -1 }, { ...state, shard: "x" }, { ...state, more: 1 }]) {
    t.throws(go(odd), { instanceOf: TypeError });
  }
});
