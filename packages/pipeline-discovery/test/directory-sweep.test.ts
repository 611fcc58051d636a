import fs from "node:fs";
import { mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { DirectorySweep, type SweepObserver } from "../src/directory-sweep.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";

/** Notes what it is told as `+folder/`, `-folder/`, `+file` and `-file`. */
class Notes implements SweepObserver {
  #notes: string[] = [];

  entered(folder: string): void {
    this.#notes.push(`+${folder}/`);
  }

  left(folder: string): void {
    this.#notes.push(`-${folder}/`);
  }

  appeared(folder: string, names: readonly string[]): void {
    this.#notes.push(...names.map((name) => `+${join(folder, name)}`));
  }

  vanished(folder: string, names: readonly string[]): void {
    this.#notes.push(...names.map((name) => `-${join(folder, name)}`));
  }

  failed(folder: string): void {
    this.#notes.push(`!${folder}`);
  }

  take(): string[] {
    return this.#notes.splice(0);
  }
}

function follow(root: string, maxDepth: number): { sweep: DirectorySweep; notes: Notes } {
  const notes = new Notes();
  return { sweep: new DirectorySweep(root, (name) => name.endsWith(".npy"), maxDepth, notes), notes };
}

/** Puts the time of change of a folder so far back that it counts as past. */
async function age(...folders: string[]): Promise<void> {
  for (const folder of folders) {
    await utimes(folder, 1000, 1000);
  }
}

/** Time for which a folder that changed is listed again in any case, and a little more. */
const SAME_TICK_MS = 2100;

/** Counts how often folders are listed. */
async function listingsOf(action: () => Promise<void>): Promise<number> {
  let listings = 0;
  const { readdir } = fs.promises;
  // The sources take it from node:fs/promises.
  fs.promises.readdir = ((...parameters: Parameters<typeof readdir>) => {
    listings += 1;
    return readdir(...parameters);
  }) as typeof readdir;
  syncBuiltinESMExports();
  try {
    await action();
  } finally {
    fs.promises.readdir = readdir;
    syncBuiltinESMExports();
  }
  return listings;
}

test.after.always(removeFolders);

test("the first sweep enters every folder before it tells of the files in it", async (t) => {
  const root = makeFolder();
  await mkdir(join(root, "a", "deep"), { recursive: true });
  await writeFile(join(root, "x.npy"), "");
  await writeFile(join(root, "a", "y.npy"), "");
  await writeFile(join(root, "a", "deep", "z.npy"), "");
  const { sweep, notes } = follow(root, 1);
  await sweep.sweep("full");
  t.deepEqual(notes.take(), ["+/", "+x.npy", "+a/", "+a/y.npy"]);
});

test("hidden and temporary names, links, other files and folders below the limit are not seen", async (t) => {
  const root = makeFolder();
  for (const name of [".x.npy", "_x.npy", "x.npy.tmp", "x.npy.part", "x.npy.partial", "x.txt"]) {
    await writeFile(join(root, name), "");
  }
  await mkdir(join(root, "x.npy"));
  await mkdir(join(root, ".hidden"));
  await symlink("/", join(root, "link"));
  await symlink("/etc/hostname", join(root, "link.npy"));
  const { sweep, notes } = follow(root, 0);
  await sweep.sweep("full");
  t.deepEqual(notes.take(), ["+/"]);
});

test.serial(
  "a folder is listed again when its times have changed, also where one was put back, and not else",
  async (t) => {
    const root = makeFolder();
    await age(root);
    const { sweep, notes } = follow(root, 0);
    await sleep(SAME_TICK_MS);
    await sweep.sweep("full");
    notes.take();
    t.is(await listingsOf(() => sweep.sweep("changed")), 0);
    await writeFile(join(root, "x.npy"), "");
    await age(root);
    t.is(await listingsOf(() => sweep.sweep("changed")), 1);
    t.deepEqual(notes.take(), ["+x.npy"]);
  },
);

test("a folder that changed just before it was listed is listed again", async (t) => {
  const root = makeFolder();
  const { sweep, notes } = follow(root, 0);
  const now = Date.now() / 1000;
  await utimes(root, now, now);
  await sweep.sweep("full");
  await writeFile(join(root, "x.npy"), "");
  await utimes(root, now, now);
  await sweep.sweep("changed");
  t.deepEqual(notes.take(), ["+/", "+x.npy"]);
});

test("a dirty folder is listed alone, and one that is not known yet through the one above", async (t) => {
  const root = makeFolder();
  await mkdir(join(root, "a"));
  await mkdir(join(root, "b"));
  const { sweep, notes } = follow(root, 5);
  await sweep.sweep("full");
  notes.take();
  await writeFile(join(root, "a", "x.npy"), "");
  await writeFile(join(root, "b", "y.npy"), "");
  sweep.markDirty("b");
  await sweep.sweep("dirty");
  t.deepEqual(notes.take(), ["+b/y.npy"]);
  await mkdir(join(root, "a", "new", "newer"), { recursive: true });
  sweep.markDirty("a/new/newer");
  await sweep.sweep("dirty");
  t.deepEqual(notes.take(), ["+a/x.npy", "+a/new/", "+a/new/newer/"]);
});

test("files and folders that go are told of, and a folder in the place of another is entered anew", async (t) => {
  const root = makeFolder();
  await mkdir(join(root, "a", "b"), { recursive: true });
  await writeFile(join(root, "a", "x.npy"), "");
  await writeFile(join(root, "a", "b", "y.npy"), "");
  const { sweep, notes } = follow(root, 5);
  await sweep.sweep("full");
  notes.take();
  await rename(join(root, "a"), join(root, "old"));
  await mkdir(join(root, "a"));
  await writeFile(join(root, "a", "x.npy"), "");
  await rm(join(root, "old"), { recursive: true });
  await sweep.sweep("full");
  t.deepEqual(notes.take(), ["-a/", "-a/x.npy", "-a/b/", "-a/b/y.npy", "+a/", "+a/x.npy"]);
});

test("a folder in whose place a link is now is left, also where it alone is listed, and a folder below it too", async (t) => {
  const [root, outside] = [makeFolder(), makeFolder()];
  for (const folder of [root, outside]) {
    await mkdir(join(folder, "a", "b"), { recursive: true });
    await writeFile(join(folder, "a", "x.npy"), "");
    await writeFile(join(folder, "a", "b", "y.npy"), "");
  }
  const { sweep, notes } = follow(root, 5);
  await sweep.sweep("full");
  notes.take();
  await rename(join(root, "a"), join(root, ".a"));
  await symlink(join(outside, "a"), join(root, "a"));
  sweep.markDirty("a/b");
  sweep.markDirty("a");
  await sweep.sweep("dirty");
  t.deepEqual(notes.take(), ["-a/", "-a/x.npy", "-a/b/", "-a/b/y.npy"]);
  t.false(sweep.knows("a", "x.npy"));
});

test("a folder that was made again with the inode of the one before is entered anew", async (t) => {
  const root = makeFolder();
  await mkdir(join(root, "a"));
  await writeFile(join(root, "a", "x.npy"), "");
  const { sweep, notes } = follow(root, 1);
  await sweep.sweep("full");
  notes.take();
  sweep.markGone("a");
  await sweep.sweep("dirty");
  t.deepEqual(notes.take(), ["-a/", "-a/x.npy", "+a/", "+a/x.npy"]);
  await sweep.sweep("full");
  t.deepEqual(notes.take(), [], "and that once");
});

test("a root that is missing, made, removed and made again is followed", async (t) => {
  const root = join(makeFolder(), "root");
  const { sweep, notes } = follow(root, 1);
  await sweep.sweep("changed");
  t.false(sweep.hasRoot);
  await mkdir(root);
  await writeFile(join(root, "x.npy"), "");
  await sweep.sweep("changed");
  t.deepEqual(notes.take(), ["+/", "+x.npy"]);
  await rm(root, { recursive: true });
  await sweep.sweep("changed");
  t.deepEqual(notes.take(), ["-/", "-x.npy"]);
  t.false(sweep.hasRoot);
  await mkdir(root);
  await sweep.sweep("dirty");
  t.deepEqual(notes.take(), ["+/"]);
});

test("a file that was added without a listing is not told of again, and one that was dropped is", async (t) => {
  const root = makeFolder();
  const { sweep, notes } = follow(root, 0);
  await sweep.sweep("full");
  notes.take();
  await writeFile(join(root, "x.npy"), "");
  t.true(sweep.addFile("", "x.npy"));
  t.true(sweep.knows("", "x.npy"));
  t.false(sweep.addFile("other", "x.npy"));
  t.is(sweep.fileCount, 1);
  await sweep.sweep("full");
  t.deepEqual(notes.take(), []);
  sweep.dropFile("", "x.npy");
  t.is(sweep.fileCount, 0);
  await sweep.sweep("changed");
  t.deepEqual(notes.take(), ["+x.npy"]);
});
