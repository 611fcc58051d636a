import { hash } from "node:crypto";
import type { ArrayFacts } from "./completeness.ts";
import { withoutDevice } from "./file-version.ts";

/**
 * Tells this state of a set's files from any other: SHA-256 in hex of what each file is, and of the headers.
 *
 * @param files - Versions of the files, or digests of their content, in the order of the roles.
 */
export function generationOf(files: readonly string[], arrays: ReadonlyMap<string, ArrayFacts>): string {
  const headers = [...arrays].map(([role, { type, order, shape }]) => [role, type.descr, order, shape]);
  const states = files.map(withoutDevice);
  return sha256([states, headers]);
}

/** Names one generation of a set in a ledger and in a queue: SHA-256 in hex. */
export function setId(pipeline: string, key: string, generation: string): string {
  return sha256([pipeline, key, generation]);
}

function sha256(value: unknown): string {
  return hash("sha256", JSON.stringify(value), "hex");
}
