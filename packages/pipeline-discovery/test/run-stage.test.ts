import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isNpyError } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { type ArraySet, type Discovery, discover, runStage, type StageOptions } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** Makes a root with so many pairs, named `0`, `1`, .. */
async function makeRoot(count: number): Promise<string> {
  const root = makeFolder();
  await python.run(`for i in range(${count}): pair("${root}", i)`);
  return root;
}

function find(
  root: string,
  options: object = { once: true },
): Discovery<{ readonly key: string; readonly role: string }, typeof pairSets> {
  return discover({ roots: root, names: pairNames, sets: pairSets, logger: new MemoryLogger(), ...options });
}

const quick = { logger: new MemoryLogger(), retry: { attempts: 3, baseMs: 1, maxMs: 4 } };

const limits = test.macro({
  title: (_, concurrency: number) => `${concurrency} sets at most are worked on at once, and no more are taken`,
  async exec(t: ExecutionContext, concurrency: number) {
    const found = find(await makeRoot(12));
    let active = 0;
    let most = 0;
    const counts = await runStage(
      found,
      async () => {
        active += 1;
        most = Math.max(most, active);
        t.true(found.stats().inFlight <= concurrency);
        await sleep(5);
        active -= 1;
      },
      { ...quick, concurrency },
    );
    t.is(most, concurrency);
    t.deepEqual(counts, { done: 12, failed: 0, retried: 0, changed: 0, released: 0, aborted: false });
    t.is(found.stats().done, 12);
  },
});

test(limits, 1);
test(limits, 4);

test("a set that fails is tried again while others go on, and quarantined at last with the cause", async (t) => {
  const found = find(await makeRoot(6));
  const order: string[] = [];
  const cause = new Error("no such model");
  const logger = new MemoryLogger();
  const counts = await runStage(
    found,
    async (set, { attempt, log }) => {
      order.push(`${set.key}.${attempt}`);
      log.info({ extra: 1 }, "at work");
      if (set.key === "1" || (set.key === "2" && attempt < 3)) {
        throw cause;
      }
    },
    { ...quick, logger, retry: { attempts: 3, baseMs: 30, maxMs: 1000 } },
  );
  t.deepEqual(counts, { done: 5, failed: 1, retried: 4, changed: 0, released: 0, aborted: false });
  t.deepEqual(
    order.filter((entry) => entry.startsWith("1")),
    ["1.1", "1.2", "1.3"],
  );
  t.true(order.indexOf("5.1") < order.indexOf("1.2"), "one slot, and the waiting set does not hold it");
  const [set] = found.quarantined;
  t.is(set?.key, "1");
  t.true(isNpyError(set?.error) && set.error.code === "ERR_STAGE_FAILED");
  t.is(set?.error.cause, cause);
  t.is(set?.reason, "attempt 3, the last, failed: no such model");
  const entry = logger.entries.find(({ message }) => message === "at work");
  t.deepEqual(Object.keys(entry?.fields ?? {}).sort(), ["attempt", "extra", "generation", "set"]);
});

test("an attempt that takes too long is aborted, and ERR_STAGE_TIMEOUT is why its set is quarantined", async (t) => {
  const found = find(await makeRoot(3));
  const reasons: unknown[] = [];
  const counts = await runStage(
    found,
    async (set, { signal }) => {
      if (set.key === "1") {
        await sleep(60_000, undefined, { signal }).catch((error: unknown) => {
          reasons.push(signal.reason);
          throw error;
        });
      }
    },
    { ...quick, timeoutMs: 30, retry: { attempts: 2, baseMs: 1 } },
  );
  t.deepEqual(counts, { done: 2, failed: 1, retried: 1, changed: 0, released: 0, aborted: false });
  t.is(reasons.length, 2);
  t.is(reasons[1], found.quarantined[0]?.error);
  t.true(isNpyError(reasons[1]) && reasons[1].code === "ERR_STAGE_TIMEOUT");
});

test("an attempt that does not heed its signal holds up nothing, and can commit nothing any more", async (t) => {
  const root = await makeRoot(2);
  const found = find(root);
  let late: Promise<unknown> | undefined;
  const counts = await runStage(
    found,
    async (set, { commit }) => {
      if (set.key === "0") {
        await sleep(1200);
        late = commit(pairNames, { key: "0", role: "late" }, Float32Array.of(1));
        await late;
      }
    },
    { ...quick, timeoutMs: 10, retry: { attempts: 1 } },
  );
  t.deepEqual([counts.done, counts.failed], [1, 1]);
  while (late === undefined) {
    await sleep(20);
  }
  const error = await t.throwsAsync(late);
  t.true(isNpyError(error) && error.code === "ERR_STAGE_TIMEOUT");
  t.false((await readdir(root)).includes("0.late.npy"));
});

