import { randomUUID } from "node:crypto";
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { bullmqEngine } from "../src/bullmq.ts";
import {
  discover,
  distribute,
  nameTemplate,
  type StageContext,
  type StageFunction,
  type WorkOptions,
  work,
} from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";
import { type QueueServerProcess, startRedis } from "./helpers/queue-servers.ts";

const python = new PythonProducer();
let redis: QueueServerProcess;

test.before(async () => {
  redis = await startRedis(makeFolder());
});

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  removeFolders();
});

type PairStage = StageFunction<{ key: string; role: string }, typeof pairSets>;
type PairSet = Parameters<PairStage>[0];

/** Pairs that are published, and workers on them. */
async function setUp(sets: number) {
  const root = makeFolder();
  await python.run(`for i in range(${sets}): pair("${root}", i, i + 1)`);
  const engine = bullmqEngine({ queue: randomUUID(), connection: redis.url });
  const logger = new MemoryLogger();
  const retry = { attempts: 2, baseMs: 1, maxMs: 1 };
  const look = () => discover({ roots: root, names: pairNames, sets: pairSets, once: true, logger });
  const publish = () => distribute(look(), engine, { logger });
  const start = (stage: PairStage, options: Partial<WorkOptions> = {}) => {
    const end = new AbortController();
    const ended = work(engine, stage, { roots: { in: root }, retry, logger, signal: end.signal, ...options });
    return async () => {
      end.abort();
      return await ended;
    };
  };
  return { root, engine, logger, publish, start };
}

test("a stage is given what runStage gives it, with the files where this machine has them", async (t) => {
  const { root, publish, start } = await setUp(1);
  const mount = join(makeFolder(), "mnt");
  symlinkSync(root, mount);
  let given: { set: PairSet; context: StageContext; path: string } | undefined;
  const stop = start(
    async (set, context) => {
      await using labels = await set.arrays.labels.open();
      const array = await labels.read();
      const path = await context.commit(pairNames, { ...set.fields, role: "copy" }, array);
      given = { set, context, path };
    },
    { roots: { in: mount, other: mount } },
  );
  t.like(await publish(), { done: 1 });
  t.like(await stop(), { done: 1, aborted: true });
  const { set, context, path } = given ?? t.fail();
  t.like(set, { key: "0", root: mount, missing: [] });
  t.deepEqual({ ...set.fields }, { key: "0" });
  t.like(set.arrays.features, { path: join(mount, "0.features.npy"), dtype: "float32", byteLength: 16 });
  t.deepEqual(set.arrays.features.shape, [1, 4]);
  t.is(context.attempt, 1);
  t.false(context.signal.aborted);
  t.is(path, join(mount, "0.copy.npy"));
  await python.run(`assert (np.load("${root}/0.copy.npy") == labels(1)).all()`);
});

test("the arrays of an archive are opened by their members", async (t) => {
  const { root, engine, logger, start } = await setUp(0);
  await python.run(`np.savez("${root}/a.npz", x=features(5), y=labels(5))`);
  const found = discover({
    roots: root,
    names: nameTemplate("{key}.npz"),
    sets: { roles: { x: { dtype: "float32" }, y: { dtype: "int64" } } },
    once: true,
    logger,
  });
  const shapes: unknown[] = [];
  const stop = start(async (set) => {
    for (const array of Object.values(set.arrays)) {
      await using handle = await array.open();
      shapes.push([array.member, handle.dtype, handle.shape, (await handle.read()).data.length]);
    }
  });
  t.like(await distribute(found, engine, { logger }), { done: 1 });
  await stop();
  t.deepEqual(shapes, [
    ["x", "float32", [5, 4], 20],
    ["y", "int64", [5], 5],
  ]);
});

test("a file that changed while it was worked on is noticed before the result gets its name", async (t) => {
  const { root, publish, start } = await setUp(1);
  const out = makeFolder();
  const stop = start(
    async (set, { commit, attempt }) => {
      await using features = await set.arrays.features.open();
      const array = await features.read();
      if (attempt === 1) {
        await python.run(`np.save("${root}/0.features.npy", features(1) + 1)`);
      }
      await commit(pairNames, { ...set.fields, role: "copy" }, array);
    },
    { out },
  );
  t.like(await publish(), { done: 0, changed: 1, failed: 0 });
  t.like(await stop(), { done: 0, retried: 1, changed: 1 });
  t.false(existsSync(join(out, "0.copy.npy")));
});

