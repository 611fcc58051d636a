import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import {
  type BatchesOptions,
  type BatchState,
  bytesSource,
  type Dataset,
  type DTypesOf,
  openDataset,
} from "../src/index.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";

const folder = testFolder("batches-contracts");
const ROWS = 613;
numpy(
  `
x = np.arange(${ROWS}, dtype='f4')[:, None] * np.ones(5, 'f4')
np.save(sys.argv[1] + '/x.npy', x)
np.save(sys.argv[1] + '/y.npy', np.arange(${ROWS}))
for i, part in enumerate(np.split(x, [100, 101, 400])): np.save(f'{sys.argv[1]}/x{i}.npy', part)
`,
  folder,
);
const at = (name: string): string => join(folder, name);
const whole = { features: [at("x.npy")], labels: at("y.npy") };
const cut = { features: [0, 1, 2, 3].map((i) => at(`x${i}.npy`)), labels: at("y.npy") };

type Options = Omit<BatchesOptions, "transform">;
type Pair = DTypesOf<typeof whole>;

/** Rows of each batch; features have to say the same as labels, and padding has to be zeros. */
async function batchesOf(dataset: Dataset<Pair>, options: Options): Promise<number[][]> {
  const all: number[][] = [];
  const batches = dataset.batches(options);
  const memory = options.memory ?? 256 << 20;
  for await (const { features, labels, meta } of batches) {
    const rows = Array.from(labels.data as BigInt64Array, Number);
    for (const [i, row] of rows.entries()) {
      if (features.get(i, 4) !== row) throw new Error(`row ${row} has another row's features`);
      if ((meta.valid?.[i] ?? 1) === 1 && meta.rowIds[i] !== row) throw new Error(`row ${row} has another's id`);
    }
    all.push(rows);
  }
  const { peakBytes } = batches.metrics();
  if (peakBytes > memory + 2 * options.size * 28) throw new Error(`${peakBytes} bytes held of ${memory}`);
  return all;
}

const shuffles = fc.oneof(
  fc.constantFrom<NonNullable<BatchesOptions["shuffle"]>>(false, true, { kind: "full" }),
  fc.record({
    kind: fc.constant("block" as const),
    blockRows: fc.integer({ min: 1, max: 40 }),
    windowBlocks: fc.integer({ min: 1, max: 30 }),
  }),
);
/** Options that an order is made of. */
const orders = fc.record({ size: fc.integer({ min: 1, max: 90 }), seed: fc.integer(), shuffle: shuffles });
/** Options that no order depends on. */
const ways = fc.record({
  prefetch: fc.nat(4),
  memory: fc.constantFrom(0, 1000, 9000, 40_000, 256 << 20),
  io: fc.constantFrom("auto" as const, "map" as const, "read" as const),
  ownership: fc.constantFrom("fresh" as const, "pooled" as const),
});

test.serial("every row comes once an epoch over all shards, whatever the order, sizes and memory", async (t) => {
  await using dataset = await openDataset(whole);
  const shards = fc.record({ count: fc.integer({ min: 1, max: 4 }), each: fc.integer({ min: 1, max: 3 }) });
  await fc.assert(
    fc.asyncProperty(orders, ways, shards, async (order, way, { count, each }) => {
      const seen: number[] = [];
      const size = order.size * each;
      for (let index = 0; index < count; index++) {
        const shard = { index, count, lanes: count * each };
        seen.push(...(await batchesOf(dataset, { ...order, ...way, size, shard })).flat());
      }
      t.deepEqual(
        seen.sort((a, b) => a - b),
        Array.from({ length: ROWS }, (_, i) => i),
      );
    }),
    { numRuns: 40 },
  );
});

test.serial("the order is the same for any prefetch, memory, way of reading and cut into files", async (t) => {
  await using one = await openDataset(whole);
  await using many = await openDataset(cut);
  await fc.assert(
    fc.asyncProperty(orders, ways, ways, fc.nat(2), async (order, way, other, epochs) => {
      const expected = await batchesOf(one, { ...order, ...way, epochs });
      t.deepEqual(await batchesOf(many, { ...order, ...other, epochs }), expected);
    }),
    { numRuns: 40 },
  );
});

