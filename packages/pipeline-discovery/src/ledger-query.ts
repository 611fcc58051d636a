import { checkOptionKeys } from "@npystream/codec";
import {
  type LastDone,
  LEDGER_STATES,
  type LedgerEntry,
  type LedgerFile,
  type LedgerQuery,
  type LedgerState,
} from "./ledger-types.ts";
import { checkChoice } from "./option-checks.ts";
import type { SqlRow, SqlValue } from "./sqlite.ts";

/** A condition of SQL and the values of its `?`. */
export interface SqlCondition {
  readonly where: string;
  readonly values: readonly SqlValue[];
}

/** Shortest beginning of an id that is taken for the whole. */
const SHORTEST_ID = 8;

/**
 * Writes a query as a condition of SQL.
 *
 * @throws TypeError, RangeError for one that cannot be.
 */
export function compileQuery(query: LedgerQuery): SqlCondition {
  checkOptionKeys("a query of a ledger", query, ["id", "pipeline", "key", "state"]);
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  for (const name of ["pipeline", "key"] as const) {
    const value = query[name];
    if (value !== undefined) {
      checkText(name, value);
      conditions.push(`${name} = ?`);
      values.push(value);
    }
  }
  if (query.id !== undefined) {
    checkText("id", query.id);
    if (!/^[0-9a-f]+$/i.test(query.id) || query.id.length < SHORTEST_ID) {
      throw new RangeError(`id must be at least ${SHORTEST_ID} hexadecimal digits, not ${JSON.stringify(query.id)}`);
    }
    const id = query.id.toLowerCase();
    conditions.push("id >= ? AND id < ?");
    // Behind every hexadecimal digit comes g.
    values.push(id, `${id}g`);
  }
  if (query.state !== undefined) {
    const states = [query.state].flat();
    for (const state of states) {
      checkChoice("state", state, LEDGER_STATES);
    }
    conditions.push(`state IN (${states.map(() => "?").join(", ")})`);
    values.push(...states);
  }
  return { where: conditions.length === 0 ? "TRUE" : conditions.join(" AND "), values };
}

/** Reads a row of the table of sets. */
export function readEntry(row: SqlRow): LedgerEntry {
  return {
    id: String(row["id"]),
    pipeline: String(row["pipeline"]),
    key: String(row["key"]),
    root: String(row["root"]),
    generation: String(row["generation"]),
    // The table's own check lets nothing else in, and what stands as JSON was written from these types.
    state: row["state"] as LedgerState,
    deliveries: Number(row["deliveries"]),
    fields: JSON.parse(String(row["fields"])) as LedgerEntry["fields"],
    files: JSON.parse(String(row["files"])) as LedgerFile[],
    reason: String(row["reason"]),
    createdAt: new Date(Number(row["created_at"])),
    updatedAt: new Date(Number(row["updated_at"])),
  };
}

/** Reads what a row says that was done. */
export function readLastDone({ generation, versions }: SqlRow): LastDone {
  return { generation: String(generation), versions: JSON.parse(String(versions)) as string[] };
}

function checkText(name: string, value: unknown): void {
  if (typeof value !== "string" || value === "") {
    throw new TypeError(`${name} must be a text that is not empty`);
  }
}
