import { spawnSync } from "node:child_process";
import { cp, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { type DiscoverOptions, discover, nameTemplate, openLedger, runStage } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeKeys, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

async function fixture(keys: readonly string[] = ["a", "b", "c"]) {
  const [root, state] = [makeFolder(), makeFolder()];
  await python.run(`for key in ${JSON.stringify(keys)}: pair("${root}", key)`);
  const ledger = join(state, "ledger.db");
  const look = (options: Partial<DiscoverOptions> = {}) => {
    const logger = new MemoryLogger();
    return discover({ roots: root, names: pairNames, sets: pairSets, once: true, ledger, logger, ...options });
  };
  const states = async (): Promise<Record<string, string>> => {
    await using opened = await openLedger(ledger, { readOnly: true });
    return Object.fromEntries([...opened.find()].map((entry) => [entry.key, entry.state]));
  };
  return { root, ledger, look, states };
}

test("what was acknowledged is not delivered again after a restart, and what was not is", async (t) => {
  const { look, states } = await fixture();
  const first = look();
  const sets = await takeSets(first, 2);
  t.deepEqual(
    sets.map(({ key }) => key),
    ["a", "b"],
  );
  const third = (await first[Symbol.asyncIterator]().next()).value;
  t.is(third?.key, "c");
  await first.close();
  t.deepEqual(await states(), { a: "done", b: "done", c: "ready" });
  t.deepEqual(await takeKeys(look()), ["c"]);
  t.deepEqual(await states(), { a: "done", b: "done", c: "done" });
  t.deepEqual(await takeKeys(look()), []);
});

test("without a ledger a restart delivers everything again", async (t) => {
  const { root } = await fixture();
  for (let start = 0; start < 2; start++) {
    t.is((await takeKeys(discover({ roots: root, names: pairNames, sets: pairSets, once: true }))).length, 3);
  }
});

test("a set whose files changed is another generation, and is delivered again", async (t) => {
  const { root, look, ledger } = await fixture();
  await takeKeys(look());
  await python.run(`pair("${root}", "b", 5)`);
  t.deepEqual(await takeKeys(look()), ["b"]);
  await using opened = await openLedger(ledger);
  t.is([...opened.find({ key: "b", state: "done" })].length, 2);
  t.is(await opened.prune(), 1, "the earlier one cannot come again");
});

test("a set that moved away and came back is the same", async (t) => {
  const { root, look } = await fixture();
  await takeKeys(look());
  const away = makeFolder();
  await rename(join(root, "a.features.npy"), join(away, "x"));
  t.deepEqual(await takeKeys(look()), []);
  await rename(join(away, "x"), join(root, "a.features.npy"));
  t.deepEqual(await takeKeys(look()), []);
});

test("by its content a file that is copied or touched is the same, and by its state it is not", async (t) => {
  const { root, look } = await fixture();
  t.is((await takeKeys(look({ verify: "digest", pipeline: "content" }))).length, 3);
  t.is((await takeKeys(look({ pipeline: "state" }))).length, 3);
  await utimes(join(root, "a.labels.npy"), 1e9, 1e9);
  await cp(join(root, "b.features.npy"), join(root, "copy"));
  await rm(join(root, "b.features.npy"));
  await rename(join(root, "copy"), join(root, "b.features.npy"));
  t.deepEqual(await takeKeys(look({ verify: "digest", pipeline: "content" })), []);
  t.deepEqual(await takeKeys(look({ pipeline: "state" })), ["a", "b"]);
});

test("each pipeline has its own view of the sets in a ledger that several share", async (t) => {
  const { root, ledger } = await fixture();
  await using shared = await openLedger(ledger);
  const look = (pipeline: string) =>
    discover({ roots: root, names: pairNames, sets: pairSets, once: true, ledger: shared, pipeline });
  const [one, two] = [look("one"), look("two")];
  t.is((await takeSets(one, 1)).length, 1);
  t.is((await takeSets(two, 1)).length, 1);
  await t.throwsAsync(takeKeys(look("one")), { instanceOf: TypeError, message: /pipeline one/ });
  t.is((await takeKeys(one)).length, 2);
  t.is((await takeKeys(two)).length, 2);
  t.deepEqual(shared.count(), { pending: 0, ready: 0, claimed: 0, done: 6, failed: 0, quarantined: 0 });
});

test("a discovery on a ledger that is in use ends with who uses it", async (t) => {
  const { ledger, look } = await fixture();
  await using _ = await openLedger(ledger);
  await t.throwsAsync(takeKeys(look()), { code: "ERR_LEDGER_LOCKED" });
});

test("what a stage failed with stays failed, with its reason, until it is put back", async (t) => {
  const { ledger, look, states } = await fixture();
  const logger = new MemoryLogger();
  const refuse = ({ key }: { readonly key: string }): void => {
    if (key === "b") {
      throw new Error("b is broken");
    }
  };
  const result = await runStage(look(), refuse, { retry: { attempts: 2, baseMs: 1 }, logger });
  t.like(result, { done: 2, failed: 1 });
  t.deepEqual(await states(), { a: "done", b: "failed", c: "done" });
  const again = look();
  t.deepEqual(await takeKeys(again), []);
  t.like(again.quarantined[0], { key: "b", reason: "attempt 2, the last, failed: b is broken" });
  {
    await using opened = await openLedger(ledger);
    t.is(await opened.requeue({ state: "failed" }), 1);
  }
  t.deepEqual(await takeKeys(look()), ["b"]);
});

test("a set that does not fit stands in the ledger with the reason", async (t) => {
  const { root, ledger, look } = await fixture();
  await python.run(`np.save("${root}/b.labels.npy", labels(4))`);
  const found = look();
  t.deepEqual(await takeKeys(found), ["a", "c"]);
  await using opened = await openLedger(ledger);
  const [entry] = opened.find({ state: "quarantined" });
  t.is(entry?.key, "b");
  t.is(entry?.reason, found.quarantined[0]?.reason);
  t.regex(entry?.reason ?? "", /N/);
});

test("what is put back is delivered at once by a discovery that watches", async (t) => {
  const { root, ledger } = await fixture();
  await using shared = await openLedger(ledger);
  await using found = discover({ roots: root, names: pairNames, sets: pairSets, ledger: shared });
  t.is((await takeSets(found, 3)).length, 3);
  t.is(await shared.requeue({ key: "c" }), 1);
  const [set] = await takeSets(found, 1);
  t.is(set?.key, "c");
  t.like([...shared.find({ key: "c" })][0], { state: "done", deliveries: 2 });
});

test("a set that is given back is ready in the ledger", async (t) => {
  const { root, ledger } = await fixture(["a"]);
  await using shared = await openLedger(ledger);
  await using found = discover({ roots: root, names: pairNames, sets: pairSets, ledger: shared });
  const iterator = found[Symbol.asyncIterator]();
  await (await iterator.next()).value?.release();
  const { value: set } = await iterator.next();
  await set?.ack();
  t.like([...shared.find()][0], { state: "done", deliveries: 2 });
});

test("a set that kills whoever works on it is counted each time", async (t) => {
  const { root, ledger } = await fixture(["a"]);
  const program = join(import.meta.dirname, "programs", "poison-program.ts");
  const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, program, root, ledger];
  for (let times = 1; times <= 2; times++) {
    const { signal } = spawnSync(process.execPath, node, { stdio: "inherit" });
    t.is(signal, "SIGKILL");
    await using opened = await openLedger(ledger, { readOnly: true });
    t.like([...opened.find()][0], { state: "claimed", deliveries: times });
  }
});

