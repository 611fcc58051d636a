import { checkOptionKeys } from "@npystream/codec";
import { describeLedgerError } from "./ledger-error.ts";
import { cannotComeAgain, IS_REPLACED } from "./ledger-pruning.ts";
import { compileQuery, readEntry, readLastDone } from "./ledger-query.ts";
import type {
  LastDone,
  LedgerChange,
  LedgerEntry,
  LedgerListener,
  LedgerQuery,
  LedgerState,
  PruneOptions,
} from "./ledger-types.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import { checkDuration } from "./option-checks.ts";
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from "./sqlite.ts";

/** What a ledger is made of. */
export interface LedgerParts {
  /** Absolute path of the file. */
  readonly path: string;
  readonly database: SqlDatabase;
  /** Nothing where it is only read. */
  readonly lock: { unlock(): void } | undefined;
  readonly writer: LedgerWriter | undefined;
}

/** Entries that are read at once. */
const PAGE = 500;
/** Columns that make up an entry. */
const ENTRY = `number, id, pipeline, key, root, generation, state, deliveries, fields, files, reason, created_at, updated_at`;

/**
 * What has become of every set: one SQLite file, which survives the process that writes it at any time. Made by
 * {@link openLedger}.
 */
export class Ledger implements AsyncDisposable {
  /** Absolute path of the file. */
  readonly path: string;
  readonly #database: SqlDatabase;
  readonly #lock: { unlock(): void } | undefined;
  readonly #writer: LedgerWriter | undefined;
  readonly #stateOf: SqlStatement;
  readonly #lastOf: SqlStatement;
  readonly #pipelines = new Map<string, LedgerListener>();
  #isClosed = false;

  /** @internal */
  constructor({ path, database, lock, writer }: LedgerParts) {
    this.path = path;
    this.#database = database;
    this.#lock = lock;
    this.#writer = writer;
    if (writer !== undefined) {
      writer.onFailed = (error) => {
        for (const { onFailed } of this.#pipelines.values()) {
          onFailed(error);
        }
      };
    }
    this.#stateOf = database.prepare("SELECT state, reason FROM sets WHERE id = ?");
    this.#lastOf = database.prepare(`
      SELECT asked.value AS key, state, generation, versions FROM json_each(?) AS asked
      LEFT JOIN sets AS last ON last.number = (
        SELECT number FROM sets WHERE key = asked.value AND pipeline = ? AND root = ? ORDER BY number DESC LIMIT 1)
      WHERE EXISTS (SELECT 1 FROM sets WHERE key = asked.value AND pipeline = ?)`);
  }

  /** Whether changes wait because the disk is full. */
  get isStuck(): boolean {
    return this.#writer?.isStuck ?? false;
  }

  /** Whether nothing can be written any more, because of a fault of the disk. */
  get isLost(): boolean {
    return this.#writer?.isLost ?? false;
  }

  /**
   * Looks sets up, in the order in which they were found.
   *
   * @throws TypeError, RangeError for a query that cannot be; NpyError `ERR_LEDGER_IO`.
   */
  *find(query: LedgerQuery = {}): Generator<LedgerEntry, undefined> {
    const { where, values } = compileQuery(query);
    this.#writer?.catchUp();
    const statement = this.#run(() => {
      return this.#database.prepare(
        `SELECT ${ENTRY} FROM sets WHERE number > ? AND ${where} ORDER BY number LIMIT ${PAGE}`,
      );
    });
    for (let last = 0; ; ) {
      const rows = this.#run(() => statement.all(last, ...values)) as SqlRow[];
      for (const row of rows) {
        yield readEntry(row);
        last = Number(row["number"]);
      }
      if (rows.length < PAGE) {
        return;
      }
    }
  }

  /** Counts sets by their state. */
  count(): Readonly<Record<LedgerState, number>> {
    this.#writer?.catchUp();
    const counts = { pending: 0, ready: 0, claimed: 0, done: 0, failed: 0, quarantined: 0 };
    const rows = this.#run(() =>
      this.#database.prepare("SELECT state, count(*) AS sets FROM sets GROUP BY state").all(),
    );
    for (const row of rows as SqlRow[]) {
      counts[row["state"] as LedgerState] = Number(row["sets"]);
    }
    return counts;
  }

  /**
   * Puts sets back, to be delivered again: at once by a discovery that uses this ledger, else when they are found the next
   * time. Sets that are taken now stay so. Gives how many were put back.
   *
   * @throws TypeError, RangeError for a query that cannot be; NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE`.
   */
  async requeue(query: LedgerQuery): Promise<number> {
    const { where, values } = compileQuery(query);
    return this.#reopen(
      `UPDATE sets SET state = 'pending', reason = '', updated_at = ? WHERE state != 'claimed' AND ${where}`,
      [Date.now(), ...values],
    );
  }

  /**
   * Removes sets, as if they had never been found. Gives how many there were. Those whose files are still there are new
   * when they are found the next time.
   *
   * @throws TypeError, RangeError for a query that cannot be; NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE`.
   */
  async forget(query: LedgerQuery): Promise<number> {
    const { where, values } = compileQuery(query);
    return this.#reopen(`DELETE FROM sets WHERE state != 'claimed' AND ${where}`, values);
  }

