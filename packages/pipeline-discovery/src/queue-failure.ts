import { isNpyError, NpyError } from "@npystream/codec";

/** `ERR_STAGE_TIMEOUT: the stage took longer`: how a failure stands in a queue. */
const CODED = /^(ERR_[A-Z_]+): ([\s\S]*)$/;
/** Longest text of a failure that goes into a queue. */
const MOST_CHARACTERS = 2000;

/** Writes what an attempt failed with as the text that a queue keeps. */
export function formatFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (isNpyError(error) ? `${error.code}: ${message}` : message).slice(0, MOST_CHARACTERS);
}

/** Reads the text of a failure as the error with which the set is quarantined. */
export function parseFailure(reason: string): NpyError {
  const [, code, message = ""] = CODED.exec(reason) ?? [];
  return code === "ERR_STAGE_TIMEOUT"
    ? new NpyError(code, message)
    : new NpyError("ERR_STAGE_FAILED", `a worker failed with the set: ${reason}`, { cause: new Error(reason) });
}

/** Whether a failure says that a worker did not find the files that were published. */
export function isChangedFailure(reason: string): boolean {
  return CODED.exec(reason)?.[1] === "ERR_SET_CHANGED";
}
