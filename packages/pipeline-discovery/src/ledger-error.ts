import { NpyError } from "@npystream/codec";
import { messageOf, sqliteCode } from "./sqlite.ts";

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
  const kind = code === "SQLITE_FULL" ? "ERR_WRITE_NO_SPACE" : "ERR_LEDGER_IO";
  return new NpyError(kind, `the ledger cannot be read or written: ${messageOf(error)}`, options);
}