test("after an abort nothing more is taken, what is under way may end, and the result tells of it", async (t) => {
  const found = find(await makeRoot(9), {});
  const stop = new AbortController();
  let begun = 0;
  const counts = await runStage(
    found,
    async () => {
      begun += 1;
      if (begun === 2) {
        stop.abort(new Error("SIGTERM"));
      }
      await sleep(50);
    },
    { ...quick, concurrency: 2, signal: stop.signal, drainMs: 5000 },
  );
  t.deepEqual(counts, { done: 2, failed: 0, retried: 0, changed: 0, released: 0, aborted: true });
  t.is(begun, 2);
  t.is(found.stats().inFlight, 0);
});

test("what has not ended when it has drained long enough is aborted and released", async (t) => {
  const found = find(await makeRoot(4), {});
  const stop = new AbortController();
  const reason = new Error("SIGTERM");
  const seen: unknown[] = [];
  const counts = await runStage(
    found,
    async (set, { signal }) => {
      if (set.key === "0") {
        throw new Error("is tried again later, and then no more");
      }
      if (set.key === "2") {
        stop.abort(reason);
      }
      await sleep(60_000, undefined, { signal }).catch(() => seen.push(signal.reason));
      signal.throwIfAborted();
    },
    { ...quick, retry: { baseMs: 60_000 }, concurrency: 2, signal: stop.signal, drainMs: 50 },
  );
  t.deepEqual(counts, { done: 0, failed: 0, retried: 1, changed: 0, released: 3, aborted: true });
  t.deepEqual(seen, [reason, reason]);
  t.is(found.quarantined.length, 0);
});

test("a stage that waits for sets ends at an abort; one whose discovery is aborted rejects with the reason", async (t) => {
  const root = makeFolder();
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 30);
  const counts = await runStage(find(root, {}), () => t.fail(), { ...quick, signal: stop.signal });
  t.true(counts.aborted);
  t.like(await runStage(find(root, {}), () => t.fail(), { ...quick, signal: stop.signal }), { done: 0, aborted: true });
  const own = new AbortController();
  const reason = new Error("of the discovery");
  setTimeout(() => own.abort(reason), 30);
  t.is(await t.throwsAsync(runStage(find(root, { signal: own.signal }), () => t.fail(), quick)), reason);
});

test("a set that comes as a stage ends is given back before the stage has ended", async (t) => {
  const stop = new AbortController();
  let isReleased = false;
  const set = {
    release: async () => {
      await sleep(20);
      isReleased = true;
    },
  } as unknown as ArraySet;
  let come: (result: IteratorResult<ArraySet>) => void = () => undefined;
  const found: AsyncIterable<ArraySet> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        setImmediate(() => stop.abort());
        return new Promise((resolve) => {
          come = resolve;
        });
      },
      return: async () => {
        come({ done: false, value: set });
        return { done: true, value: undefined };
      },
    }),
  };
  t.like(await runStage(found, () => t.fail(), { ...quick, signal: stop.signal }), { done: 0, aborted: true });
  t.true(isReleased);
});

test("a set that changes while it is worked on is dropped and comes again as it is then", async (t) => {
  const root = await makeRoot(1);
  const found = find(root, {});
  const rows: (number | undefined)[] = [];
  const stop = new AbortController();
  const counts = await runStage(
    found,
    async (set) => {
      rows.push(set.arrays.features.shape[0]);
      if (rows.length === 1) {
        await python.run(`pair("${root}", 0, rows=7)`);
      } else {
        stop.abort();
      }
      await (await set.arrays.features.open()).close();
    },
    { ...quick, signal: stop.signal },
  );
  t.deepEqual(rows, [3, 7]);
  t.like(counts, { done: 1, failed: 0, changed: 1 });
});

test("the files of a set that is done are deleted where that is asked for, and of no other", async (t) => {
  const root = await makeRoot(3);
  await mkdir(join(root, "kept"));
  const options = { ...quick, after: "delete", retry: { attempts: 1 } } as const;
  const counts = await runStage(
    find(root),
    (set) => {
      if (set.key === "1") {
        throw new Error("fails");
      }
    },
    options,
  );
  t.like(counts, { done: 2, failed: 1 });
  t.deepEqual((await readdir(root)).sort(), ["1.features.npy", "1.labels.npy", "kept"]);
});

const refuses = test.macro({
  title: (_, what: string) => `runStage refuses ${what}`,
  async exec(t: ExecutionContext, _what: string, options: object, instanceOf: ErrorConstructor) {
    const found = find(makeFolder());
    await t.throwsAsync(
      runStage(found, () => undefined, options as StageOptions),
      { instanceOf },
    );
    await found.close();
  },
});

test(refuses, "an option that there is not", { concurency: 2 }, TypeError);
test(refuses, "no concurrency", { concurrency: 0 }, RangeError);
test(refuses, "no attempts", { retry: { attempts: 0 } }, RangeError);
test(refuses, "a wait that is none", { retry: { baseMs: -1 } }, RangeError);
test(refuses, "an option of retry that there is not", { retry: { tries: 1 } }, TypeError);
test(refuses, "a time that is no number", { timeoutMs: "1s" }, TypeError);
test(refuses, "something else to be done with the files", { after: "move" }, TypeError);
test(refuses, "a folder that is none", { out: "" }, TypeError);
