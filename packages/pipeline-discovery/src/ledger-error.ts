import { NpyError } from "@npystream/codec";
import { messageOf, sqliteCode } from "./sqlite.ts";

/** Results of SQLite after which the same change may succeed later. */
const PASSING = ["SQLITE_FULL", "SQLITE_BUSY"];

/** Tells what an error of SQLite means for a ledger; other errors are as they were. */
export function describeLedgerError(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  const options = { path, cause: error };
  if (code === "") {
    return error;
  }
  if (code === "SQLITE_NOTADB") {
    return new NpyError("ERR_LEDGER_VERSION", "the file is no SQLite database", options);
  }
  const kind = PASSING.includes(code) ? "ERR_WRITE_NO_SPACE" : "ERR_LEDGER_IO";
  return new NpyError(kind, `the ledger cannot be read or written: ${messageOf(error)}`, options);
}
