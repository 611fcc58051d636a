import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { discover, type IncompleteSet, nameTemplate } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeKeys, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { openDescriptors, openWatchers } from "./helpers/open-resources.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const logger = new MemoryLogger();
const settleMs = 300;
const pairs = { names: pairNames, sets: pairSets, logger, settleMs };
const nested = { ...pairs, names: nameTemplate("{dataset}/{split}/{key}.{role}.npy") };
const free = { ...pairs, names: nameTemplate("{...rest}/{key}.{role}.npy") };

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

const follows = test.macro({
  title: (_, how: string) => `a root that is made late, removed, and made again is followed ${how}`,
  async exec(t: ExecutionContext, _how: string, options: typeof pairs & { readonly hints?: "none" }, folder: string) {
    const root = join(makeFolder(), "late", "root");
    await using found = discover({ ...options, roots: root, sweepMs: 200 });
    for (const key of ["a", "b", "a"]) {
      const taken = takeSets(found, 1);
      await python.run(`
os.makedirs("${join(root, folder)}")
pair("${join(root, folder)}", "${key}")`);
      t.is((await taken)[0]?.fields.key, key);
      await rm(root, { recursive: true });
    }
  },
});

test.serial(follows, "with hints", pairs, "");
test.serial(follows, "with hints, through folders of folders", nested, "d/s");
test.serial(follows, "with hints, through any folders", free, "x/y/z");
test.serial(follows, "without hints", { ...pairs, hints: "none" }, "");

test.serial("a tree that is moved in, and one that is copied, are found whole", async (t) => {
  const [root, outside] = [makeFolder(), makeFolder()];
  for (const folder of ["one/train", "one/test", "two/train"]) {
    await python.run(`
os.makedirs("${outside}/${folder}")
for i in range(5): pair("${outside}/${folder}", f"{i}")`);
  }
  await using found = discover({ ...nested, roots: root });
  const taken = takeSets(found, 20);
  await sleep(100);
  await rename(join(outside, "one"), join(root, "moved"));
  await cp(join(outside, "two"), join(root, "copied"), { recursive: true });
  await rename(join(outside, "two"), join(root, "moved-too"));
  t.deepEqual(
    (await taken).map(({ key }) => key).sort(),
    ["copied/train", "moved-too/train", "moved/test", "moved/train"].flatMap((folder) =>
      [0, 1, 2, 3, 4].map((key) => `${folder}/${key}`),
    ),
  );
});

const waits = test.macro({
  title: (_, completion: string) =>
    `with completion '${completion}' ${completion === "marker" ? "a marker" : "a rename"} decides`,
  async exec(t: ExecutionContext, completion: "marker" | "rename-only") {
    const root = makeFolder();
    await using found = discover({ ...pairs, roots: root, completion });
    const taken = takeSets(found, 1);
    if (completion === "marker") {
      await python.run(`pair("${root}", "a"); pair("${root}", "b"); time.sleep(0.1)`);
      t.is(found.stats().ready + found.stats().inFlight, 0);
      await writeFile(join(root, "b.features.npy.done"), "");
      await writeFile(join(root, "b.labels.npy.done"), "");
      t.is((await taken)[0]?.key, "b");
      await writeFile(join(root, "_SUCCESS"), "");
      t.is((await takeSets(found, 1))[0]?.key, "a");
    } else {
      await python.run(`
np.save("${root}/.a", features(3))
os.rename("${root}/.a.npy", "${root}/a.features.npy")
np.save("${root}/.a", labels(3) * 0)
os.rename("${root}/.a.npy", "${root}/a.labels.npy")`);
      t.is((await taken)[0]?.key, "a", "zeros at the end are no reason to wait");
    }
  },
});

test.serial(waits, "marker");
test.serial(waits, "rename-only");

test.serial(
  "with 'rename-only' a file that is unfinished at the first look is quarantined until another takes its name",
  async (t) => {
    const root = makeFolder();
    await python.run(`
np.save("${root}/a.labels.npy", labels(3))
open("${root}/a.features.npy", "wb").write(saved(features(3))[:100])`);
    await using found = discover({ ...pairs, roots: root, completion: "rename-only" });
    const taken = takeSets(found, 1);
    while (found.quarantined.length === 0) {
      await sleep(5);
    }
    t.regex(found.quarantined[0]?.reason ?? "", /^features: it was not whole when it appeared/);
    await python.run(`
open("${root}/a.features.npy", "r+b").write(saved(features(3)))
time.sleep(0.2)
pair("${root}", ".b")
for role in ("features", "labels"): os.rename(f"${root}/.b.{role}.npy", f"${root}/b.{role}.npy")`);
    t.is((await taken)[0]?.key, "b", "finishing it in place does not help");
    await python.run(`
np.save("${root}/.a", features(3))
os.rename("${root}/.a.npy", "${root}/a.features.npy")`);
    t.is((await takeSets(found, 1))[0]?.key, "a");
    t.is(found.quarantined.length, 0);
  },
);

