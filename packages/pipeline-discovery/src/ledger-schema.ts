import { NpyError } from "@npystream/codec";
import type { SqlDatabase, SqlRow } from "./sqlite.ts";

/** Version of the tables, in `PRAGMA user_version`. */
const LEDGER_VERSION = 1;

/** Says that a database is a ledger, in `PRAGMA application_id`: "npyL" in ASCII. */
const APPLICATION_ID = 0x6e70794c;

const TABLES = `
CREATE TABLE ledger (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sets (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  root TEXT NOT NULL,
  generation TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'claimed', 'done', 'failed', 'quarantined')),
  deliveries INTEGER NOT NULL DEFAULT 0,
  fields TEXT NOT NULL,
  files TEXT NOT NULL,
  versions TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE INDEX sets_by_key ON sets (key, pipeline);
CREATE INDEX sets_by_state ON sets (state);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${LEDGER_VERSION};
`;

/**
 * Makes the tables in an empty database, and checks that another is a ledger that this release can read.
 *
 * @throws NpyError `ERR_LEDGER_VERSION`
 */
export function prepareSchema(database: SqlDatabase, path: string): void {
  if (isEmpty(database)) {
    database.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT`);
    return;
  }
  checkSchema(database, path);
}

/**
 * Checks that a database is a ledger that this release can read.
 *
 * @throws NpyError `ERR_LEDGER_VERSION`
 */
export function checkSchema(database: SqlDatabase, path: string): void {
  if (pragma(database, "application_id") !== APPLICATION_ID) {
    throw new NpyError("ERR_LEDGER_VERSION", "this SQLite database is no ledger of npystream", { path });
  }
  const version = pragma(database, "user_version");
  if (version !== LEDGER_VERSION) {
    const message = `the ledger has version ${version} and this release reads version ${LEDGER_VERSION}`;
    throw new NpyError("ERR_LEDGER_VERSION", message, { path });
  }
}

function isEmpty(database: SqlDatabase): boolean {
  const row = database.prepare("SELECT count(*) AS tables FROM sqlite_master").get() as SqlRow;
  return row["tables"] === 0;
}

function pragma(database: SqlDatabase, name: string): unknown {
  return (database.prepare(`PRAGMA ${name}`).get() as SqlRow | undefined)?.[name];
}
