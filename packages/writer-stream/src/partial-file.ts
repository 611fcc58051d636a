import { createHash, randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { mayBeAlive, ownLife, type ProcessLife } from "./process-life.ts";

const UNIQUE = /^([0-9a-f]{10})-([0-9]{1,10})-([0-9a-f]{1,10})-[0-9a-f]{12}$/;
const SUFFIX = ".partial";
/** Longest name that leaves room for the rest in the 255 bytes that file systems take. */
const NAME_BYTES = 190;
/** Folders up to this many entries are listed for every writer (under 1 ms measured). */
const SMALL_FOLDER = 1000;
/** Listing a larger folder may take 1/20 of the time, or writing many files into it would cost their square. */
const LISTING_SHARE = 20;

const REMEMBERED_FOLDERS = 256;

/** When each large folder may be listed again, in milliseconds of `performance.now()`. */
const notBefore = new Map<string, number>();

/**
 * Names a file to write before it becomes `name`: `.name.<machine>-<pid>-<start>-<random>.partial`, hidden, in the same
 * folder, unique, and telling who writes it.
 */
export function partialName(name: string, life: ProcessLife = ownLife()): string {
  const random = randomBytes(6).toString("hex");
  return `${prefixOf(name)}${life.machine}-${life.pid}-${life.start}-${random}${SUFFIX}`;
}

/** Reads from a file's name who writes it for `name`; undefined where it is no partial of that name. */
export function partialOwner(name: string, entry: string): ProcessLife | undefined {
  const prefix = prefixOf(name);
  if (!entry.startsWith(prefix) || !entry.endsWith(SUFFIX)) return undefined;
  const [, machine, pid, start] = UNIQUE.exec(entry.slice(prefix.length, -SUFFIX.length)) ?? [];
  if (machine === undefined || pid === undefined || start === undefined) return undefined;
  return { machine, pid: Number(pid), start };
}

/**
 * Removes partials of `name` in `folder` whose process is dead; those of live processes and of other machines stay.
 *
 * A folder that cannot be listed is left alone: this is tidying, and the writer meets the real error itself. In a
 * folder of more than 1000 entries, a listing that follows another closely is left out.
 */
export async function removeStalePartials(folder: string, name: string): Promise<void> {
  const started = performance.now();
  if (started < (notBefore.get(folder) ?? 0)) return;
  try {
    const entries = await readdir(folder);
    remember(folder, entries.length, started);
    for (const entry of entries) {
      const owner = partialOwner(name, entry);
      if (owner !== undefined && !mayBeAlive(owner)) await rm(join(folder, entry), { force: true });
    }
  } catch {
    // See above.
  }
}

function remember(folder: string, entries: number, started: number): void {
  notBefore.delete(folder);
  if (entries <= SMALL_FOLDER) return;
  const now = performance.now();
  notBefore.set(folder, now + LISTING_SHARE * (now - started));
  const [oldest] = notBefore.keys();
  if (notBefore.size > REMEMBERED_FOLDERS && oldest !== undefined) notBefore.delete(oldest);
}

function prefixOf(name: string): string {
  const fits = Buffer.byteLength(name) <= NAME_BYTES;
  return `.${fits ? name : createHash("sha256").update(name).digest("hex")}.`;
}
