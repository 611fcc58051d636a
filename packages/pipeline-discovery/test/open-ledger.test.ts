import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { openLedger } from "../src/index.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";

const holder = join(import.meta.dirname, "programs", "ledger-holder.ts");

test.after.always(removeFolders);

async function holdLedger(path: string): Promise<ChildProcess> {
  const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`];
  const child = spawn(process.execPath, [...node, holder, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout ?? child, "data");
  return child;
}

test("a ledger is made with its folders, and is one file that sqlite3 of Python reads", async (t) => {
  const path = join(makeFolder(), "state", "of", "ledger.db");
  await using ledger = await openLedger(path);
  t.is(ledger.path, path);
  const change = { id: "a".repeat(64), state: "ready", reason: "" } as const;
  const set = {
    pipeline: "p",
    key: "k",
    root: "/in",
    generation: "b".repeat(64),
    fields: { key: "k" },
    files: [],
    versions: [],
    isNew: false,
  };
  await ledger.commit({ ...change, set });
  const code = `
import sqlite3, json
db = sqlite3.connect("file:${path}?mode=ro", uri=True)
print(json.dumps(db.execute("SELECT key, state, fields FROM sets").fetchall()))`;
  const { stdout } = await promisify(execFile)("python3", ["-c", code]);
  t.deepEqual(JSON.parse(stdout), [["k", "ready", '{"key":"k"}']]);
});

test("another process that uses the ledger is named, reading goes all the same, and the lock goes with the process", async (t) => {
  const path = join(makeFolder(), "ledger.db");
  const child = await holdLedger(path);
  const error = await t.throwsAsync(openLedger(path), { code: "ERR_LEDGER_LOCKED" });
  t.regex(error?.message ?? "", new RegExp(`process ${child.pid} on `));
  {
    await using reader = await openLedger(path, { readOnly: true });
    t.deepEqual(
      [...reader.find()].map(({ key, state }) => [key, state]),
      [["taken", "claimed"]],
    );
    await t.throwsAsync(reader.requeue({}), { instanceOf: TypeError, message: /read only/ });
  }
  child.kill("SIGKILL");
  await once(child, "close");
  await using ledger = await openLedger(path);
  t.deepEqual(
    [...ledger.find()].map(({ key, state, deliveries }) => [key, state, deliveries]),
    [["taken", "ready", 1]],
    "what the dead process had taken is ready again",
  );
});

test("a ledger that is open in this process is refused, and is free again once it is closed", async (t) => {
  const path = join(makeFolder(), "ledger.db");
  const first = await openLedger(path);
  await t.throwsAsync(openLedger(path), { code: "ERR_LEDGER_LOCKED" });
  await first.close();
  await first.close();
  await using second = await openLedger(path);
  t.deepEqual(second.count(), { pending: 0, ready: 0, claimed: 0, done: 0, failed: 0, quarantined: 0 });
});

test("what is no ledger, or one of another version, is refused and stays as it is", async (t) => {
  const folder = makeFolder();
  const text = join(folder, "text.db");
  await writeFile(text, "not a database, but longer than the header of one is".repeat(20));
  await t.throwsAsync(openLedger(text), { code: "ERR_LEDGER_VERSION", message: /no SQLite database/ });
  const code = `
import sqlite3
db = sqlite3.connect("${folder}/other.db"); db.execute("CREATE TABLE t (x)"); db.commit()`;
  await promisify(execFile)("python3", ["-c", code]);
  await t.throwsAsync(openLedger(join(folder, "other.db")), { code: "ERR_LEDGER_VERSION", message: /no ledger/ });
  await (await openLedger(join(folder, "new.db"))).close();
  const raise = `import sqlite3; db = sqlite3.connect("${folder}/new.db"); db.execute("PRAGMA user_version = 2"); db.commit()`;
  await promisify(execFile)("python3", ["-c", raise]);
  await t.throwsAsync(openLedger(join(folder, "new.db")), {
    code: "ERR_LEDGER_VERSION",
    message: /version 2 and this release reads version 1/,
  });
});

test("to read a ledger that is not there makes none, and a path that cannot be is a fault of the disk", async (t) => {
  const folder = makeFolder();
  const path = join(folder, "none.db");
  await t.throwsAsync(openLedger(path, { readOnly: true }), { code: "ERR_LEDGER_IO", message: /there is no ledger/ });
  t.false(existsSync(path));
  await t.throwsAsync(openLedger(folder), { code: "ERR_LEDGER_IO" });
});

for (const [what, open] of [
  ["no path", () => openLedger("")],
  ["a path that is no text", () => openLedger(7 as unknown as string)],
  ["an option that there is not", () => openLedger("x.db", { readonly: true } as object)],
] as const) {
  test(`openLedger refuses ${what}`, async (t) => {
    await t.throwsAsync(open, { instanceOf: TypeError });
  });
}