test("a worker that sees other files than were published fails, and the set says why", async (t) => {
  const { engine, root, logger, start } = await setUp(1);
  const elsewhere = makeFolder();
  await python.run(`
pair("${elsewhere}", 0, 1)
for role in ("features", "labels"):
    os.utime(f"${elsewhere}/0.{role}.npy", (1, 1))`);
  const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, logger });
  const stop = start(() => undefined, { roots: { in: elsewhere } });
  t.like(await distribute(found, engine, { logger }), { done: 0, failed: 1 });
  await stop();
  t.regex(found.quarantined[0]?.reason ?? "", /ERR_SET_CHANGED.*1970-01-01/);
  t.like(found.quarantined[0]?.error, { code: "ERR_STAGE_FAILED" });
});

test("a worker that lacks a root, or has it nowhere, says so", async (t) => {
  const { engine, root, logger, start } = await setUp(1);
  const missing = { in: join(root, "no-such-folder") };
  await t.throwsAsync(
    work(engine, () => undefined, { roots: missing }),
    { instanceOf: TypeError, message: /no folder/ },
  );
  await t.throwsAsync(
    work(engine, () => undefined, { roots: {} }),
    { instanceOf: TypeError },
  );
  await t.throwsAsync(
    work(engine, () => undefined, { roots: { in: root }, other: 1 } as never),
    { message: /work.*other/ },
  );
  const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, logger });
  const distributed = distribute(found, engine, { logger });
  await t.throwsAsync(
    work(engine, () => undefined, { roots: { data: root, more: root }, logger }),
    { instanceOf: TypeError, message: /the set 0 lies in the root in, and roots names no folder for that: data, more/ },
  );
  const stop = start(() => undefined, { roots: { in: root } });
  t.like(await distributed, { done: 1, failed: 0 }, "the set is another worker's");
  await stop();
});

test("an attempt that takes too long is tried again and then quarantined with its code", async (t) => {
  const { engine, root, logger, start } = await setUp(1);
  const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, logger });
  const stop = start((_, { signal }) => sleep(60_000, undefined, { signal }), { timeoutMs: 30 });
  t.like(await distribute(found, engine, { logger }), { done: 0, failed: 1 });
  t.like(await stop(), { retried: 1, failed: 1 });
  t.like(found.quarantined[0]?.error, { code: "ERR_STAGE_TIMEOUT" });
});

test("a worker that is told to end lets its sets end, gives back what takes too long, and another one does it", async (t) => {
  const { publish, start } = await setUp(4);
  let slow: string | undefined;
  const first = start(
    async (set, { signal }) => {
      slow ??= set.key;
      await sleep(set.key === slow ? 60_000 : 300, undefined, { signal });
    },
    { concurrency: 2, drainMs: 1000 },
  );
  const published = publish();
  while (slow === undefined) {
    await sleep(5);
  }
  await sleep(100);
  const result = await first();
  t.is(result.released, 1);
  t.true(result.done < 4, "no more were taken");
  const attempts: number[] = [];
  const second = start((_, { attempt }) => void attempts.push(attempt));
  t.like(await published, { done: 4, failed: 0 });
  await second();
  t.is(attempts.length, 4 - result.done);
  t.true(
    attempts.every((attempt) => attempt === 1),
    "an attempt that was given back does not count",
  );
});

test("no more bytes are worked on at once than may be, and files that are done are put away", async (t) => {
  const { root, publish, start } = await setUp(6);
  let [running, most] = [0, 0];
  const stop = start(
    async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(20);
      running -= 1;
    },
    { concurrency: 4, maxBytesInFlight: 1, after: "delete" },
  );
  t.like(await publish(), { done: 6 });
  t.like(await stop(), { done: 6 });
  t.is(most, 1);
  await python.run(`assert os.listdir("${root}") == []`);
});

test("a worker that is aborted before it begins connects to nothing", async (t) => {
  const engine = bullmqEngine({ queue: "q", connection: "redis://127.0.0.1:1" });
  const result = await work(engine, () => undefined, { roots: { in: makeFolder() }, signal: AbortSignal.abort() });
  t.like(result, { done: 0, aborted: true });
});
