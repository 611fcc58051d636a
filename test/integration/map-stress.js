/**
 * Maps, slices, drops and collects arrays for a while, in this thread and in workers, and reads from views that were
 * kept. A mapping that went too early ends the process; one that stays is found in the end.
 *
 *     node --expose-gc map-stress.js FOLDER SECONDS
 *
 * FOLDER holds `rows.npy`, int32 of shape (4096, 64) whose element i is i, `large.npy`, the same of shape (262144, 64),
 * and `stored.npz`, which has `bytes`, uint8 of shape (65536,) whose element i is i % 256. It runs on the built packages.
 * It does all twice, and prints as JSON what is left after each time.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { createMappedNpy, mapNpy, mapNpz, mappedSource, openNpy } from "@npystream/reader-stream";

const [folder = workerData?.folder, seconds = workerData?.seconds] = process.argv.slice(2);
const COLUMNS = 64;
/** Views that live on after what they were taken from, so that the collector meets them at any age. */
const MAX_KEPT = 400;

const random = randomNumbers(isMainThread ? 1 : 1 + workerData.index);
const below = (end) => Math.floor(random() * end);
let kept = [];
let mapped = 0;

/** Maps one thing, closes it or not, and keeps some views of it with the values they must have. */
const actions = [
  () => {
    const array = mapNpy(join(folder, "rows.npy"));
    const row = below(array.length);
    keep(array.at(row), row * COLUMNS);
    keep(array.slice({ start: row }, 3), row * COLUMNS + 3);
    if (random() < 0.5) array.close();
  },
  () => {
    // Large enough for views of parts, each with a buffer of its own.
    const array = mapNpy(join(folder, "large.npy"));
    const row = below(array.length);
    for (let i = 0; i < 3; i++) keep(array.at(row), row * COLUMNS);
    if (random() < 0.1) keep(array.slice({ start: row }), row * COLUMNS);
    if (random() < 0.5) array.close();
  },
  () => {
    const archive = mapNpz(join(folder, "stored.npz"));
    const start = below(60_000);
    keep(archive.get("bytes").slice({ start }), start % 256);
    if (random() < 0.5) archive.close();
  },
  () => {
    const path = join(folder, `written-${isMainThread ? 0 : workerData.index}.npy`);
    const array = createMappedNpy(path, { dtype: "int32", shape: [1000], overwrite: true });
    const index = below(array.length);
    array.data[index] = index;
    keep(array.slice({ start: index }), index);
    if (random() < 0.1) array.flush();
    if (random() < 0.5) array.close();
  },
  () => {
    const source = mappedSource(join(folder, "rows.npy"), { windowBytes: 1 << 17 });
    const { byteLength } = source;
    const start = Math.floor((below(byteLength - 8192 - 128) + 128) / 4) * 4;
    const bytes = source.bytes(start, 4096);
    kept.push({
      read: () => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true),
      expected: (start - 128) / 4,
    });
    source.close();
  },
];

if (isMainThread) await main();
else {
  await stress(performance.now() + seconds * 1000);
  await dropAll();
}

async function main() {
  const left = [];
  for (let time = 0; time < 2; time++) {
    const workers = [1, 2].map((index) => startWorker({ folder, seconds: seconds / 4, index }));
    await stress(performance.now() + (seconds / 2) * 1000);
    await overHandles();
    await Promise.all(workers);
    await dropAll();
    left.push({ mappings: countMappings(), rssBytes: process.memoryUsage.rss() });
  }
  console.log(JSON.stringify({ node: process.version, mapped, left }));
}

function startWorker(data) {
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  return new Promise((resolve, reject) => worker.once("error", reject).once("exit", resolve));
}

async function stress(until) {
  for (let round = 0; performance.now() < until; round++) {
    actions[below(actions.length)]();
    mapped += 1;
    if (round % 8 === 0) check(kept[below(kept.length)]);
    if (kept.length > MAX_KEPT) kept = kept.filter(() => random() < 0.5);
    // Callbacks of the collector come between turns.
    if (round % 50 === 0) await setImmediate();
    if (round % 500 === 0) {
      globalThis.gc?.();
      await setImmediate();
      checkAll();
    }
  }
}

async function overHandles() {
  for (let i = 0; i < 20; i++) {
    const array = await openNpy(mappedSource(join(folder, "large.npy")));
    const row = below(array.length);
    const rows = await array.gather([row, 0, row]);
    await array.close();
    if (rows.get(0, 1) !== row * COLUMNS + 1 || rows.get(1, 0) !== 0) throw new Error("gather read something else");
  }
}

function keep(array, expected) {
  kept.push({ read: () => array.get(...array.shape.map(() => 0)), expected });
}

/** In a function of its own: one that waits keeps what its loops held last. */
function checkAll() {
  for (const view of kept) check(view);
}

function check(view) {
  if (view === undefined) return;
  const found = view.read();
  if (found !== view.expected) throw new Error(`a kept view reads ${found} where ${view.expected} was`);
}

async function dropAll() {
  checkAll();
  kept = [];
  // A turn for the callbacks, several times, since a chain of objects may take as many collections.
  for (let i = 0; i < 10; i++) {
    globalThis.gc?.();
    await setTimeout(10);
  }
}

function countMappings() {
  if (!existsSync("/proc/self/maps")) return 0;
  return readFileSync("/proc/self/maps", "utf8").split(folder).length - 1;
}

/** Mulberry32: the same numbers on every run. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
