import test from "ava";
import { findSqlite, messageOf, sqliteCode } from "../src/sqlite.ts";

test("a driver is found, and its errors carry the result codes of SQLite", async (t) => {
  const open = await findSqlite();
  const database = open(":memory:");
  database.exec("CREATE TABLE t (x UNIQUE)");
  t.is(Number(database.prepare("INSERT INTO t VALUES (?)").run("a").changes), 1);
  t.like(database.prepare("SELECT x FROM t").get(), { x: "a" });
  t.is(database.prepare("SELECT x FROM t WHERE x = ?").all("b").length, 0);
  t.is(
    codeOf(() => database.exec("SELECT nothing FROM nowhere")),
    "SQLITE_ERROR",
  );
  t.is(
    codeOf(() => open("/")),
    "SQLITE_CANTOPEN",
  );
  database.close();
});

/** Errors of libsql are no native ones, which AVA asks for. */
function codeOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return sqliteCode(error);
  }
}

test("where there is no driver the error says what would be one, and why it is not", async (t) => {
  const missing = findSqlite(
    () => undefined,
    () => Promise.reject(new Error("no binary for this platform")),
  );
  await t.throwsAsync(missing, { code: "ERR_LEDGER_DRIVER", message: /22\.13.*no binary for this platform/ });
});

for (const [what, fields, code] of [
  ["libsql", { code: "SQLITE_FULL" }, "SQLITE_FULL"],
  ["libsql, extended", { code: "SQLITE_IOERR_WRITE" }, "SQLITE_IOERR"],
  ["node:sqlite", { code: "ERR_SQLITE_ERROR", errcode: 13 }, "SQLITE_FULL"],
  ["node:sqlite, extended", { code: "ERR_SQLITE_ERROR", errcode: 10 | (3 << 8) }, "SQLITE_IOERR"],
  ["node:sqlite, any other", { code: "ERR_SQLITE_ERROR", errcode: 1 }, "SQLITE_ERROR"],
  ["the file system", { code: "ENOENT" }, ""],
] as const) {
  test(`an error of ${what} has the code ${code === "" ? "of none" : code}`, (t) => {
    t.is(sqliteCode(Object.assign(new Error("refused"), fields)), code);
  });
}

test("what is no error has no code, and says what it is", (t) => {
  t.is(sqliteCode("text"), "");
  t.is(messageOf("text"), "text");
});