test("the same set in two roots is delivered once, also where the ledger knows nothing of it yet", async (t) => {
  const { root, ledger } = await fixture();
  const copy = makeFolder();
  await cp(root, copy, { recursive: true, preserveTimestamps: true });
  const both = discover({
    roots: [root, copy],
    names: pairNames,
    sets: pairSets,
    ledger,
    once: true,
    verify: "digest",
    logger: new MemoryLogger(),
  });
  t.deepEqual((await takeKeys(both)).sort(), ["a", "b", "c"]);
  await using opened = await openLedger(ledger, { readOnly: true });
  t.like(opened.count(), { done: 3, ready: 0, claimed: 0 });
});

test("what was posted is found and counted at once", async (t) => {
  const { root, ledger } = await fixture(["a"]);
  await using shared = await openLedger(ledger);
  await using found = discover({ roots: root, names: pairNames, sets: pairSets, ledger: shared });
  const { value: set } = await found[Symbol.asyncIterator]().next();
  t.is(shared.count().claimed, 1);
  t.is([...shared.find({ state: "claimed" })].length, 1);
  await set?.ack();
});

test("a ledger inside a folder that is watched is refused, and so are names of a pipeline that are none", (t) => {
  const root = makeFolder();
  const options = { roots: root, names: nameTemplate("{key}.npy"), sets: { roles: { x: {} } } };
  t.throws(() => discover({ ...options, ledger: join(root, "l.db") }), { message: /lies in the root/ });
  t.throws(() => discover({ ...options, ledger: 7 as unknown as string }), { message: /openLedger/ });
  t.throws(() => discover({ ...options, pipeline: "" }), { message: /pipeline must be a text/ });
  t.throws(() => discover({ ...options, verify: "content" as "stat" }), { message: /stat, digest/ });
});
