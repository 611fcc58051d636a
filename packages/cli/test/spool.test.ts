import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import test from "ava";
import { spool } from "../src/spool.ts";

// A folder of its own, so that others at work in the common one are not seen.
const folder = mkdtempSync(join(tmpdir(), "npystream-spool-"));
process.env["TMPDIR"] = folder;
test.after.always(() => rmSync(folder, { recursive: true }));
const left = (): string[] => readdirSync(folder);
const open = (): string[] =>
  readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)].filter((target) => target.startsWith(folder));
    } catch {
      // The one that listed the others is closed by now.
      return [];
    }
  });

test.serial("a stream becomes a file without a name, read by position", async (t) => {
  const bytes = Buffer.alloc(3 << 20, "abcdefg");
  const file = await spool(Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]));
  t.deepEqual([left().length, open().length], [0, 1]);
  const into = Buffer.alloc(1000);
  await file.read(into, 0, 1000, 2 << 20);
  t.deepEqual(into, bytes.subarray(2 << 20, (2 << 20) + 1000));
  t.is((await file.stat()).size, bytes.length);
  await file.close();
  t.deepEqual([left(), open()], [[], []]);
});

test.serial("a stream that fails leaves no file open and none behind", async (t) => {
  const broken = new Readable({
    read() {
      this.destroy(new Error("cut off"));
    },
  });
  await t.throwsAsync(spool(broken), { message: "cut off" });
  t.deepEqual([left(), open()], [[], []]);
});
