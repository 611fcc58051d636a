import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { lockFile, lockFiles } from "../src/file-lock.ts";
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

test("releasing a lock once more leaves the lock of who has the name now", async (t) => {
  const path = join(newFolder(), "x.npy");
  const first = await lockFile(path);
  await first.release();
  const second = await lockFile(path);
  await first.release();
  await t.throwsAsync(lockFile(path), { code: "ERR_WRITE_LOCKED" });
  await second.release();
  await (await lockFile(path)).release();
});

test("of several names all are locked or none, whatever their order", async (t) => {
  const place = newFolder();
  const at = (name: string): string => join(place, name);
  const both = await lockFiles([at("b"), at("a"), at("b")]);
  t.deepEqual(readdirSync(place).sort(), [".a.lock", ".b.lock"]);
  await t.throwsAsync(lockFiles([at("0"), at("b"), at("c")]), { code: "ERR_WRITE_LOCKED" });
  t.deepEqual(readdirSync(place).sort(), [".a.lock", ".b.lock"]);
  await both.release();
  await both.release();
  t.deepEqual(readdirSync(place), []);
});

test("the folder of a lock may be written to by whoever may write beside it", async (t) => {
  const place = newFolder();
  chmodSync(place, 0o775);
  const lock = await lockFile(join(place, "x.npy"));
  t.is(statSync(join(place, ".x.npy.lock")).mode & 0o777, 0o775);
  await lock.release();
});

test("a lock that another user has left is ERR_WRITE_LOCKED, and says what to do", (t) => {
  const place = newFolder();
  for (const path of [folder, place]) chmodSync(path, 0o777);
  writeFileSync(join(place, "x.npy"), "");
  chmodSync(join(place, "x.npy"), 0o666);
  const claims = mark(place, formatLife({ ...ownLife(), start: "0badc0ffee" }));
  chmodSync(claims, 0o555);
  const process = join(import.meta.dirname, "append-process.ts");
  const program = ["--conditions=@npystream/source", "--import=tsx", process, "try", join(place, "x.npy")];
  const { stdout } = spawnSync(globalThis.process.execPath, program, { encoding: "utf8" });
  t.is(stdout, "ERR_WRITE_LOCKED EACCES\n");
  t.is(readdirSync(claims).length, 1);
  chmodSync(claims, 0o755);
});

test("a link to nothing where the folder of the lock would be is the system's error", async (t) => {
  const place = newFolder();
  symlinkSync("nothing", join(place, ".x.npy.lock"));
  await t.throwsAsync(lockFile(join(place, "x.npy")), { code: "ENOENT" });
});
