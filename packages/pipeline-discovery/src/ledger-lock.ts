import { hostname } from "node:os";
import { NpyError } from "@npystream/codec";
import { type SqlDatabase, sqliteCode } from "./sqlite.ts";

/** What the lock's file is called: the ledger's name and this. */
const LOCK_SUFFIX = "-lock";

/**
 * Keeps other processes from a ledger by a lock that the system drops when the process is gone, however it went.
 *
 * The lock is one of SQLite on a file of its own beside the ledger, so that the ledger itself stays readable meanwhile.
 *
 * @param holder - Tells who holds the lock, for the message, as far as the ledger says.
 * @throws NpyError `ERR_LEDGER_LOCKED`
 */
export function lockLedger(
  path: string,
  openDatabase: (path: string) => SqlDatabase,
  holder: () => string,
): { unlock(): void } {
  const lock = openDatabase(path + LOCK_SUFFIX);
  try {
    lock.exec("PRAGMA busy_timeout = 0");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    if (sqliteCode(cause) === "SQLITE_BUSY") {
      const by = holder();
      const message = `the ledger is in use by ${by === "" ? "another process" : by}; one process at a time may use it`;
      throw new NpyError("ERR_LEDGER_LOCKED", message, { path, cause });
    }
    throw cause;
  }
  return {
    unlock: () => {
      lock.exec("ROLLBACK");
      lock.close();
    },
  };
}

/** How a process is named to others that find its lock. */
export function thisProcess(): string {
  return `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}`;
}
