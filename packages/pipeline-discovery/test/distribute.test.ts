import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { Queue } from "bullmq";
import { bullmqEngine } from "../src/bullmq.ts";
import { type DiscoverOptions, discover, distribute, openLedger, type StageFunction, work } from "../src/index.ts";
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

/** Folders, a queue of its own, and a worker that notes which sets it runs. */
async function setUp(sets: number, stage: PairStage = double) {
  const [root, out, state] = [makeFolder(), makeFolder(), makeFolder()];
  await python.run(`for i in range(${sets}): pair("${root}", i, i + 1)`);
  const options = { queue: randomUUID(), connection: redis.url };
  const engine = bullmqEngine(options);
  const logger = new MemoryLogger();
  const ran: string[] = [];
  const startWorker = () => {
    const end = new AbortController();
    const noted: PairStage = async (set, context) => {
      ran.push(set.key);
      await stage(set, context);
    };
    const retry = { attempts: 2, baseMs: 1, maxMs: 1 };
    const ended = work(engine, noted, { roots: { in: root }, out, concurrency: 4, retry, logger, signal: end.signal });
    return async () => {
      end.abort();
      return await ended;
    };
  };
  const look = (more: Partial<DiscoverOptions> = {}) =>
    discover({ roots: root, names: pairNames, sets: pairSets, once: true, logger, ...more });
  return { root, out, options, engine, logger, ran, startWorker, look, ledger: join(state, "ledger.db") };
}

const double: PairStage = async (set, { commit }) => {
  await using features = await set.arrays.features.open();
  const array = await features.read();
  await commit(pairNames, { ...set.fields, role: "doubled" }, array.astype("float64"));
};

/** Every set has exactly its one right result, and nothing else is there. */
async function checkResults(out: string, sets: number): Promise<void> {
  await python.run(`
names = sorted(os.listdir("${out}"))
assert names == sorted(f"{i}.doubled.npy" for i in range(${sets})), names
for i in range(${sets}):
    x = np.load(f"${out}/{i}.doubled.npy")
    assert x.dtype == np.float64 and (x == features(i + 1)).all(), i`);
}

test("sets are published, run by a worker, and acknowledged in the ledger", async (t) => {
  const { out, engine, logger, ran, startWorker, look, ledger, options } = await setUp(12);
  const stop = startWorker();
  const result = await distribute(look({ ledger }), engine, { logger });
  t.deepEqual(result, { published: 12, known: 0, done: 12, failed: 0, changed: 0, released: 0, aborted: false });
  t.like(await stop(), { done: 12, failed: 0, aborted: true });
  t.is(ran.length, 12);
  await checkResults(out, 12);
  await using opened = await openLedger(ledger);
  t.like(opened.count(), { done: 12, claimed: 0 });
  const queue = new Queue(options.queue, { connection: { url: redis.url } });
  const jobs = await queue.getCompleted();
  t.deepEqual(jobs.map(({ id }) => id).sort(), [...opened.find()].map(({ id }) => id).sort());
  t.true(jobs.every(({ data }) => JSON.stringify(data).length < 1024));
  await queue.close();
});

test("everything published twice, after a restart that remembers nothing, runs once", async (t) => {
  const { out, engine, logger, ran, startWorker, look } = await setUp(8);
  const stop = startWorker();
  await distribute(look(), engine, { logger });
  const again = await distribute(look(), engine, { logger });
  t.like(again, { published: 0, known: 8, done: 8 });
  await stop();
  t.is(ran.length, 8);
  await checkResults(out, 8);
});

test("two discoverers of the same files need no leader: each set runs once", async (t) => {
  const { out, engine, logger, ran, startWorker, look } = await setUp(30);
  const both = Promise.all([1, 2].map(() => distribute(look(), engine, { logger, maxPublished: 5 })));
  const stop = startWorker();
  const [a, b] = await both;
  t.is(a?.done, 30);
  t.is(b?.done, 30);
  await stop();
  t.deepEqual([...new Set(ran)].length, ran.length);
  await checkResults(out, 30);
});

test("no more than maxPublished sets are in the queue unfinished, and after an abort they go on", async (t) => {
  const { out, engine, logger, ran, startWorker, look, options, ledger } = await setUp(10);
  const end = new AbortController();
  const first = distribute(look({ ledger }), engine, { logger, maxPublished: 3, signal: end.signal });
  const queue = new Queue(options.queue, { connection: { url: redis.url } });
  while ((await queue.count()) < 3) {
    await sleep(5);
  }
  await sleep(100);
  t.is(await queue.count(), 3);
  end.abort();
  t.like(await first, { published: 3, done: 0, released: 3, aborted: true });
  t.is(await queue.count(), 3);
  const stop = startWorker();
  t.like(await distribute(look({ ledger }), engine, { logger, maxPublished: 3 }), { known: 3, published: 7, done: 10 });
  await stop();
  t.is(ran.length, 10);
  await checkResults(out, 10);
  await queue.close();
});

