import { checkOptionKeys, NpyError } from "@npystream/codec";
import type { RowFields } from "./row-fields.ts";
import { sha256 } from "./sha256.ts";

/** Where an iteration over batches stands: JSON of less than 400 bytes, whatever the number of rows. */
export interface BatchState {
  /** Version of the state and of the orders it may name. */
  readonly version: 1;
  /** Pass over the rows that the next batch belongs to. */
  readonly epoch: number;
  /** Rows of this process that were delivered in that epoch. */
  readonly position: number;
  /** Seed of the order. */
  readonly seed: number;
  /** Order of the rows, with all that it depends on beside rows, seed and epoch. */
  readonly order: string;
  /** Process, number of processes and lanes: `0/2:4`. */
  readonly shard: string;
  /** Number of rows of the dataset. */
  readonly rows: number;
  /** Fields, their types and row shapes; where that is long, a digest of it. */
  readonly fields: string;
  /** Identifies the files: the first half of the dataset's fingerprint. */
  readonly fingerprint: string;
}

/** What of a state is so for the whole run. */
export type RunState = Omit<BatchState, "epoch" | "position" | "version">;

const KEYS = ["version", "epoch", "position", "seed", "order", "shard", "rows", "fields", "fingerprint"];
const MOST_FIELD_CHARACTERS = 100;

/** Says of fields what a batch of them looks like. */
export function describeFields(fields: RowFields): string {
  const text = fields.names
    .map((name) => `${name} ${JSON.stringify(fields.type(name).descr)}[${fields.rowShape(name)}]`)
    .join(", ");
  return Buffer.byteLength(JSON.stringify(text)) <= MOST_FIELD_CHARACTERS ? text : sha256([text]).slice(0, 32);
}

/**
 * Checks that something is a state. Whether it fits a run is {@link checkState}'s.
 *
 * @throws TypeError where it is none; NpyError `ERR_STATE_MISMATCH` where it is of another version.
 */
export function checkStateShape(state: BatchState): void {
  if (typeof state !== "object" || state === null) throw new TypeError("state is what state() of batches gave");
  if (typeof state.version === "number" && state.version !== 1) throw mismatch("version", 1, state.version);
  checkOptionKeys("state", state, KEYS);
  const { epoch, position, seed, rows, order, shard, fields, fingerprint } = state;
  const isCounted = [epoch, position, rows].every((value) => Number.isSafeInteger(value) && value >= 0);
  const isNamed = [order, shard, fields, fingerprint].every((text) => typeof text === "string");
  if (state.version !== 1 || !isCounted || !isNamed || !Number.isSafeInteger(seed) || !/^\d+\/\d+:\d+$/.test(shard)) {
    throw new TypeError("state is what state() of batches gave, complete");
  }
}

/**
 * Checks that a state is of a run like this one.
 *
 * @param resume - Whether the files have to be the very same.
 * @throws NpyError `ERR_STATE_MISMATCH` naming the first difference.
 */
export function checkState(state: BatchState, run: RunState, resume: "same-files" | "same-rows"): void {
  for (const name of ["rows", "fields", "seed", "order"] as const) {
    if (state[name] !== run[name]) throw mismatch(name, run[name], state[name]);
  }
  if (resume === "same-files" && state.fingerprint !== run.fingerprint) {
    throw mismatch(
      "fingerprint",
      run.fingerprint,
      state.fingerprint,
      ": the files were changed, copied or cut otherwise; if the rows are the same, pass resume: 'same-rows'",
    );
  }
}

/** Says what is not as it was. */
export function mismatch(name: string, expected: unknown, found: unknown, hint = ""): NpyError {
  const message = `the state is of a run with ${name} ${JSON.stringify(found)}, this one has ${JSON.stringify(expected)}`;
  return new NpyError("ERR_STATE_MISMATCH", message + hint);
}
