import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nameTemplate } from "../../src/index.ts";

/** What most tests look for: pairs named `{key}.{role}.npy`. */
export const pairNames = nameTemplate("{key}.{role}.npy");

/** What {@link pairNames} must hold. */
export const pairSets = {
  roles: { features: { dtype: "float32", shape: ["N", 4] }, labels: { dtype: "int64", shape: ["N"] } },
} as const;

const made: string[] = [];

/** Makes a folder of its own for a test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "npystream-discovery-"));
  made.push(folder);
  return folder;
}

/** Removes every folder that was made. */
export function removeFolders(): void {
  for (const folder of made.splice(0)) {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes this many sets, acknowledging each, and leaves the discovery open. */
export async function takeSets<T extends { readonly key: string; ack(): Promise<void> }>(
  found: AsyncIterable<T>,
  count: number,
): Promise<T[]> {
  const iterator = found[Symbol.asyncIterator]();
  const sets: T[] = [];
  while (sets.length < count) {
    const { done, value } = await iterator.next();
    if (done === true) {
      break;
    }
    await value.ack();
    sets.push(value);
  }
  return sets;
}

/** Takes all sets until the discovery ends, acknowledging each, and gives their keys in order. */
export async function takeKeys(
  found: AsyncIterable<{ readonly key: string; ack(): Promise<void> }>,
): Promise<string[]> {
  const sets = await takeSets(found, Number.POSITIVE_INFINITY);
  return sets.map(({ key }) => key).sort();
}