test.serial("a run that goes on behind any batch gives the rest, with other prefetch, memory and files", async (t) => {
  await using one = await openDataset(whole);
  await using many = await openDataset(cut);
  const lasts = fc.constantFrom("keep" as const, "drop" as const, "pad" as const, "wrap" as const);
  await fc.assert(
    fc.asyncProperty(orders, ways, ways, lasts, async (order, way, other, last) => {
      const size = order.size + 20;
      const options = { ...order, size, last, epochs: 2 };
      const expected = await batchesOf(one, { ...options, ...way });
      const batches = one.batches({ ...options, ...way });
      for (let k = 0; k <= expected.length; k++) {
        const state = JSON.parse(JSON.stringify(batches.state())) as BatchState;
        if (k % 3 === 0) {
          const { seed: _, ...rest } = options;
          const found = await batchesOf(many, { ...rest, ...other, state, resume: "same-rows" });
          t.deepEqual(found, expected.slice(k));
        }
        await batches.next();
      }
      await batches.return();
    }),
    { numRuns: 8 },
  );
});

test.serial("any number of processes that divides the lanes gives the same batches together", async (t) => {
  await using dataset = await openDataset(whole);
  for (const shuffle of [false, true, { kind: "full" }] as const) {
    const runs = [];
    for (const count of [1, 2, 3, 6]) {
      const parts: number[][][] = [];
      for (let index = 0; index < count; index++) {
        const shard = { index, count, lanes: 6, uneven: "equal-batches" } as const;
        parts.push(await batchesOf(dataset, { size: 24 / count, seed: 5, shuffle, shard }));
      }
      t.is(new Set(parts.map(({ length }) => length)).size, 1);
      runs.push(parts[0]?.map((_, k) => parts.flatMap((part) => part[k] ?? []).sort((a, b) => a - b)));
    }
    for (const run of runs) t.deepEqual(run, runs[0]);
  }
});

test.serial("a state of two processes is gone on with by three", async (t) => {
  await using dataset = await openDataset(whole);
  const common = { seed: 9, shuffle: true } as const;
  const first = dataset.batches({ ...common, size: 30, shard: { index: 1, count: 2, lanes: 6 } });
  const seen: number[] = [];
  for (let index = 0; index < 2; index++) {
    const shard = { index, count: 2, lanes: 6 };
    seen.push(...(await batchesOf(dataset, { ...common, size: 30, shard })).slice(0, 4).flat());
  }
  for (let k = 0; k < 4; k++) await first.next();
  const state = first.state();
  await first.return();
  for (let index = 0; index < 3; index++) {
    seen.push(
      ...(await batchesOf(dataset, { size: 20, shuffle: true, shard: { index, count: 3, lanes: 6 }, state })).flat(),
    );
  }
  t.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({ length: ROWS }, (_, i) => i),
  );
});

