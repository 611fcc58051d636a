import { NpyError } from "@npystream/codec";

/** What a column of SQLite holds here. */
export type SqlValue = string | number | null;

/** A row by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** A statement that was prepared, run with the values of its `?`. */
export interface SqlStatement {
  run(...values: SqlValue[]): { readonly changes: number | bigint };
  get(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
}

/** The part of an SQLite driver that a ledger needs, which `node:sqlite` and libsql have in common. */
export interface SqlDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqlStatement;
  close(): unknown;
}

/** Opens the database file at a path, made where there is none. */
type OpenDatabase = (path: string) => SqlDatabase;

/** Result codes of SQLite by number (sqlite.org/rescode.html); the low byte of what `node:sqlite` gives. */
const RESULT_CODES: Readonly<Record<number, string>> = {
  5: "SQLITE_BUSY",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  26: "SQLITE_NOTADB",
};

/**
 * Finds a driver: `node:sqlite` where the runtime has it, else libsql, which brings its binary along.
 *
 * @param findBuiltin - Gives `node:sqlite`, where there is one.
 * @param loadLibsql - Loads libsql.
 * @throws NpyError `ERR_LEDGER_DRIVER` where there is neither.
 */
export async function findSqlite(
  findBuiltin: () => NodeSqlite | undefined = builtinSqlite,
  loadLibsql: () => Promise<Libsql> = () => import("libsql"),
): Promise<OpenDatabase> {
  const builtin = findBuiltin();
  if (builtin !== undefined) {
    return (path) => new builtin.DatabaseSync(path);
  }
  try {
    const { default: Database } = await loadLibsql();
    return (path) => openLibsql(Database, path);
  } catch (cause) {
    const message = `a ledger needs node:sqlite (Node 22.13 or newer) or libsql, which cannot be loaded: ${messageOf(cause)}`;
    throw new NpyError("ERR_LEDGER_DRIVER", message, { cause });
  }
}

/** The result code of SQLite that an error of either driver carries, `SQLITE_FULL`; nothing for other errors. */
export function sqliteCode(error: unknown): string {
  if (!(error instanceof Error)) {
    return "";
  }
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === "number") {
    return RESULT_CODES[errcode & 0xff] ?? "SQLITE_ERROR";
  }
  const text = typeof code === "string" && code.startsWith("SQLITE_") ? code : "";
  // libsql gives extended codes by name: SQLITE_IOERR_WRITE.
  return Object.values(RESULT_CODES).find((plain) => text.startsWith(plain)) ?? text;
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** libsql gives no code where it cannot open a file. */
function openLibsql(Database: new (path: string) => SqlDatabase, path: string): SqlDatabase {
  try {
    return new Database(path);
  } catch (cause) {
    throw Object.assign(new Error(messageOf(cause), { cause }), { code: "SQLITE_CANTOPEN" });
  }
}

/** The part of `node:sqlite` that is used. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => SqlDatabase;
}

/** The part of libsql that is used. */
interface Libsql {
  readonly default: new (path: string) => SqlDatabase;
}

function builtinSqlite(): NodeSqlite | undefined {
  // Types of Node 20 know neither of the two, and Node 22 before 22.13 has it behind a flag.
  const { getBuiltinModule } = process as { readonly getBuiltinModule?: (id: string) => NodeSqlite | undefined };
  return getBuiltinModule?.call(process, "node:sqlite");
}
