import { lstat, mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { checkOptionKeys, type Logger, NpyError } from "@npystream/codec";
import { Ledger } from "./ledger.ts";
import { describeLedgerError } from "./ledger-error.ts";
import { lockLedger, thisProcess } from "./ledger-lock.ts";
import { checkSchema, prepareSchema } from "./ledger-schema.ts";
import { LedgerWriter } from "./ledger-writer.ts";
import { defaultLogger } from "./logging.ts";
import { findSqlite, messageOf, type SqlDatabase, type SqlRow } from "./sqlite.ts";

/** Options of {@link openLedger}. */
export interface LedgerOptions {
  /** Whether only to read, which goes also while another process uses the ledger. @defaultValue `false` */
  readonly readOnly?: boolean;
  /** Takes what is logged. @defaultValue pino at level `warn`, on standard error */
  readonly logger?: Logger;
}

/** How long a reader waits for a writer to end its commit. */
const BUSY_MS = 5000;

/**
 * Opens the ledger at `path`, and makes it where there is none.
 *
 * @throws NpyError `ERR_LEDGER_LOCKED` where it is in use already; `ERR_LEDGER_VERSION`, `ERR_LEDGER_DRIVER`,
 *   `ERR_LEDGER_IO`; TypeError for options that cannot be.
 *
 * @example
 * await using ledger = await openLedger('state/ledger.db');
 * for (const { key, reason } of ledger.find({ state: 'failed' })) console.log(key, reason);
 * await ledger.requeue({ state: 'failed' });
 */
export async function openLedger(path: string, options: LedgerOptions = {}): Promise<Ledger> {
  checkOptionKeys("openLedger", options, ["readOnly", "logger"]);
  if (typeof path !== "string" || path === "") {
    throw new TypeError("a ledger is named by the path of its file");
  }
  const { readOnly = false, logger = defaultLogger() } = options;
  const absolute = resolve(path);
  const openDatabase = await findSqlite();
  if (readOnly) {
    await expectFile(absolute);
    return openAnd(absolute, openDatabase, (database) => {
      checkSchema(database, absolute);
      database.exec("PRAGMA query_only = 1");
      return new Ledger({ path: absolute, database, lock: undefined, writer: undefined });
    });
  }
  await mkdir(dirname(absolute), { recursive: true });
  return openAnd(absolute, openDatabase, (database) => {
    // A file that is no database is refused before a lock is laid beside it.
    database.prepare("PRAGMA schema_version").get();
    const lock = lockLedger(absolute, openDatabase, () => holderOf(database));
    try {
      database.exec("PRAGMA journal_mode = WAL");
      database.exec("PRAGMA synchronous = FULL");
      prepareSchema(database, absolute);
      database.prepare("INSERT OR REPLACE INTO ledger (name, value) VALUES ('holder', ?)").run(thisProcess());
      // Nobody else works on them: whoever took them is gone.
      database.prepare("UPDATE sets SET state = 'ready', updated_at = ? WHERE state = 'claimed'").run(Date.now());
      return new Ledger({ path: absolute, database, lock, writer: new LedgerWriter(database, absolute, logger) });
    } catch (error) {
      lock.unlock();
      throw error;
    }
  });
}

function openAnd(
  path: string,
  openDatabase: (path: string) => SqlDatabase,
  prepare: (database: SqlDatabase) => Ledger,
): Ledger {
  let database: SqlDatabase | undefined;
  try {
    database = openDatabase(path);
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    return prepare(database);
  } catch (error) {
    database?.close();
    throw describeLedgerError(error, path);
  }
}

async function expectFile(path: string): Promise<void> {
  await lstat(path).catch((cause: unknown) => {
    throw new NpyError("ERR_LEDGER_IO", `there is no ledger: ${messageOf(cause)}`, { path, cause });
  });
}

/** Names who holds the lock, as far as that can be read. */
function holderOf(database: SqlDatabase): string {
  try {
    const row = database.prepare("SELECT value FROM ledger WHERE name = 'holder'").get() as SqlRow | undefined;
    return String(row?.["value"] ?? "");
  } catch {
    // A ledger that is just being made has no tables yet, and the message does without.
    return "";
  }
}
