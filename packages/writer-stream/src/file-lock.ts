import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NpyError } from "@npystream/codec";
import { hiddenPrefix } from "./partial-file.ts";
import { formatLife, mayBeAlive, ownLife, type ProcessLife, parseLife } from "./process-life.ts";
import { errnoOf } from "./write-error.ts";

/** A name that only this process writes to. */
export interface FileLock {
  /** Lets others have it. Twice is harmless. */
  release(): Promise<void>;
}

/** How often to look again, since two that come at the same moment step back both. */
const ATTEMPTS = 4;
const MOST_PAUSE_MS = 20;

/** What this process has locked. */
const held = new Set<string>();

/**
 * Keeps every other writer with a lock off `path`: a hidden folder `.name.lock` beside it, with one file in it for each
 * process that wants the name, called `<machine>-<pid>-<start>-<random>`.
 *
 * Each makes its file first and looks at the others' then, so of two at least one sees the other and steps back. The
 * file of a dead process is removed, by the name that only that process had: so a lock that is alive never is, which a
 * single lock file taken over by two at a time does not hold.
 *
 * @param path - Absolute, with no link in it that another may come by.
 * @throws NpyError `ERR_WRITE_LOCKED`; the system's error where there can be no folder.
 */
export async function lockFile(path: string): Promise<FileLock> {
  if (held.has(path)) throw lockedError(path, ownLife());
  held.add(path);
  try {
    const folder = join(dirname(path), `${hiddenPrefix(basename(path))}lock`);
    const claim = join(folder, `${formatLife(ownLife())}-${randomBytes(6).toString("hex")}`);
    await take(path, folder, claim);
    return {
      release: async () => {
        if (!held.has(path)) return;
        await remove(folder, claim);
        held.delete(path);
      },
    };
  } catch (error) {
    held.delete(path);
    throw error;
  }
}

async function take(path: string, folder: string, claim: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await createClaim(folder, claim);
    let owner: ProcessLife | undefined;
    try {
      owner = await otherOwner(folder, basename(claim));
      if (owner === undefined) return;
    } catch (error) {
      await remove(folder, claim);
      throw error;
    }
    await remove(folder, claim);
    if (attempt === ATTEMPTS) throw lockedError(path, owner);
    await sleep(Math.random() * MOST_PAUSE_MS);
  }
}

async function createClaim(folder: string, claim: string): Promise<void> {
  for (;;) {
    await mkdir(folder).catch((error: unknown) => {
      if (errnoOf(error) !== "EEXIST") throw error;
    });
    try {
      await (await open(claim, "wx")).close();
      return;
    } catch (error) {
      // The last holder has removed the folder in between.
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
}

/** Looks for the file of a process that may be alive, and removes those of dead ones. */
async function otherOwner(folder: string, own: string): Promise<ProcessLife | undefined> {
  for (const entry of await readdir(folder)) {
    const owner = entry === own ? undefined : parseLife(entry);
    if (owner === undefined) continue;
    if (mayBeAlive(owner)) return owner;
    await rm(join(folder, entry), { force: true });
  }
  return undefined;
}

/** What cannot be removed is taken for dead as soon as this process is. */
async function remove(folder: string, claim: string): Promise<void> {
  await rm(claim, { force: true }).catch(() => undefined);
  await rmdir(folder).catch(() => undefined);
}

function lockedError(path: string, { pid, machine }: ProcessLife): NpyError {
  const where = machine === ownLife().machine ? "" : " of another machine or container";
  const folder = `${hiddenPrefix(basename(path))}lock`;
  return new NpyError(
    "ERR_WRITE_LOCKED",
    `process ${pid}${where} writes to the file; where it surely does not, remove the folder ${folder} beside it`,
    { path },
  );
}
