import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readdir, rm, rmdir, stat } from "node:fs/promises";
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
/** How often to make the folder anew, which others that step back remove. */
const FOLDER_ATTEMPTS = 100;
/** What the system says where a folder or file is another user's. */
const DENIED: ReadonlySet<unknown> = new Set(["EACCES", "EPERM"]);

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
 * @throws NpyError `ERR_WRITE_LOCKED`, also where the folder is another user's; the system's error where there can be none.
 */
export async function lockFile(path: string): Promise<FileLock> {
  if (held.has(path)) throw lockedError(path, ownLife());
  held.add(path);
  try {
    const folder = join(dirname(path), `${hiddenPrefix(basename(path))}lock`);
    const claim = join(folder, `${formatLife(ownLife())}-${randomBytes(6).toString("hex")}`);
    await take(path, folder, claim);
    const release = async (): Promise<void> => {
      await remove(folder, claim);
      held.delete(path);
    };
    // Once, since the name may be another's by the second time.
    let released: Promise<void> | undefined;
    return {
      release: () => {
        released ??= release();
        return released;
      },
    };
  } catch (error) {
    held.delete(path);
    throw error;
  }
}

/**
 * Locks several names, or none of them.
 *
 * @param paths - Whatever their order: everybody takes them in the same.
 * @throws what {@link lockFile} throws.
 */
export async function lockFiles(paths: readonly string[]): Promise<FileLock> {
  const locks: FileLock[] = [];
  const release = async (): Promise<void> => {
    for (const lock of locks) await lock.release();
  };
  try {
    for (const path of [...new Set(paths)].sort()) locks.push(await lockFile(path));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function take(path: string, folder: string, claim: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await createClaim(path, folder, claim);
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

async function createClaim(path: string, folder: string, claim: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const isNew = await createFolder(folder);
    try {
      await (await open(claim, "wx")).close();
      return;
    } catch (error) {
      if (DENIED.has(errnoOf(error)) && !isNew) throw lockedError(path, await anyOwner(folder), error);
      // The last holder has removed the folder in between; where it is a link to nothing that goes on.
      if (errnoOf(error) !== "ENOENT" || attempt === FOLDER_ATTEMPTS) throw error;
    }
  }
}

/** Makes the folder if there is none. Whoever may write beside it may write into it: so may others of a group that shares it. */
async function createFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    return false;
  }
  try {
    await chmod(folder, ((await stat(dirname(folder))).mode & 0o1777) | 0o700);
  } catch {
    // It is this user's alone then, or another has removed it already.
  }
  return true;
}

/** Names a process whose file lies in a folder that this one may not write to. */
async function anyOwner(folder: string): Promise<ProcessLife | undefined> {
  const entries = await readdir(folder).catch(() => []);
  return entries.map(parseLife).find((owner) => owner !== undefined);
}

/** Looks for the file of a process that may be alive, and removes those of dead ones. */
async function otherOwner(folder: string, own: string): Promise<ProcessLife | undefined> {
  for (const entry of await readdir(folder)) {
    const owner = entry === own ? undefined : parseLife(entry);
    if (owner === undefined) continue;
    if (mayBeAlive(owner)) return owner;
    try {
      await rm(join(folder, entry), { force: true });
    } catch (error) {
      // In a folder where everybody removes only what is his own.
      if (DENIED.has(errnoOf(error))) return owner;
      throw error;
    }
  }
  return undefined;
}

/** What cannot be removed is taken for dead as soon as this process is. */
async function remove(folder: string, claim: string): Promise<void> {
  await rm(claim, { force: true }).catch(() => undefined);
  await rmdir(folder).catch(() => undefined);
}

function lockedError(path: string, owner: ProcessLife | undefined, cause?: unknown): NpyError {
  const where = owner?.machine === ownLife().machine ? "" : " of another machine or container";
  const who = owner === undefined ? "a process of another user" : `process ${owner.pid}${where}`;
  const folder = `${hiddenPrefix(basename(path))}lock`;
  return new NpyError(
    "ERR_WRITE_LOCKED",
    `${who} writes to the file; where it surely does not, remove the folder ${folder} beside it`,
    { path, cause },
  );
}
