import { execFileSync } from "node:child_process";
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createNpyWriteStream,
  createNpzWriter,
  createShardWriter,
  streamSink,
  writeNpy,
  writeNpz,
} from "@npystream/writer-stream";
import test from "ava";
import { openFiles } from "./open-files.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-full-disk-"));
const disk = mountSmallDisk();
test.after.always(() => {
  if (disk !== undefined) shell(`umount --lazy ${disk}`);
  rmSync(folder, { recursive: true });
});

function shell(command: string): void {
  execFileSync("sh", ["-c", command], { stdio: "ignore" });
}

/** A disk of 1 MiB, where this user may mount one. */
function mountSmallDisk(): string | undefined {
  try {
    shell(`mount -t tmpfs -o size=1m tmpfs ${folder}`);
    return folder;
  } catch {
    return undefined;
  }
}

async function fill(out: ReturnType<typeof createNpyWriteStream>): Promise<void> {
  for (const row = new Float64Array(128); ; ) await out.push(row);
}

/** Two members at once, of which one is spooled; random, so that deflating does not help. */
async function fillArchive(path: string, compress: boolean): Promise<void> {
  const archive = createNpzWriter(path, { overwrite: true, compress, concurrency: 1 });
  const rows = Uint8Array.from({ length: 65_536 }, () => Math.random() * 256);
  const fillMember = async (name: string): Promise<void> => {
    for (const member = archive.member(name); ; ) await member.push(rows);
  };
  const full = await Promise.allSettled([fillMember("a"), fillMember("b")]);
  const reasons = full.map((result) => result.status === "rejected" && result.reason);
  if (reasons[0] !== reasons[1]) throw new Error("two reasons for one full disk");
  await archive.finish();
}

test.serial("a device that is always full is ERR_WRITE_NO_SPACE", async (t) => {
  const device = createWriteStream("/dev/full");
  const out = createNpyWriteStream(streamSink(device), { rows: 1_000_000, highWaterMark: 65_536 });
  const error = await t.throwsAsync(fill(out), { code: "ERR_WRITE_NO_SPACE" });
  t.like(error, { cause: { code: "ENOSPC" } });
  t.true(device.destroyed);
  await t.throwsAsync(out.finish(), { is: error });
});

test.serial("a disk that runs full is ERR_WRITE_NO_SPACE, the partial is gone and the target as it was", async (t) => {
  if (disk === undefined) {
    // No right to mount: a device that is always full stands for the disk.
    await t.throwsAsync(writeNpy(streamSink(createWriteStream("/dev/full")), [1]), { code: "ERR_WRITE_NO_SPACE" });
    return;
  }
  const path = join(disk, "x.npy");
  writeFileSync(path, "old");
  const writers = [
    () => fill(createNpyWriteStream(path, { overwrite: true })),
    () => fill(createNpyWriteStream(path, { overwrite: true, highWaterMark: 1024 })),
    () => writeNpy(path, new Float64Array(1 << 20), { overwrite: true }),
    () => writeNpz(path, { x: new Float64Array(1 << 20) }, { overwrite: true }),
    () => fillArchive(path, false),
    () => fillArchive(path, true),
  ];
  for (const write of writers) {
    const error = await t.throwsAsync(write, { code: "ERR_WRITE_NO_SPACE" });
    t.like(error, { path, cause: { code: "ENOSPC" } });
    t.is(readFileSync(path, "utf8"), "old");
    t.deepEqual(readdirSync(disk), ["x.npy"]);
    t.deepEqual(openFiles(disk), []);
  }
  // The room is there again.
  await writeNpy(path, new Float64Array(1 << 15), { overwrite: true });
});

test.serial("an append that fills the disk is ERR_WRITE_NO_SPACE, and the file is as long as it was", async (t) => {
  if (disk === undefined) {
    t.pass("no right to mount");
    return;
  }
  const path = join(disk, "x.npy");
  await writeNpy(path, new Float64Array(1 << 15), { overwrite: true });
  const before = readFileSync(path);
  const out = createNpyWriteStream(path, { mode: "append", highWaterMark: 65_536 });
  const error = await t.throwsAsync(fill(out), { code: "ERR_WRITE_NO_SPACE" });
  t.like(error, { path, cause: { code: "ENOSPC" } });
  await t.throwsAsync(out.finish(), { is: error });
  t.deepEqual(readFileSync(path), before);
  t.deepEqual(readdirSync(disk), ["x.npy"]);
  t.deepEqual(openFiles(disk), []);
});

test.serial("an archive added to until the disk is full is ERR_WRITE_NO_SPACE, and stays as it was", async (t) => {
  if (disk === undefined) {
    t.pass("no right to mount");
    return;
  }
  const path = join(disk, "x.npz");
  await writeNpz(path, { old: new Float64Array(1 << 14) });
  const before = readFileSync(path);
  const rows = new Float64Array(1 << 13);
  for (const compress of [false, true]) {
    for (let i = 0; i < rows.length; i++) rows[i] = Math.random();
    const archive = createNpzWriter(path, { mode: "append", compress, concurrency: 1 });
    const writing = async (): Promise<void> => {
      for (const member = archive.member("new"); ; ) await member.push(rows);
    };
    const error = await t.throwsAsync(writing, { code: "ERR_WRITE_NO_SPACE" });
    t.like(error, { path, member: "new", cause: { code: "ENOSPC" } });
    await t.throwsAsync(archive.finish(), { is: error });
    t.deepEqual(readFileSync(path), before);
    t.deepEqual(readdirSync(disk).sort(), ["x.npy", "x.npz"]);
    t.deepEqual(openFiles(disk), []);
  }
  rmSync(path);
});

test.serial("shards that fill the disk are ERR_WRITE_NO_SPACE, and whole ones stay without a manifest", async (t) => {
  if (disk === undefined) {
    t.pass("no right to mount");
    return;
  }
  const out = createShardWriter(join(disk, "y-{shard:03}.npy"), { maxRows: 200 });
  const writing = async (): Promise<void> => {
    for (const row = new Float64Array(128); ; ) await out.push([Array.from(row)]);
  };
  const error = await t.throwsAsync(writing, { code: "ERR_WRITE_NO_SPACE" });
  t.like(error, { cause: { code: "ENOSPC" } });
  t.deepEqual(readdirSync(disk).sort(), ["x.npy", "y-000.npy", "y-001.npy", "y-002.npy"]);
  t.deepEqual(openFiles(disk), []);
});
