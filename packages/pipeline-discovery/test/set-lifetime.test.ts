import { rename, utimes } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { type DiscoverOptions, discover, openLedger, runStage } from "../src/index.ts";
import { findSqlite } from "../src/sqlite.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeKeys, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const ROLES = ["features", "labels"];

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

async function fixture(keys: readonly string[] = ["a"]) {
  const [root, away, state] = [makeFolder(), makeFolder(), makeFolder()];
  await python.run(`for key in ${JSON.stringify(keys)}: pair("${root}", key)`);
  const look = (options: Partial<DiscoverOptions> = {}) =>
    discover({ roots: root, names: pairNames, sets: pairSets, settleMs: 20, logger: new MemoryLogger(), ...options });
  const move = async (from: string, to: string, key = "a"): Promise<void> => {
    for (const role of ROLES) {
      await rename(join(from, `${key}.${role}.npy`), join(to, `${key}.${role}.npy`));
    }
  };
  return { root, away, ledger: join(state, "ledger.db"), look, move };
}

/** Breaks a ledger for everybody that has it open, as a disk that fails does. */
async function breakLedger(path: string): Promise<void> {
  const database = (await findSqlite())(path);
  database.exec("ALTER TABLE sets RENAME TO lost");
  database.close();
}

test("a set that is given back later in a run over what is there comes again, with a ledger and without", async (t) => {
  for (const withLedger of [false, true]) {
    const { ledger, look } = await fixture();
    let deliveries = 0;
    for await (const set of look({ once: true, ...(withLedger ? { ledger } : {}) })) {
      deliveries += 1;
      await sleep(20);
      await (deliveries < 3 ? set.release() : set.ack());
    }
    t.is(deliveries, 3);
  }
});

test("a set that was touched while it was worked on comes again after its release, also where its content counts", async (t) => {
  for (const verify of ["stat", "digest"] as const) {
    const { root, look } = await fixture();
    await using found = look({ verify });
    const iterator = found[Symbol.asyncIterator]();
    const set = (await iterator.next()).value;
    for (const role of ROLES) {
      await utimes(join(root, `a.${role}.npy`), 1e9, 1e9);
    }
    await sleep(100);
    await t.throwsAsync(async () => await set?.arrays.features.open(), { code: "ERR_SET_CHANGED" });
    await set?.release();
    const again = (await iterator.next()).value;
    t.is(again?.key, "a");
    await again?.quarantine("odd");
    t.is(found.quarantined.length, 1);
  }
});

test("a ledger that fails ends the discovery with the reason, nothing is settled silently, and the file is free again", async (t) => {
  const { ledger, look } = await fixture(["a", "b", "c"]);
  const found = look({ ledger });
  const iterator = found[Symbol.asyncIterator]();
  const set = (await iterator.next()).value;
  await sleep(20);
  await breakLedger(ledger);
  await t.throwsAsync(async () => await set?.ack(), { code: "ERR_LEDGER_IO" });
  await t.throwsAsync(async () => await set?.ack());
  for (let i = 0; i < 3; i++) {
    await t.throwsAsync(iterator.next(), { code: "ERR_LEDGER_IO" });
  }
  const database = (await findSqlite())(ledger);
  database.exec("ALTER TABLE lost RENAME TO sets");
  database.close();
  await using free = await openLedger(ledger);
  t.is(free.count().done, 0);
});

test("a stage whose ledger fails ends with the reason", async (t) => {
  const { ledger, look } = await fixture();
  const run = runStage(look({ ledger }), () => breakLedger(ledger), { logger: new MemoryLogger() });
  await t.throwsAsync(run, { code: "ERR_LEDGER_IO" });
});

test("what a caller's report throws ends the discovery with that, and not the process", async (t) => {
  const { root, look } = await fixture([]);
  await python.run(`np.save("${root}/a.features.npy", features(3))`);
  const onReport = (): void => {
    throw new Error("from the report");
  };
  await t.throwsAsync(takeKeys(look({ onIncomplete: { afterMs: 20, onReport } })), { message: "from the report" });
});

test.serial("a discovery that is closed while it begins leaves no timer behind", async (t) => {
  const { ledger, look } = await fixture();
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  for (const options of [{}, { ledger }]) {
    const before = timers();
    const found = look(options);
    const next = found[Symbol.asyncIterator]().next();
    await found.close();
    t.true((await next).done);
    t.true(timers() <= before);
  }
});

