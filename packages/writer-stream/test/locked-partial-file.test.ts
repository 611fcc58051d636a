import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { lockFile } from "../src/file-lock.ts";
import { openPartialFile } from "../src/file-sink.ts";
import { LockedPartialFile } from "../src/locked-partial-file.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-locked-"));
test.after.always(() => rmSync(folder, { recursive: true }));

test("the lock is held until the file has its name, or is gone, or could not have it", async (t) => {
  const path = join(folder, "x.npy");
  const begin = async (): Promise<LockedPartialFile> =>
    new LockedPartialFile(await openPartialFile(path, false), await lockFile(path));
  const aborted = await begin();
  await aborted.write(Uint8Array.of(1));
  await t.throwsAsync(lockFile(path), { code: "ERR_WRITE_LOCKED" });
  await aborted.abort();
  t.deepEqual(readdirSync(folder), []);

  const [late, first] = [await openPartialFile(path, false), await begin()];
  await first.write(Uint8Array.of(1, 2));
  await first.write(Uint8Array.of(3), 0);
  await first.commit();
  t.deepEqual(readFileSync(path), Buffer.of(3, 2));
  const second = new LockedPartialFile(late, await lockFile(path));
  await t.throwsAsync(second.commit(), { code: "ERR_WRITE_EXISTS" });
  t.deepEqual(readdirSync(folder), ["x.npy"]);
  await (await lockFile(path)).release();
});
