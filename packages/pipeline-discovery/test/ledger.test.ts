import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { type Ledger, type LedgerState, openLedger } from "../src/index.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";

test.after.always(removeFolders);

const idOf = (number: number): string => number.toString(16).padStart(64, "0");

async function fill(ledger: Ledger, states: readonly LedgerState[], root = "/in", pipeline = "p"): Promise<void> {
  for (const [at, state] of states.entries()) {
    const [id, key] = [idOf(at + 1), `k${at}`];
    const files = [{ role: "x", path: `${key}.x.npy` }];
    ledger.post({
      id,
      state: "ready",
      reason: "",
      set: { pipeline, key, root, generation: id, fields: { key }, files, versions: [], isNew: false },
    });
    await ledger.commit({ id, state, reason: state === "failed" ? "it is broken" : "" });
  }
}

const ALL: readonly LedgerState[] = ["pending", "ready", "claimed", "done", "failed", "quarantined"];

test("a set is found by id, by the beginning of it, by key, pipeline and state, or all of these", async (t) => {
  await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
  await fill(ledger, ALL);
  const keys = (query: object): string[] => [...ledger.find(query)].map(({ key }) => key);
  t.deepEqual(keys({}), ["k0", "k1", "k2", "k3", "k4", "k5"]);
  t.deepEqual(keys({ id: idOf(3) }), ["k2"]);
  t.deepEqual(keys({ id: "00000000" }), ["k0", "k1", "k2", "k3", "k4", "k5"]);
  t.deepEqual(keys({ state: "failed" }), ["k4"]);
  t.deepEqual(keys({ state: ["done", "claimed"] }), ["k2", "k3"]);
  t.deepEqual(keys({ key: "k3", pipeline: "p", state: "done" }), ["k3"]);
  t.deepEqual(keys({ pipeline: "q" }), []);
  t.deepEqual(ledger.count(), { pending: 1, ready: 1, claimed: 1, done: 1, failed: 1, quarantined: 1 });
  const [failed] = ledger.find({ state: "failed" });
  t.like(failed, {
    root: "/in",
    fields: { key: "k4" },
    files: [{ role: "x", path: "k4.x.npy" }],
    reason: "it is broken",
  });
  t.true((failed?.updatedAt.getTime() ?? 0) >= (failed?.createdAt.getTime() ?? Number.NaN));
});

test("what was done last is told of many keys at once, and of a key that the ledger knows otherwise, only that it does", async (t) => {
  await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
  await fill(ledger, ["done", "failed", "done"]);
  const set = { pipeline: "p", key: "k2", root: "/in", generation: "later", fields: {}, files: [], isNew: false };
  const versions = ["v1", "v2"];
  await ledger.commit({ id: idOf(90), state: "done", reason: "", set: { ...set, versions } });
  await ledger.commit({ id: idOf(91), state: "done", reason: "", set: { ...set, pipeline: "q", key: "k3", versions } });
  ledger.post({ id: idOf(92), state: "ready", reason: "", set: { ...set, key: "waits", versions } });
  const last = (root: string, ...keys: string[]): object => Object.fromEntries(ledger.lastDone("p", root, keys));
  t.deepEqual(last("/in", "k0", "k1", "k2", "k3", "waits", "it's"), {
    k0: { generation: idOf(1), versions: [] },
    k1: undefined,
    k2: { generation: "later", versions },
    waits: undefined,
  });
  t.deepEqual(last("/moved", "k0", "k3"), { k0: undefined }, "the same set may have another root");
});

test("more sets than are read at once are found in their order, also while they change", async (t) => {
  await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
  await fill(ledger, new Array<LedgerState>(1201).fill("done"));
  let seen = 0;
  for (const { key, id } of ledger.find({ state: "done" })) {
    t.is(key, `k${seen}`);
    seen += 1;
    await ledger.commit({ id, state: "quarantined", reason: "moved on" });
  }
  t.is(seen, 1201);
  t.is(ledger.count().quarantined, 1201);
});

