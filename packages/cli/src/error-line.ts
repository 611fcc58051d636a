import { getSystemErrorMap } from "node:util";
import { isNpyError } from "@npystream/codec";
import { printable } from "./printable-text.ts";

/** Shorter or clearer than the system's own words. */
const SYSTEM_MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "this is a folder, not a file",
  ENOTDIR: "a part of the path is a file, not a folder",
};

/**
 * Words a failure as the one line that the command prints, `error CODE path[#member]: message`.
 *
 * The code is that of an `NpyError` or of the system (`ENOENT`); anything else is named by its class.
 *
 * @param place - The file as the user named it, `set.npz` or `-`.
 */
export function errorLine(place: string, error: unknown, member?: string): string {
  const system = systemError(error);
  const named = isNpyError(error) ? (error.member ?? member) : member;
  const where = named === undefined ? place : `${place}#${named}`;
  if (system !== undefined) return line(system.code, where, system.message);
  if (isNpyError(error)) return line(error.code, where, error.message);
  if (error instanceof Error) return line(error.name, where, error.message);
  return line("Error", where, String(error));
}

function line(code: string, where: string, message: string): string {
  return printable(`error ${code} ${where}: ${message}`);
}

function systemError(error: unknown): { readonly code: string; readonly message: string } | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code, errno, message } = at as NodeJS.ErrnoException;
    if (code === undefined || errno === undefined) continue;
    const known = SYSTEM_MESSAGES[code] ?? getSystemErrorMap().get(errno)?.[1];
    return { code, message: known ?? message.replace(`${code}: `, "") };
  }
  return undefined;
}
