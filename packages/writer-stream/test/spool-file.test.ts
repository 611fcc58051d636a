import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { SpoolFile } from "../src/spool-file.ts";
import { openFiles } from "./open-files.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-spool-"));
test.after.always(() => rmSync(folder, { recursive: true }));

test("what is written is read again, from a file without a name", async (t) => {
  const own = mkdtempSync(join(folder, "own-"));
  const spool = await SpoolFile.open(own, "x.npz", undefined);
  t.deepEqual(readdirSync(own), []);
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7);
  await Promise.all([spool.write(bytes.subarray(0, 10)), spool.write(bytes.subarray(10))]);
  await spool.write(Uint8Array.of(9), 0);
  t.is(spool.end, bytes.length);
  const pieces: Uint8Array[] = [];
  for await (const piece of spool.read(5, bytes.length - 5)) pieces.push(piece.slice());
  t.true(Buffer.concat(pieces).equals(bytes.subarray(5)));
  t.is(pieces.length, 3);
  await spool.close();
  t.deepEqual(openFiles(own), []);
});

test("a folder there is not is ERR_WRITE_IO with the path of the archive, and so is a spool that was cut", async (t) => {
  const target = join(folder, "missing", "x.npz");
  const error = await t.throwsAsync(SpoolFile.open(join(folder, "missing"), "x.npz", target), { code: "ERR_WRITE_IO" });
  t.like(error, { path: target });
  const spool = await SpoolFile.open(folder, "x.npz", target);
  await spool.write(Uint8Array.of(1));
  await t.throwsAsync(
    async () => {
      for await (const _ of spool.read(0, 2));
    },
    { code: "ERR_WRITE_IO" },
  );
  await spool.close();
});
