import { join } from "node:path";
import { currentVersion, withoutDevice } from "./file-version.ts";
import type { LedgerFile } from "./ledger-types.ts";
import type { SqlRow } from "./sqlite.ts";

/** Whether a later generation took the place of a set, in SQL. */
export const IS_REPLACED: string = `EXISTS (
  SELECT 1 FROM sets AS later WHERE later.key = sets.key AND later.pipeline = sets.pipeline
  AND later.root = sets.root AND later.number > sets.number)`;

/**
 * Tells of a row whether its set cannot come again: none of its files is left, or a later generation took its place and
 * they are other files now.
 */
export async function cannotComeAgain(row: SqlRow): Promise<boolean> {
  const root = String(row["root"]);
  // Both were written from these types.
  const files = JSON.parse(String(row["files"])) as LedgerFile[];
  const versions = JSON.parse(String(row["versions"])) as string[];
  let isAnyThere = false;
  let isOther = false;
  for (const [at, { path }] of files.entries()) {
    // What cannot be looked up may be there, and may be the same.
    const version = await currentVersion(join(root, path)).catch(() => versions[at]);
    isAnyThere ||= version !== null;
    isOther ||= version === null || withoutDevice(version ?? "") !== withoutDevice(versions[at] ?? "");
  }
  return !isAnyThere || (Number(row["replaced"]) === 1 && isOther);
}