  /**
   * Removes sets that cannot come again, unless they are taken now: those of which no file is left, and generations that a
   * later one took the place of. Gives how many there were.
   *
   * @throws TypeError, RangeError for options that cannot be; NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE`.
   */
  async prune(options: PruneOptions = {}): Promise<number> {
    checkOptionKeys("prune", options, ["olderThanMs"]);
    const { olderThanMs = 0 } = options;
    checkDuration("olderThanMs", olderThanMs);
    const before = Date.now() - olderThanMs;
    const statement = this.#run(() => {
      return this.#database.prepare(
        `SELECT number, id, root, files, versions, ${IS_REPLACED} AS replaced FROM sets
        WHERE number > ? AND state != 'claimed' AND updated_at <= ? ORDER BY number LIMIT ${PAGE}`,
      );
    });
    let removed = 0;
    this.#expectWriter().flush();
    for (let last = 0, isDone = false; !isDone; ) {
      const rows = this.#run(() => statement.all(last, before)) as SqlRow[];
      for (const row of rows) {
        last = Number(row["number"]);
        if (await cannotComeAgain(row)) {
          removed += this.#change("DELETE FROM sets WHERE id = ? AND state != 'claimed'", [String(row["id"])]).length;
        }
      }
      isDone = rows.length < PAGE;
    }
    return removed;
  }

  /**
   * Has one discovery at a time write the sets of a pipeline.
   *
   * @throws TypeError where another one does.
   * @internal
   */
  join(pipeline: string, listener: LedgerListener): void {
    this.#expectWriter();
    if (this.#pipelines.has(pipeline)) {
      throw new TypeError(
        `another discovery uses the ledger for the pipeline ${pipeline}; give one another \`pipeline\``,
      );
    }
    this.#pipelines.set(pipeline, listener);
  }

  /**
   * Gives back what is still taken of a pipeline, which nobody works on any more.
   *
   * @throws NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE` where that cannot be written.
   * @internal
   */
  leave(pipeline: string): void {
    if (this.#pipelines.delete(pipeline) && !this.#isClosed) {
      const sql = "UPDATE sets SET state = 'ready', updated_at = ? WHERE state = 'claimed' AND pipeline = ?";
      this.#change(sql, [Date.now(), pipeline]);
    }
  }

  /** What is known of one generation of a set, and why it is so. @internal */
  recall(id: string): { readonly state: LedgerState; readonly reason: string } | undefined {
    const row = this.#run(() => this.#stateOf.get(id)) as SqlRow | undefined;
    return row === undefined ? undefined : { state: row["state"] as LedgerState, reason: String(row["reason"]) };
  }

  /**
   * What is known of sets by their keys: the generation that was found last below a root and the versions of its files, where
   * that is done. Keys of which nothing is known at all are left out.
   *
   * @internal
   */
  lastDone(pipeline: string, root: string, keys: readonly string[]): Map<string, LastDone | undefined> {
    const rows = this.#run(() => this.#lastOf.all(JSON.stringify(keys), pipeline, root, pipeline)) as SqlRow[];
    const known = new Map<string, LastDone | undefined>(
      keys.filter((key) => this.#writer?.hasWaiting(key)).map((key) => [key, undefined]),
    );
    for (const row of rows) {
      known.set(String(row["key"]), row["state"] === "done" ? readLastDone(row) : undefined);
    }
    return known;
  }

  /** @internal */
  post(change: LedgerChange): void {
    this.#expectWriter().post(change);
  }

  /** @internal */
  async commit(change: LedgerChange): Promise<void> {
    await this.#expectWriter().commit(change);
  }

  /**
   * Writes what still waits and closes the file. Closing twice is harmless.
   *
   * @throws NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE` where it cannot be written.
   */
  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    try {
      this.#writer?.close();
      if (this.#writer !== undefined) {
        this.#database.exec("DELETE FROM ledger WHERE name = 'holder'");
      }
    } catch (error) {
      throw describeLedgerError(error, this.path);
    } finally {
      this.#database.close();
      this.#lock?.unlock();
    }
  }

  /** Closes the ledger at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #reopen(sql: string, values: readonly SqlValue[]): number {
    const changed = this.#change(sql, values);
    for (const { pipeline, root, key } of changed) {
      this.#pipelines.get(String(pipeline))?.onReopened(String(root), String(key));
    }
    return changed.length;
  }

  /** Changes sets, and gives of each pipeline, root and key. */
  #change(sql: string, values: readonly SqlValue[]): SqlRow[] {
    this.#expectWriter().flush();
    return this.#run(() => this.#database.prepare(`${sql} RETURNING pipeline, root, key`).all(...values) as SqlRow[]);
  }

  #expectWriter(): LedgerWriter {
    this.#expectOpen();
    if (this.#writer === undefined) {
      throw new TypeError("the ledger was opened to be read only");
    }
    return this.#writer;
  }

  #run<T>(action: () => T): T {
    this.#expectOpen();
    try {
      return action();
    } catch (error) {
      throw describeLedgerError(error, this.path);
    }
  }

  #expectOpen(): void {
    if (this.#isClosed) {
      throw new TypeError("the ledger is closed");
    }
  }
}