test.serial("sets in flight of a discovery that is closed are ready for the next one on the same ledger", async (t) => {
  const { ledger, look } = await fixture();
  await using shared = await openLedger(ledger);
  const first = look({ ledger: shared });
  const set = (await first[Symbol.asyncIterator]().next()).value;
  await first.close();
  t.is(shared.count().ready, 1);
  await set?.release();
  await using second = look({ ledger: shared });
  t.is((await takeSets(second, 1)).length, 1);
});

test("a set that is put back while its files are away comes again when they are back", async (t) => {
  const { root, away, ledger, look, move } = await fixture();
  await using shared = await openLedger(ledger);
  await using found = look({ ledger: shared });
  t.is((await takeSets(found, 1)).length, 1);
  const next = takeSets(found, 1);
  await move(root, away);
  while (found.stats().pending > 0 || (await shared.requeue({ key: "nothing" })) > 0) await sleep(10);
  await sleep(150);
  t.is(await shared.requeue({ key: "a" }), 1);
  await move(away, root);
  t.is((await next)[0]?.key, "a");
});

test("putting one set back has that one alone looked at again", async (t) => {
  const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
  const { ledger, look } = await fixture(keys);
  await using shared = await openLedger(ledger);
  await using found = look({ ledger: shared });
  t.is((await takeSets(found, 20)).length, 20);
  t.is(await shared.requeue({ key: "k7" }), 1);
  t.deepEqual(
    (await takeSets(found, 1)).map(({ key }) => key),
    ["k7"],
  );
  t.like([...shared.find()].map(({ deliveries }) => deliveries).sort(), [...new Array(19).fill(1), 2]);
});

test("a set given back after its files became another generation does not stay ready in the ledger", async (t) => {
  const { root, ledger, look } = await fixture();
  await using shared = await openLedger(ledger);
  await using found = look({ ledger: shared });
  const iterator = found[Symbol.asyncIterator]();
  const first = (await iterator.next()).value;
  await python.run(`pair("${root}", "a", 5)`);
  const second = (await iterator.next()).value;
  await first?.release();
  await second?.ack();
  t.deepEqual(
    [...shared.find()].map(({ state }) => state),
    ["done"],
  );
});

test("prune keeps an earlier generation whose files are back, so that it is not delivered again", async (t) => {
  const { root, away, ledger, look, move } = await fixture();
  const run = () => takeKeys(look({ once: true, ledger }));
  t.is((await run()).length, 1);
  await move(root, away);
  await python.run(`pair("${root}", "a", 5)`);
  t.is((await run()).length, 1);
  await move(away, root);
  t.is((await run()).length, 0);
  {
    await using opened = await openLedger(ledger);
    await opened.prune();
  }
  t.is((await run()).length, 0);
});

test("a set that was refused is in quarantine again when a file of it was away", async (t) => {
  const { root, away, look } = await fixture();
  await python.run(`np.save("${root}/a.labels.npy", labels(9))`);
  await using found = look({ sweepMs: 50 });
  const next = found[Symbol.asyncIterator]().next();
  const until = async (count: number): Promise<void> => {
    while (found.quarantined.length !== count) await sleep(10);
  };
  await until(1);
  await rename(join(root, "a.labels.npy"), join(away, "x"));
  await until(0);
  await rename(join(away, "x"), join(root, "a.labels.npy"));
  await until(1);
  await found.close();
  t.true((await next).done);
});

test("with a ledger, content that lies in two roots under the same key is one set where content counts", async (t) => {
  const [one, two] = [await fixture(), await fixture()];
  const options = { roots: [one.root, two.root], ledger: one.ledger, once: true } as const;
  t.is((await takeKeys(one.look({ ...options, verify: "digest", pipeline: "content" }))).length, 1);
  t.is((await takeKeys(one.look({ ...options, pipeline: "state" }))).length, 2);
});

test("orphans that break the contract, or may be preallocated, are delivered no sooner than whole sets are", async (t) => {
  const { root, look } = await fixture([]);
  await python.run(`
np.save("${root}/first.labels.npy", labels(3))
np.save("${root}/wrong.features.npy", np.ones((3, 7)))
np.save("${root}/zeros.labels.npy", np.zeros(3, np.int64))`);
  const found = look({ once: true, settleMs: 300, onIncomplete: { action: "emit" } });
  const sets = await takeSets(found, 9);
  t.deepEqual(sets.map(({ key, missing }) => [key, missing]).sort(), [
    ["first", ["features"]],
    ["zeros", ["features"]],
  ]);
  t.deepEqual(
    found.quarantined.map(({ key }) => key),
    ["wrong"],
  );
  for (const { arrays } of sets) {
    await using labels = await arrays["labels"]?.open();
    t.deepEqual(labels?.shape, [3]);
  }
});
