import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { lockFile } from "../src/file-lock.ts";
import { formatLife, ownLife } from "../src/process-life.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-lock-"));
test.after.always(() => rmSync(folder, { recursive: true }));
let folders = 0;
const newFolder = (): string => {
  const path = join(folder, `${folders++}`);
  mkdirSync(path);
  return path;
};
const random = "0123456789ab";

/** Leaves the mark of a process in the lock of x.npy. */
function mark(place: string, life: string): string {
  const claims = join(place, ".x.npy.lock");
  mkdirSync(claims, { recursive: true });
  writeFileSync(join(claims, `${life}-${random}`), "");
  return claims;
}

test("one of many has the lock, a hidden folder that names its process and goes when it is released", async (t) => {
  const place = newFolder();
  const path = join(place, "x.npy");
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => lockFile(path)));
  const held = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  t.is(held.length, 1);
  for (const outcome of outcomes) if (outcome.status === "rejected") t.is(outcome.reason.code, "ERR_WRITE_LOCKED");
  t.deepEqual(readdirSync(place), [".x.npy.lock"]);
  const [entry = ""] = readdirSync(join(place, ".x.npy.lock"));
  t.true(entry.startsWith(formatLife(ownLife())));
  await held[0]?.release();
  await held[0]?.release();
  t.deepEqual(readdirSync(place), []);
  await (await lockFile(path)).release();
});

test("the lock of a dead process is taken over, what is in it that is no mark stays", async (t) => {
  const place = newFolder();
  const child = spawn("true");
  await once(child, "exit");
  const claims = mark(place, formatLife({ ...ownLife(), pid: child.pid ?? 0 }));
  mark(place, formatLife({ ...ownLife(), start: "0badc0ffee" }));
  writeFileSync(join(claims, "note.txt"), "");
  const lock = await lockFile(join(place, "x.npy"));
  t.is(readdirSync(claims).length, 2);
  await lock.release();
  t.deepEqual(readdirSync(claims), ["note.txt"]);
});

test("that of a live process or another machine is ERR_WRITE_LOCKED, and says who and what to do", async (t) => {
  for (const [life, message] of [
    [formatLife({ ...ownLife(), pid: process.ppid, start: "0" }), new RegExp(`process ${process.ppid} writes`)],
    [`0123456789-77-0`, /process 77 of another machine.*remove the folder \.x\.npy\.lock/],
  ] as const) {
    const place = newFolder();
    const claims = mark(place, life);
    const error = await t.throwsAsync(lockFile(join(place, "x.npy")), { code: "ERR_WRITE_LOCKED", message });
    t.like(error, { path: join(place, "x.npy") });
    t.deepEqual(readdirSync(claims), [`${life}-${random}`]);
  }
});

test("a name of the longest length can be locked, and a missing folder is the system's error", async (t) => {
  const place = newFolder();
  const lock = await lockFile(join(place, `${"n".repeat(251)}.npy`));
  await lock.release();
  t.deepEqual(readdirSync(place), []);
  await t.throwsAsync(lockFile(join(place, "absent/x.npy")), { code: "ENOENT" });
  await t.throwsAsync(lockFile(join(place, "absent/x.npy")), { code: "ENOENT" });
  t.false(existsSync(join(place, "absent")));
});
