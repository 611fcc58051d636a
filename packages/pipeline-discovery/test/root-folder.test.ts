import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nameTemplate } from "@npystream/codec";
import test from "ava";
import { RootFolder, type RootObserver } from "../src/root-folder.ts";
import { SetNames } from "../src/set-names.ts";
import type { UnmatchedFile } from "../src/unmatched-file.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";

/** Notes what appears, and lets a test wait for it. */
class Appearances implements RootObserver {
  readonly paths: string[] = [];
  isDoubted = false;
  #resume: () => void = () => undefined;

  appeared(_root: RootFolder, folder: string, names: readonly string[]): void {
    this.paths.push(...names.map((name) => join(folder, name)));
    this.#resume();
  }

  vanished(): void {
    // Nothing is removed here.
  }

  touched(): void {
    // Nothing is written twice here.
  }

  doubted(): void {
    this.isDoubted = true;
    this.#resume();
  }

  async waitFor(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }
}

const names = new SetNames(nameTemplate("{split}/{key}.{role}.npy"), ["x"]);

function onUnmatched(): void {
  // Told of elsewhere.
}

test.after.always(removeFolders);

test("out of inotify watches there is one warning, and sweeps find what comes", async (t) => {
  const path = makeFolder();
  await mkdir(join(path, "train"));
  const logger = new MemoryLogger();
  const observer = new Appearances();
  const root = new RootFolder(path, { names, hints: "auto", sweepMs: 60_000, logger, observer, onUnmatched });
  const following = root.follow();
  await writeFile(join(path, "train", "a.x.npy"), "");
  await observer.waitFor(() => observer.paths.includes("train/a.x.npy"));
  // What the system says when fs.inotify.max_user_watches are in use.
  const error = Object.assign(new Error("System limit for number of file watchers reached"), { code: "ENOSPC" });
  root.left("train");
  for (const folder of ["train", "test", ""]) {
    root.unwatched(folder, error);
  }
  await writeFile(join(path, "train", "b.x.npy"), "");
  await observer.waitFor(() => observer.paths.includes("train/b.x.npy") && observer.isDoubted);
  t.is(logger.messages("warn").length, 1);
  t.regex(logger.messages("warn")[0] ?? "", /inotify/);
  await root.close();
  await following;
});

test("a root in which no array is named as asked is warned of once, and no other is", async (t) => {
  const [path, right] = [makeFolder(), makeFolder()];
  await mkdir(join(path, "train"));
  await writeFile(join(path, "train", "a.y.npy"), "");
  await writeFile(join(path, "note.txt"), "");
  await mkdir(join(right, "train"));
  await writeFile(join(right, "a.x.npy"), "");
  await writeFile(join(right, "train", "a.x.npy"), "");
  const told: unknown[] = [];
  for (const folder of [path, right, makeFolder()]) {
    const logger = new MemoryLogger();
    const files: UnmatchedFile[] = [];
    const root = new RootFolder(folder, {
      names,
      hints: "none",
      sweepMs: 10,
      logger,
      observer: new Appearances(),
      onUnmatched: (file) => files.push(file),
    });
    await root.list();
    await root.list();
    await root.close();
    told.push([logger.messages("warn"), files]);
  }
  const message = "no array in the root is named as the template and the roles say";
  t.deepEqual(told, [
    [[message], [{ root: path, name: "a.y.npy" }]],
    [[], []],
    [[], []],
  ]);
});

test("so many hints at once that the system may have dropped some have everything looked at again, in every root", async (t) => {
  const logger = new MemoryLogger();
  const follow = (hints: "auto" | "none") => {
    const [path, observer] = [makeFolder(), new Appearances()];
    const root = new RootFolder(path, { names, hints, sweepMs: 600_000, logger, observer, onUnmatched });
    return { path, observer, root, following: root.follow() };
  };
  const [flooded, quiet, unhinted] = [follow("auto"), follow("auto"), follow("none")];
  for (const { path } of [flooded, quiet]) {
    await mkdir(join(path, "train"));
    await writeFile(join(path, "train", "a.x.npy"), "");
  }
  for (const { observer } of [flooded, quiet]) {
    await observer.waitFor(() => observer.paths.includes("train/a.x.npy"));
    t.false(observer.isDoubted);
  }
  for (let i = 0; i <= 10_000; i++) {
    flooded.root.hinted("train", ".hidden", true);
  }
  for (const { observer } of [flooded, quiet]) {
    await observer.waitFor(() => observer.isDoubted);
  }
  t.false(unhinted.observer.isDoubted, "it has no events that could be dropped");
  for (const { root, following } of [flooded, quiet, unhinted]) {
    await root.close();
    await following;
  }
});

test("a folder that cannot be listed is told of once, and the others are followed", async (t) => {
  const path = makeFolder();
  await mkdir(join(path, "train"));
  await writeFile(join(path, "train", "a.x.npy"), "");
  const logger = new MemoryLogger();
  const observer = new Appearances();
  const root = new RootFolder(path, { names, hints: "none", sweepMs: 1000, logger, observer, onUnmatched });
  const error = Object.assign(new Error("permission denied"), { code: "EACCES" });
  root.failed("test", error);
  root.failed("test", error);
  await root.list();
  t.deepEqual(observer.paths, ["train/a.x.npy"]);
  t.deepEqual(logger.messages("warn"), ["a folder cannot be listed; it is tried again"]);
  await root.close();
});

test("paths are made absolute below the root, whatever the root ends in", (t) => {
  const options = {
    names,
    hints: "none",
    sweepMs: 1000,
    logger: new MemoryLogger(),
    observer: new Appearances(),
    onUnmatched,
  } as const;
  t.is(new RootFolder("/", options).absolute("a/b.npy"), "/a/b.npy");
  t.is(new RootFolder("/in", options).absolute("a/b.npy"), "/in/a/b.npy");
});
