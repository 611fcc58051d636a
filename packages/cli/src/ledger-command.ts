import { stat } from "node:fs/promises";
import { type LedgerQuery, type LedgerState, openLedger } from "@npystream/pipeline-discovery";
import { type CommandIo, textStyle } from "./command-io.ts";
import { LedgerTable } from "./ledger-table.ts";
import type { TextOutput } from "./text-output.ts";
import { UsageError } from "./usage-error.ts";

/** What can be done with a ledger. */
export type LedgerAction = "list" | "requeue" | "forget" | "prune";

/** What `npystream ledger` was asked for. */
export interface LedgerCommandOptions {
  /** States of the sets that are meant. */
  readonly state?: readonly LedgerState[];
  readonly key?: string;
  readonly pipeline?: string;
  /** SHA-256 of one set, or eight of its first digits or more. */
  readonly id?: string;
  /** Every set of the ledger, which has to be said where sets are changed. */
  readonly all?: boolean;
  /** Milliseconds since a set came into its state, for prune. */
  readonly olderThan?: number;
  /** One JSON document a line. */
  readonly json?: boolean;
}

const DONE = { requeue: "requeued", forget: "forgot", prune: "pruned" } as const;

/**
 * Lists the sets of a ledger, also of one that is in use, or changes what it says of them.
 *
 * @throws UsageError where the options do not fit the action; NpyError those of `openLedger`; system errors.
 */
export async function ledger(
  path: string,
  action: LedgerAction,
  options: LedgerCommandOptions,
  io: CommandIo,
  output: TextOutput,
): Promise<void> {
  const query = queryOf(action, options);
  // Opened to be written, one that is not there would be made.
  await stat(path);
  if (action === "list") {
    await list(path, query, options, io, output);
    return;
  }
  await using opened = await openLedger(path);
  const sets =
    action === "prune"
      ? await opened.prune(options.olderThan === undefined ? {} : { olderThanMs: options.olderThan })
      : await opened[action](query);
  const name = options.id === undefined ? options.key : `id ${options.id}`;
  if (sets === 0 && name !== undefined) throw new UsageError(`${path} has no such set: ${name}`);
  const text = `${DONE[action]} ${sets} ${sets === 1 ? "set" : "sets"}`;
  await output.write(options.json === true ? `${JSON.stringify({ path, action, sets })}\n` : `${text}\n`);
}

async function list(
  path: string,
  query: LedgerQuery,
  { json = false }: LedgerCommandOptions,
  io: CommandIo,
  output: TextOutput,
): Promise<void> {
  await using opened = await openLedger(path, { readOnly: true });
  const table = new LedgerTable(textStyle(io).bold);
  for (const entry of opened.find(query)) {
    await output.write(json ? `${JSON.stringify(entry)}\n` : table.add(entry));
  }
  if (!json) await output.write(table.end());
}

function queryOf(action: LedgerAction, options: LedgerCommandOptions): LedgerQuery {
  const { state, key, pipeline, id, all = false, olderThan } = options;
  const query: LedgerQuery = {
    ...(state === undefined ? {} : { state }),
    ...(key === undefined ? {} : { key }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(id === undefined ? {} : { id }),
  };
  if (id !== undefined && !/^[0-9a-f]{8,64}$/i.test(id)) {
    throw new UsageError(`--id is 8 or more of the 64 hexadecimal digits of a set, not ${id}`);
  }
  if (key === "" || pipeline === "") throw new UsageError("--key and --pipeline are not empty");
  const isFiltered = Object.keys(query).length > 0;
  if (olderThan !== undefined && action !== "prune") throw new UsageError("--older-than goes with prune alone");
  if (action === "prune" && (isFiltered || all)) {
    throw new UsageError("prune takes only --older-than: it removes sets that cannot come again, whatever their state");
  }
  if (isFiltered && all) throw new UsageError("--all goes without --state, --key, --pipeline and --id");
  if ((action === "requeue" || action === "forget") && !isFiltered && !all) {
    throw new UsageError(`${action} needs --state, --key, --pipeline or --id, or --all for every set of the ledger`);
  }
  return query;
}
