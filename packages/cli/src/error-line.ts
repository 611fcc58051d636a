import { getSystemErrorMap } from "node:util";
import { isNpyError } from "@npystream/codec";
import { printable } from "./printable-text.ts";

/** Shorter or clearer than the system's own words. */
const SYSTEM_MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "this is a folder, not a file",
  ENOTDIR: "a part of the path is a file, not a folder",
};

/** What is told of a failure. */
export interface Failure {
  /** That of an `NpyError` or of the system (`ENOENT`); anything else is named by its class. */
  readonly code: string;
  readonly message: string;
  /** Member of the archive it is in, where it is in one. */
  readonly member?: string;
}

/**
 * Takes from a failure what is told of it.
 *
 * @param member - The member that was being read; the error's own goes before it.
 */
export function describeFailure(error: unknown, member?: string): Failure {
  const named = isNpyError(error) ? (error.member ?? member) : member;
  const where = named === undefined ? {} : { member: named };
  // The server of a queue that does not answer is told of as that; of a file, the system's code says more.
  const system = isNpyError(error) && error.code === "ERR_QUEUE_UNAVAILABLE" ? undefined : systemError(error);
  if (system !== undefined) return { ...system, ...where };
  if (isNpyError(error)) return { code: error.code, message: error.message, ...where };
  if (error instanceof Error) return { code: error.name, message: error.message, ...where };
  return { code: "Error", message: String(error), ...where };
}

/**
 * Words a failure as the one line that the command prints, `error CODE path[#member]: message`.
 *
 * @param place - The file as the user named it, `set.npz` or `-`.
 */
export function errorLine(place: string, error: unknown, member?: string): string {
  const { code, message, member: named } = describeFailure(error, member);
  return printable(`error ${code} ${named === undefined ? place : `${place}#${named}`}: ${message}`);
}

function systemError(error: unknown): { readonly code: string; readonly message: string } | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code, errno, message } = at as NodeJS.ErrnoException;
    // zlib numbers its errors too, and as the system's: Z_DATA_ERROR would be "no such process".
    if (code === undefined || errno === undefined || code.startsWith("Z_")) continue;
    const known = SYSTEM_MESSAGES[code] ?? getSystemErrorMap().get(errno)?.[1];
    return { code, message: known ?? message.replace(`${code}: `, "") };
  }
  return undefined;
}