test("a set that the stage always fails with is quarantined, the others are done, and a requeued one is tried anew", async (t) => {
  let isMended = false;
  const { out, engine, logger, ran, startWorker, look, ledger } = await setUp(9, async (set, context) => {
    if (set.key === "4" && !isMended) {
      throw new Error("this set is poison");
    }
    await double(set, context);
  });
  const stop = startWorker();
  t.like(await distribute(look({ ledger }), engine, { logger }), { published: 9, done: 8, failed: 1 });
  t.is(ran.filter((key) => key === "4").length, 2);
  {
    await using opened = await openLedger(ledger);
    const [failed, ...others] = opened.find({ state: "failed" });
    t.deepEqual([failed?.key, others.length], ["4", 0]);
    t.regex(failed?.reason ?? "", /this set is poison/);
    t.is(await opened.requeue({ state: "failed" }), 1);
  }
  isMended = true;
  t.like(await distribute(look({ ledger }), engine, { logger }), { published: 1, known: 0, done: 1, failed: 0 });
  t.like(await stop(), { done: 9, failed: 1, retried: 1 });
  await checkResults(out, 9);
});

test("a set whose files change before a worker comes to it is delivered anew, and its result is of the new files", async (t) => {
  const { root, out, engine, logger, startWorker, look, options } = await setUp(1);
  const end = new AbortController();
  const found = look({ once: false, sweepMs: 50, settleMs: 50 });
  const ended = distribute(found, engine, { logger, signal: end.signal });
  const queue = new Queue(options.queue, { connection: { url: redis.url } });
  while ((await queue.count()) < 1) {
    await sleep(5);
  }
  // As many bytes as before.
  await python.run(`
np.save("${root}/0.features.npy", features(1) + 1)
np.save("${root}/0.labels.npy", labels(1))`);
  while ((await queue.count()) < 2) {
    await sleep(5);
  }
  await queue.close();
  const stop = startWorker();
  while (found.stats().inFlight > 0) {
    await sleep(5);
  }
  end.abort();
  t.like(await ended, { done: 1, changed: 1, failed: 0 });
  t.like(await stop(), { done: 1, changed: 1 });
  await python.run(`assert (np.load("${out}/0.doubled.npy") == features(1) + 1).all()`);
});

test("a queue that loses everything is filled again", async (t) => {
  const { out, engine, logger, startWorker, look, options } = await setUp(5);
  const ended = distribute(look(), engine, { logger });
  const queue = new Queue(options.queue, { connection: { url: redis.url } });
  while ((await queue.count()) < 5) {
    await sleep(5);
  }
  await queue.obliterate({ force: true });
  await queue.close();
  const stop = startWorker();
  t.like(await ended, { published: 5, done: 5 });
  t.true(logger.messages("warn").includes("the queue has lost a set, which is published again"));
  await stop();
  await checkResults(out, 5);
});

test("a folder that has no name for workers ends the distribution", async (t) => {
  const { root, engine, logger, look } = await setUp(1);
  const other = makeFolder();
  await python.run(`pair("${other}", 0, 2)`);
  await t.throwsAsync(distribute(look({ roots: [root, other] }), engine, { logger }), { message: /no name/ });
  await t.throwsAsync(distribute(look(), engine, { logger, roots: { in: other } }), { message: /no name/ });
});

test("distribute refuses options that cannot be, and closes nothing that is not there", async (t) => {
  const { engine, look } = await setUp(0);
  const refused = [{ maxPublished: 0 }, { stopOn: ["SIGNOTHING"] }, { roots: {} }, { roots: { in: 7 } }, { other: 1 }];
  for (const options of refused) {
    await t.throwsAsync(distribute(look(), engine, options as never), { message: /maxPublished|stopOn|roots|other/ });
  }
});

test("an attempt that fails half way leaves nothing behind, and the next one makes the result", async (t) => {
  const { out, engine, logger, startWorker, look } = await setUp(3, async (set, context) => {
    if (context.attempt > 1) {
      await double(set, context);
      return;
    }
    await context.commit(pairNames, { ...set.fields, role: "doubled" }, async (stream) => {
      await using features = await set.arrays.features.open();
      await stream.push(await features.read());
      throw new Error("half way");
    });
  });
  const stop = startWorker();
  t.like(await distribute(look(), engine, { logger }), { done: 3 });
  t.like(await stop(), { done: 3, retried: 3 });
  await checkResults(out, 3);
});
