import test from "ava";
import { DurableFile, type OpenFile } from "../src/durable-file.ts";

/** A file of nothing but what is asked of it; the file sink and append tests write real ones. */
function fileOf(parts: object): OpenFile {
  return parts as OpenFile;
}

test("a write goes on where the system took less, and a full disk has its code", async (t) => {
  const calls: number[][] = [];
  const handle = fileOf({
    write: async (_: Uint8Array, offset: number, length: number, position: number) => {
      calls.push([offset, length, position]);
      if (calls.length === 3) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      return { bytesWritten: Math.min(length, 3) };
    },
  });
  const file = new DurableFile(handle, "x.npy");
  const error = await t.throwsAsync(file.write(new Uint8Array(8), 100), { code: "ERR_WRITE_NO_SPACE" });
  t.like(error, { path: "x.npy" });
  t.deepEqual(calls, [
    [0, 8, 100],
    [3, 5, 103],
    [6, 2, 106],
  ]);
});

test("a flush that failed while more was written fails the end, whose own flush would succeed", async (t) => {
  let syncs = 0;
  const handle = fileOf({
    write: async (_: Uint8Array, __: number, length: number) => ({ bytesWritten: length }),
    datasync: async () => {
      throw Object.assign(new Error("lost"), { code: "EIO" });
    },
    sync: async () => void syncs++,
  });
  const file = new DurableFile(handle, "x.npy");
  for (let i = 0; i < 17; i++) await file.write(new Uint8Array(1 << 20), i << 20);
  await t.throwsAsync(file.sync(), { message: "lost" });
  t.is(syncs, 0);
});

test("after a stop nothing more is written, and what is under way has ended", async (t) => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let written = 0;
  const handle = fileOf({
    write: async (_: Uint8Array, __: number, length: number) => {
      await gate;
      written += length;
      return { bytesWritten: length };
    },
  });
  const file = new DurableFile(handle, "x.npy");
  const writing = file.write(new Uint8Array(10), 0);
  const stopped = file.stop();
  t.true(file.isStopped);
  await t.throwsAsync(file.write(new Uint8Array(10), 10), { code: "ERR_WRITE_IO", message: /aborted/ });
  release();
  await stopped;
  await writing;
  t.is(written, 10);
});
