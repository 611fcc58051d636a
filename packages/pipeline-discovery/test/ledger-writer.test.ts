import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { prepareSchema } from "../src/ledger-schema.ts";
import type { LedgerChange, LedgerState } from "../src/ledger-types.ts";
import { LedgerWriter } from "../src/ledger-writer.ts";
import { findSqlite, type SqlRow } from "../src/sqlite.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { RefusingDatabase, sqliteError } from "./helpers/refusing-sqlite.ts";

test.after.always(removeFolders);

const ready = (id: string) => ({
  id,
  state: "ready" as const,
  reason: "",
  set: { pipeline: "p", key: id, root: "/in", generation: id, fields: {}, files: [], versions: [], isNew: false },
});

async function open() {
  const path = join(makeFolder(), "ledger.db");
  const database = new RefusingDatabase((await findSqlite())(path));
  prepareSchema(database, path);
  database.transactions = 0;
  const logger = new MemoryLogger();
  const writer = new LedgerWriter(database, path, logger);
  const states = (): unknown[] => {
    const rows = database.prepare("SELECT key, state, deliveries FROM sets ORDER BY number").all() as SqlRow[];
    return rows.map(({ key, state, deliveries }) => [key, state, deliveries]);
  };
  return { database, logger, writer, states };
}

test("what has gathered is written in one transaction, in its order", async (t) => {
  const { database, writer, states } = await open();
  writer.post(ready("a"));
  writer.post(ready("b"));
  writer.post({ id: "a", state: "claimed", reason: "" });
  await writer.commit({ id: "a", state: "done", reason: "" });
  t.is(database.transactions, 1);
  t.deepEqual(states(), [
    ["a", "done", 1],
    ["b", "ready", 0],
  ]);
  writer.close();
});

test("changes of one set that gather come to the same as if each were written by itself", async (t) => {
  const given = (id: string, state: LedgerState) => ({ id, state, reason: state === "failed" ? "why" : "" });
  const newer = { ...ready("b"), set: { ...ready("b").set, key: "a" } };
  const stories: LedgerChange[][] = [
    [ready("a"), given("a", "claimed"), given("a", "done")],
    [ready("a"), given("a", "claimed"), given("a", "ready"), given("a", "claimed"), given("a", "failed")],
    [ready("a"), given("a", "claimed"), newer, given("a", "ready"), given("b", "claimed")],
    [ready("a"), given("a", "claimed"), newer, given("a", "done"), given("b", "claimed"), given("b", "done")],
    [ready("a"), newer, given("b", "claimed"), given("b", "failed")],
    [ready("a"), given("a", "claimed"), newer, given("a", "failed"), given("b", "claimed"), given("b", "done")],
    [ready("a"), given("a", "claimed"), given("a", "done"), ready("a"), given("a", "claimed")],
  ];
  for (const story of stories) {
    const [together, apart] = [await open(), await open()];
    for (const change of story) {
      together.writer.post(change);
      apart.writer.post(change);
      apart.writer.flush();
    }
    together.writer.flush();
    t.deepEqual(together.states(), apart.states(), JSON.stringify(story.map(({ id, state }) => [id, state])));
    together.writer.close();
    apart.writer.close();
  }
});

test("while the disk is full changes wait, are told of once, and are written when there is room", async (t) => {
  const { database, logger, writer, states } = await open();
  database.error = sqliteError("SQLITE_FULL");
  const written = writer.commit(ready("a"));
  while (database.transactions < 3) {
    await sleep(10);
  }
  t.true(writer.isStuck);
  t.deepEqual(states(), []);
  database.error = undefined;
  await written;
  t.false(writer.isStuck);
  t.deepEqual(states(), [["a", "ready", 0]]);
  t.deepEqual(logger.messages("warn"), ["the ledger cannot be written now; it is tried again"]);
  writer.close();
});

test("a disk that is still full at the end loses nothing silently", async (t) => {
  const { database, writer } = await open();
  database.error = sqliteError("SQLITE_FULL");
  const written = writer.commit(ready("a"));
  const refused = t.throwsAsync(written, { code: "ERR_WRITE_NO_SPACE" });
  t.throws(() => writer.close(), { code: "ERR_WRITE_NO_SPACE" });
  await refused;
});

test("a fault of the disk ends the writing for good, also for whoever comes later", async (t) => {
  const { database, writer } = await open();
  database.error = sqliteError("SQLITE_IOERR_WRITE");
  await t.throwsAsync(writer.commit(ready("a")), { code: "ERR_LEDGER_IO" });
  database.error = undefined;
  t.throws(() => writer.post(ready("b")), { code: "ERR_LEDGER_IO" });
  await t.throwsAsync(writer.commit(ready("b")), { code: "ERR_LEDGER_IO" });
});

test("a write that was asked for and failed is tried again all the same", async (t) => {
  const { database, writer, states } = await open();
  database.error = sqliteError("SQLITE_FULL");
  const written = writer.commit(ready("a"));
  t.throws(() => writer.flush(), { code: "ERR_WRITE_NO_SPACE" });
  database.error = undefined;
  await written;
  t.false(writer.isStuck);
  t.deepEqual(states(), [["a", "ready", 0]]);
});
