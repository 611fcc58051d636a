import { isNpyError } from "@npystream/codec";
import type { ArraySet } from "./array-set.ts";
import type { EndedJob } from "./queue-engine.ts";
import { isChangedFailure, parseFailure } from "./queue-failure.ts";

/** What has become of a set. */
export type SetEnd = "done" | "failed" | "changed";

/**
 * Settles a set by how its job ended.
 *
 * @throws NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE` where the ledger cannot be written.
 */
export async function settleByJob(set: ArraySet, state: EndedJob): Promise<SetEnd> {
  if (state.kind === "done") {
    await set.ack();
    return "done";
  }
  if (isChangedFailure(state.reason) && !(await isUnchanged(set))) {
    await set.release();
    return "changed";
  }
  await set.quarantine(parseFailure(state.reason));
  return "failed";
}

/**
 * Settles a set that cannot be published.
 *
 * @throws NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE` where the ledger cannot be written.
 */
export async function settleUnpublished(set: ArraySet, error: unknown): Promise<SetEnd> {
  if (isNpyError(error) && error.code === "ERR_SET_CHANGED") {
    await set.release();
    return "changed";
  }
  await set.quarantine(error instanceof Error ? error : new Error(String(error)));
  return "failed";
}

async function isUnchanged(set: ArraySet): Promise<boolean> {
  return await set.verify().then(
    () => true,
    () => false,
  );
}
