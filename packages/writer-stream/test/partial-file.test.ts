import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { partialName, partialOwner, removeStalePartials } from "../src/partial-file.ts";
import { ownLife, type ProcessLife } from "../src/process-life.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-partial-"));
test.after.always(() => rmSync(folder, { recursive: true }));
let folders = 0;
const newFolder = (): string => {
  const path = join(folder, `${folders++}`);
  mkdirSync(path);
  return path;
};

/** A process that has ended and been waited for. */
async function deadLife(): Promise<ProcessLife> {
  const child = spawn("true");
  await once(child, "exit");
  return { ...ownLife(), pid: child.pid ?? 0 };
}

test("a partial's name is hidden, unique and tells its process", (t) => {
  const name = partialName("a.npy");
  t.regex(name, /^\.a\.npy\..+\.partial$/);
  t.not(name, partialName("a.npy"));
  t.deepEqual(partialOwner("a.npy", name), ownLife());
});

test("a name of the longest length still has a partial that fits a folder", (t) => {
  for (const long of [`${"n".repeat(251)}.npy`, `${"ü".repeat(125)}.npy`]) {
    const name = partialName(long);
    writeFileSync(join(newFolder(), name), "");
    t.deepEqual(partialOwner(long, name), ownLife());
  }
});

test("partials of a dead process are removed, those of live ones, of other machines and of other names stay", async (t) => {
  const place = newFolder();
  const dead = await deadLife();
  const stale = partialName("a.npy", dead);
  const stay = [
    "a.npy",
    partialName("a.npy"),
    partialName("b.npy", dead),
    partialName("a.npy.npy", dead),
    partialName("a.npy", { ...ownLife(), pid: process.ppid, start: "0" }),
    partialName("a.npy", { ...dead, machine: "0123456789" }),
    ".a.npy.mine.partial",
    `${stale}.bak`,
  ];
  for (const name of [stale, ...stay]) writeFileSync(join(place, name), "");
  await removeStalePartials(place, "a.npy");
  t.deepEqual(readdirSync(place).sort(), stay.sort());
});

test("a live process that has the number of a dead one does not keep its partials", async (t) => {
  const place = newFolder();
  for (const life of [
    { ...ownLife(), start: "0badc0ffee" },
    { ...ownLife(), pid: process.ppid, start: "0badc0ffee" },
  ]) {
    writeFileSync(join(place, partialName("a.npy", life)), "");
  }
  await removeStalePartials(place, "a.npy");
  t.deepEqual(readdirSync(place), []);
});

test("a folder that cannot be listed is left alone", async (t) => {
  await t.notThrowsAsync(removeStalePartials(join(folder, "absent"), "a.npy"));
});

test("a large folder is not listed again for every writer", async (t) => {
  const place = newFolder();
  for (let i = 0; i <= 1000; i++) writeFileSync(join(place, `${i}`), "");
  const dead = await deadLife();
  const stale = (): string => {
    const name = partialName("a.npy", dead);
    writeFileSync(join(place, name), "");
    return name;
  };
  const first = stale();
  await removeStalePartials(place, "a.npy");
  t.false(readdirSync(place).includes(first));
  const second = stale();
  await removeStalePartials(place, "a.npy");
  t.true(readdirSync(place).includes(second));
});

test("partials of every name that were in a large folder at the first look are removed as their names are written", async (t) => {
  const place = newFolder();
  for (let i = 0; i <= 1000; i++) writeFileSync(join(place, `${i}`), "");
  const dead = await deadLife();
  const stale = ["a.npy", "b.npy", "c.npy"].map((name) => partialName(name, dead));
  for (const name of stale) writeFileSync(join(place, name), "");
  const left = (): boolean[] => stale.map((name) => readdirSync(place).includes(name));
  await removeStalePartials(place, "a.npy");
  t.deepEqual(left(), [false, true, true]);
  await removeStalePartials(place, "b.npy");
  t.deepEqual(left(), [false, false, true]);
});