test.serial("sets that stay incomplete are reported once each, with what they lack", async (t) => {
  const root = makeFolder();
  const own = new MemoryLogger();
  const told: IncompleteSet[] = [];
  await python.run(`
np.save("${root}/orphan.features.npy", features(3))
np.save("${root}/cut.features.npy", features(3))
open("${root}/cut.labels.npy", "wb").write(saved(labels(3))[:130])
pair("${root}", "whole")`);
  const onIncomplete = {
    afterMs: 100,
    action: "quarantine",
    onReport: (set: IncompleteSet) => told.push(set),
  } as const;
  await using found = discover({ ...pairs, roots: root, logger: own, onIncomplete });
  await takeSets(found, 1);
  const taken = takeSets(found, 1);
  while (told.length < 2) {
    await sleep(5);
  }
  await sleep(100);
  t.deepEqual(told.map(({ key, missing, reason }) => `${key} ${missing}: ${reason}`).sort(), [
    "cut : labels: its header declares 152 bytes and it has 130",
    "orphan labels: there is no file of labels",
  ]);
  t.is(own.messages("warn").filter((message) => message === "a set is still incomplete").length, 2);
  t.is(found.quarantined.length, 2);
  t.true(found.stats().oldestPendingMs >= 100);
  await python.run(`np.save("${root}/orphan.labels.npy", labels(3))`);
  t.is((await taken)[0]?.key, "orphan", "it is delivered all the same once it is complete");
  t.deepEqual(
    found.quarantined.map(({ key }) => key),
    ["cut"],
  );
});

test.serial("once reports what it leaves behind, and does not wait for it", async (t) => {
  const root = makeFolder();
  const own = new MemoryLogger();
  await python.run(`
np.save("${root}/orphan.features.npy", features(3))
pair("${root}", "whole")`);
  await using found = discover({
    ...pairs,
    roots: [root, join(root, "..", "nowhere-at-all")],
    logger: own,
    once: true,
  });
  t.deepEqual(await takeKeys(found), ["whole"]);
  t.deepEqual(own.messages("warn").sort(), ["a set is still incomplete", "the root folder does not exist"]);
});

test.serial("no more sets are looked at than are asked for", async (t) => {
  const root = makeFolder();
  await python.run(`for i in range(300): pair("${root}", f"{i:03}")`);
  await using found = discover({ ...pairs, roots: root, maxPending: 8 });
  await takeSets(found, 1);
  await sleep(100);
  t.true(found.stats().ready <= 8);
  t.is((await takeSets(found, 299)).length, 299);
});

test.serial("an abort rejects whoever waits with its reason, and closes everything", async (t) => {
  const root = makeFolder();
  await mkdir(join(root, "d", "s"), { recursive: true });
  const stop = new AbortController();
  const reason = new Error("enough");
  const found = discover({ ...nested, roots: root, signal: stop.signal });
  const loops = [takeKeys(found), takeKeys(found)];
  while (openWatchers() < 2) {
    await sleep(5);
  }
  stop.abort(reason);
  for (const loop of loops) {
    t.is(await t.throwsAsync(loop), reason);
  }
  t.is(await t.throwsAsync(takeKeys(found)), reason, "later too");
  await found.close();
  await sleep(20); // what was closed is let go of in the next turn of the event loop
  t.is(openWatchers(), 0);
  const aborted = discover({ ...pairs, roots: root, signal: AbortSignal.abort(reason) });
  t.is(await t.throwsAsync(takeKeys(aborted)), reason);
});

test.serial("a loop that is left early closes the discovery, and so does await using", async (t) => {
  const root = makeFolder();
  await python.run(`pair("${root}", "a"); pair("${root}", "b")`);
  const found = discover({ ...pairs, roots: root });
  for await (const set of found) {
    t.is(set.key, "a");
    break;
  }
  t.deepEqual(await takeKeys(found), []);
  const waiting = discover({ ...pairs, roots: await mkdtemp(join(root, "empty-")) });
  const keys = takeKeys(waiting);
  {
    await using closed = waiting;
    await sleep(20);
    t.is(closed.stats().pending, 0);
  }
  t.deepEqual(await keys, [], "a loop that waits ends");
  await sleep(20); // what was closed is let go of in the next turn of the event loop
  t.is(openWatchers(), 0);
  t.is(openDescriptors(root), 0);
});
