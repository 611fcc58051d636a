import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
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

test("the end waits for writes under way, and fails where one has failed, though it was caught", async (t) => {
  let written = 0;
  let syncs = 0;
  const handle = fileOf({
    write: async (_: Uint8Array, __: number, length: number, position: number) => {
      await new Promise(setImmediate);
      if (position === 100) throw Object.assign(new Error("bad sector"), { code: "EIO" });
      written += length;
      return { bytesWritten: length };
    },
    sync: async () => void syncs++,
  });
  const whole = new DurableFile(handle, "x.npy");
  const writing = whole.write(new Uint8Array(10 << 20), 0);
  await whole.sync();
  t.is(written, 10 << 20);
  await writing;
  const holed = new DurableFile(handle, "x.npy");
  const [failed, later] = [holed.write(new Uint8Array(1), 100), holed.write(new Uint8Array(1), 101)];
  await t.throwsAsync(failed, { code: "ERR_WRITE_IO" });
  await later;
  await t.throwsAsync(holed.sync(), { code: "ERR_WRITE_IO", message: /bad sector/ });
  t.is(syncs, 1);
});

test("a buffer that is transferred while it is written fails the write", async (t) => {
  const handle = fileOf({ write: async (_: Uint8Array, __: number, length: number) => ({ bytesWritten: length }) });
  const bytes = new Uint8Array(9 << 20);
  const writing = new DurableFile(handle, "x.npy").write(bytes, 0);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  await t.throwsAsync(writing, { code: "ERR_WRITE_IO", message: /taken away/ });
});

test("memory does not grow with the number of writes", async (t) => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const handle = fileOf({ write: async (_: Uint8Array, __: number, length: number) => ({ bytesWritten: length }) });
  const file = new DurableFile(handle, "x.npy");
  const byte = new Uint8Array(1);
  const used = async (writes: number): Promise<number> => {
    for (let i = 0; i < writes; i++) await file.write(byte, i);
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await used(1000);
  t.true((await used(100_000)) - before < 2 << 20);
});