test("requeue puts back what the query names, and leaves what is taken now", async (t) => {
  await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
  await fill(ledger, ALL);
  t.is(await ledger.requeue({ state: "failed" }), 1);
  t.like([...ledger.find({ key: "k4" })][0], { state: "pending", reason: "" });
  t.is(await ledger.requeue({}), 5);
  t.deepEqual(ledger.count(), { pending: 5, ready: 0, claimed: 1, done: 0, failed: 0, quarantined: 0 });
});

test("forget removes what the query names, and leaves what is taken now", async (t) => {
  await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
  await fill(ledger, ALL);
  t.is(await ledger.forget({ key: "k3" }), 1);
  t.is(await ledger.forget({}), 4);
  t.deepEqual(
    [...ledger.find()].map(({ state }) => state),
    ["claimed"],
  );
});

test("prune removes sets whose files are gone and generations that a later one replaced, and no others", async (t) => {
  const root = makeFolder();
  await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
  await fill(ledger, ["done", "done", "claimed", "done"], root);
  await mkdir(root, { recursive: true });
  await writeFile(join(root, "k1.x.npy"), "");
  await writeFile(join(root, "k3.x.npy"), "");
  const later = {
    pipeline: "p",
    key: "k3",
    root,
    generation: "later",
    fields: {},
    files: [{ role: "x", path: "k3.x.npy" }],
    versions: [],
    isNew: false,
  };
  await ledger.commit({ id: idOf(9), state: "done", reason: "", set: later });
  t.is(await ledger.prune({ olderThanMs: 60_000 }), 0, "all are younger");
  t.is(await ledger.prune(), 2);
  t.deepEqual(
    [...ledger.find()].map(({ key, state }) => [key, state]),
    [
      ["k1", "done"],
      ["k2", "claimed"],
      ["k3", "done"],
    ],
  );
});

test("a generation that was never taken goes when a later one of the same set is ready", async (t) => {
  await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
  await fill(ledger, ["ready", "done"]);
  for (const at of [0, 1]) {
    const set = {
      pipeline: "p",
      key: `k${at}`,
      root: "/in",
      generation: "later",
      fields: {},
      files: [],
      versions: [],
      isNew: false,
    };
    await ledger.commit({ id: idOf(at + 8), state: "ready", reason: "", set });
  }
  t.deepEqual(
    [...ledger.find()].map(({ key, state, id }) => [key, state, Number.parseInt(id, 16)]),
    [
      ["k1", "done", 2],
      ["k0", "ready", 8],
      ["k1", "ready", 9],
    ],
  );
});

const listener = { onReopened: () => undefined, onFailed: () => undefined };

test("one discovery at a time writes the sets of a pipeline", async (t) => {
  await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
  ledger.join("a", listener);
  ledger.join("b", listener);
  t.throws(() => ledger.join("a", listener), {
    instanceOf: TypeError,
    message: /another discovery .* pipeline a/,
  });
  ledger.leave("a");
  t.notThrows(() => ledger.join("a", listener));
});

test("a ledger that is closed says so", async (t) => {
  const ledger = await openLedger(join(makeFolder(), "ledger.db"));
  await ledger.close();
  t.throws(() => [...ledger.find()], { instanceOf: TypeError, message: /closed/ });
  await t.throwsAsync(ledger.forget({ key: "k" }), { instanceOf: TypeError, message: /closed/ });
});

for (const [query, message] of [
  [{ keys: "k" }, /no option keys/],
  [{ id: "0123" }, /at least 8 hexadecimal digits/],
  [{ id: "no digits of hex" }, /at least 8 hexadecimal digits/],
  [{ state: "lost" }, /state must be one of pending, ready/],
  [{ key: "" }, /key must be a text/],
] as const) {
  test(`the query ${JSON.stringify(query)} is refused`, async (t) => {
    await using ledger = await openLedger(join(makeFolder(), "ledger.db"));
    t.throws(() => [...ledger.find(query as object)], { message });
  });
}
