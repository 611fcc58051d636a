import type { SqlDatabase } from "../../src/sqlite.ts";

/** A database that refuses to begin a transaction with the error that is set, as SQLite does when the disk is full. */
export class RefusingDatabase implements SqlDatabase {
  /** What is refused with; nothing lets everything through. */
  error: Error | undefined;
  /** How many transactions were begun. */
  transactions = 0;
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  exec(sql: string): unknown {
    if (sql.startsWith("BEGIN")) {
      this.transactions += 1;
      if (this.error !== undefined) {
        throw this.error;
      }
    }
    return this.#database.exec(sql);
  }

  prepare(sql: string) {
    return this.#database.prepare(sql);
  }

  close(): void {
    this.#database.close();
  }
}

/** An error as libsql gives it. */
export function sqliteError(code: string): Error {
  return Object.assign(new Error(`refused with ${code}`), { code });
}
