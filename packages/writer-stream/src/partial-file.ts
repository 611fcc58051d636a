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

/** What a listing of a large folder found. */
interface Listing {
  /** When it may be listed again, in milliseconds of `performance.now()`. */
  readonly validUntil: number;
  /** Every partial that was there, of whatever name. */
  readonly partials: readonly string[];
}

/** The last listing of each large folder. */
const listings = new Map<string, Listing>();

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
 * folder of more than 1000 entries, what a listing found holds for a while, so that what was there when a process began is
 * always found.
 */
export async function removeStalePartials(folder: string, name: string): Promise<void> {
  try {
    for (const entry of await partialsIn(folder)) {
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

/** Names of the partials in a folder, of a large one as they were not long ago. */
async function partialsIn(folder: string): Promise<readonly string[]> {
  const started = performance.now();
  const known = listings.get(folder);
  if (known !== undefined && started < known.validUntil) return known.partials;
  const entries = await readdir(folder);
  const partials = entries.filter((entry) => entry.startsWith(".") && entry.endsWith(SUFFIX));
  listings.delete(folder);
  if (entries.length > SMALL_FOLDER) {
    const now = performance.now();
    listings.set(folder, { validUntil: now + LISTING_SHARE * (now - started), partials });
    const [oldest] = listings.keys();
    if (listings.size > REMEMBERED_FOLDERS && oldest !== undefined) listings.delete(oldest);
  }
  return partials;
}

/** Begins the name of a hidden file that belongs to `name`: `.name.`, of a very long name a digest. */
export function hiddenPrefix(name: string): string {
  const fits = Buffer.byteLength(name) <= NAME_BYTES;
  return `.${fits ? name : createHash("sha256").update(name).digest("hex")}.`;
}
