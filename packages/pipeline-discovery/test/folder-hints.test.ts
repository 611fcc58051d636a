import { appendFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { FolderHints, type HintListener } from "../src/folder-hints.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";

class Hints implements HintListener {
  readonly seen = new Set<string>();
  readonly errors: unknown[] = [];

  hinted(folder: string, name: string | null, isNew: boolean): void {
    this.seen.add(`${folder}|${name ?? ""}${isNew ? "" : " written"}`);
  }

  gone(folder: string): void {
    this.seen.add(`${folder}| gone`);
  }

  unwatched(_folder: string, error: unknown): void {
    this.errors.push(error);
  }
}

/** Waits for a hint; a test that waits in vain is ended by AVA. */
async function waitFor(t: ExecutionContext, hints: Hints, expected: string): Promise<void> {
  while (!hints.seen.has(expected)) {
    await sleep(5);
  }
  t.true(hints.seen.delete(expected));
}

test.after.always(removeFolders);

test("a folder that may hold files tells of every file that comes, is written to, is renamed or goes", async (t) => {
  const root = makeFolder();
  const hints = new Hints();
  const source = new FolderHints(root, 0, hints);
  source.entered("");
  await writeFile(join(root, "a.npy"), "x");
  await waitFor(t, hints, "|a.npy");
  await appendFile(join(root, "a.npy"), "y");
  await waitFor(t, hints, "|a.npy written");
  await rename(join(root, "a.npy"), join(root, "b.npy"));
  await waitFor(t, hints, "|b.npy");
  hints.seen.clear();
  await rm(join(root, "b.npy"));
  await waitFor(t, hints, "|b.npy");
  await source.close();
  hints.seen.clear();
  await writeFile(join(root, "late.npy"), "");
  await sleep(50);
  t.deepEqual([...hints.seen], []);
  t.deepEqual(hints.errors, []);
});

test("folders that hold only folders tell of those that come and go, and not of files", async (t) => {
  const root = makeFolder();
  await mkdir(join(root, "old"));
  const hints = new Hints();
  const source = new FolderHints(root, 1, hints);
  source.entered("");
  await waitFor(t, hints, "|");
  await mkdir(join(root, "new"));
  await waitFor(t, hints, "|");
  source.entered("new");
  await writeFile(join(root, "new", "a.npy"), "x");
  await waitFor(t, hints, "new|a.npy");
  await writeFile(join(root, "a.npy"), "x");
  await rm(join(root, "old"), { recursive: true });
  await waitFor(t, hints, "old| gone");
  await waitFor(t, hints, "|");
  t.false(hints.seen.has("|a.npy"));
  await source.close();
  t.deepEqual(hints.errors, []);
});

test("a folder two levels below is hinted at, once more after it came", async (t) => {
  const root = makeFolder();
  const hints = new Hints();
  const source = new FolderHints(root, 2, hints);
  source.entered("");
  await waitFor(t, hints, "|");
  await mkdir(join(root, "dataset", "train"), { recursive: true });
  await waitFor(t, hints, "|");
  await waitFor(t, hints, "dataset|");
  await source.close();
});

test("a folder that cannot be watched is told of", async (t) => {
  const hints = new Hints();
  const source = new FolderHints(makeFolder(), 0, hints);
  source.entered("not there");
  await source.close();
  t.deepEqual(hints.errors, [], "one that has gone is found by the next listing");
  const long = new FolderHints(makeFolder(), 0, hints);
  long.entered("x".repeat(300));
  await long.close();
  t.is(hints.errors.length, 1);
});
