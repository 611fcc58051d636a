import { createHash, randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatLife, mayBeAlive, ownLife, type ProcessLife, parseLife } from "./process-life.ts";

const SUFFIX = ".partial";
/** The name in a partial's name, where that is not too long to be in it: the rest has no dot. */
const ANY_PARTIAL = /^\.(.+)\.[^.]+\.partial$/;
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
  return `${hiddenPrefix(name)}${formatLife(life)}-${random}${SUFFIX}`;
}

/** Reads from a file's name who writes it for `name`; undefined where it is no partial of that name. */
export function partialOwner(name: string, entry: string): ProcessLife | undefined {
  const prefix = hiddenPrefix(name);
  if (!entry.startsWith(prefix) || !entry.endsWith(SUFFIX)) return undefined;
  return parseLife(entry.slice(prefix.length, -SUFFIX.length));
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

/** Removes partials of dead processes among `entries` of `folder`, of every name that `isOwn` says yes to. */
export async function removeDeadPartials(
  folder: string,
  entries: readonly string[],
  isOwn: (name: string) => boolean,
): Promise<void> {
  for (const entry of entries) {
    const name = ANY_PARTIAL.exec(entry)?.[1];
    const owner = name === undefined || !isOwn(name) ? undefined : partialOwner(name, entry);
    if (owner !== undefined && !mayBeAlive(owner)) await rm(join(folder, entry), { force: true });
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

/** Begins the name of a hidden file that belongs to `name`: `.name.`, of a very long name a digest. */
export function hiddenPrefix(name: string): string {
  const fits = Buffer.byteLength(name) <= NAME_BYTES;
  return `.${fits ? name : createHash("sha256").update(name).digest("hex")}.`;
}