test.serial(
  "a process that is killed goes on behind its last state, with other files, and sees the rest once",
  async (t) => {
    const script = fileURLToPath(new URL("batches-by-process.ts", import.meta.url));
    const options = {
      size: 7,
      shuffle: { kind: "block", blockRows: 10, windowBlocks: 12 },
      seed: 3,
      epochs: 40,
      prefetch: 3,
    };
    const start = (given: object, features: readonly string[], out: string) => {
      const args = [JSON.stringify(given), JSON.stringify(features), at("y.npy"), at(out)];
      return spawn(process.execPath, ["--import=tsx", "--conditions=@npystream/source", script, ...args], {
        stdio: "inherit",
      });
    };
    const killed = start(options, whole.features, "killed");
    const ended = once(killed, "exit");
    while (!existsSync(at("killed.state")) || JSON.parse(readFileSync(at("killed.state"), "utf8")).epoch < 2)
      await sleep(5);
    killed.kill("SIGKILL");
    t.deepEqual(await ended, [null, "SIGKILL"]);
    const state = JSON.parse(readFileSync(at("killed.state"), "utf8")) as BatchState;
    const epochs = state.epoch + 1;
    const resumed = start(
      { ...options, epochs, prefetch: 0, memory: 5000, state, resume: "same-rows" },
      cut.features,
      "rest",
    );
    t.deepEqual(await once(resumed, "exit"), [0, null]);
    const lines = (name: string): number[][] =>
      readFileSync(at(name), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as number[]);
    await using dataset = await openDataset(whole);
    const expected = await batchesOf(dataset, { ...(options as Options), epochs });
    const perEpoch = Math.ceil(ROWS / 7);
    const done = state.epoch * perEpoch + state.position / 7;
    t.deepEqual(lines("killed.rows").slice(0, done), expected.slice(0, done));
    t.deepEqual(existsSync(at("rest.rows")) ? lines("rest.rows") : [], expected.slice(done));
  },
);

test.serial("an abort ends reads under way and starts no other, and mapped files are closed", async (t) => {
  await using dataset = await openDataset(whole);
  const before = openDescriptors(folder);
  const controller = new AbortController();
  const batches = dataset.batches({ size: 10, shuffle: { kind: "full" }, io: "map", signal: controller.signal });
  await batches.next();
  t.true(openDescriptors(folder) > before);
  controller.abort(new Error("enough"));
  await t.throwsAsync(batches.next(), { message: "enough" });
  t.is(openDescriptors(folder), before);
  await t.throwsAsync(batches.next(), { message: "enough" });

  const source = countedSource(encodeNpy(NdArray.from(new Float64Array(50_000))));
  await using counted = await openDataset({ x: source });
  const stop = new AbortController();
  const shuffle = { kind: "block", blockRows: 100, windowBlocks: 50 } as const;
  const more = counted.batches({ size: 100, shuffle, signal: stop.signal });
  await more.next();
  stop.abort();
  await more.return();
  const reads = source.reads.length;
  await sleep(20);
  t.is(source.reads.length, reads);
});

test.serial("going on costs the reads of one window, wherever it is", async (t) => {
  const rows = 40_000;
  const source = countedSource(encodeNpy(NdArray.from(Float64Array.from({ length: rows }, (_, i) => i))));
  await using dataset = await openDataset({ x: source });
  const shuffle = { kind: "block", blockRows: 100, windowBlocks: 16 } as const;
  const options = { size: 50, shuffle, memory: 16 * 100 * 8 + 5000, seed: 2 } as const;
  const state = dataset.batches(options).state();
  for (const part of [0.1, 0.5, 0.99]) {
    source.reads.length = 0;
    const batches = dataset.batches({ ...options, state: { ...state, position: rows * part } });
    await batches.next();
    await batches.return();
    t.true(source.reads.length <= 16 && source.reads.length > 0, `${source.reads.length} reads at ${part}`);
  }
});

test.serial("a consumer that leaves while reads fail hears nothing of them", async (t) => {
  const bytes = encodeNpy(NdArray.from(new Float64Array(10_000)));
  const inner = bytesSource(bytes);
  let isBroken = false;
  const source = {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => {
      await sleep(1);
      if (isBroken) throw new Error("the disk is gone");
      await inner.read(into, position);
    },
    close: async () => undefined,
  };
  await using dataset = await openDataset({ x: source });
  isBroken = false;
  for (const shuffle of [true, { kind: "full" }, { kind: "block", blockRows: 10, windowBlocks: 100 }] as const) {
    const batches = dataset.batches({ size: 10, shuffle, prefetch: 4 });
    await batches.next();
    isBroken = true;
    await batches.return();
    isBroken = false;
  }
  // AVA fails the file for an unhandled rejection.
  await sleep(10);
  t.pass();
});
