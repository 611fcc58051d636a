import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNpyWriteStream, createNpzWriter, createShardWriter, writeNpy, writeNpz } from "@npystream/writer-stream";
import test from "ava";
import { openFiles } from "./open-files.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-targets-"));
test.after.always(() => rmSync(folder, { recursive: true }));

/** Begins to write `target` in a folder and gives what ends it. */
type Begin = (place: string) => Promise<() => Promise<unknown>>;

const stream = (mode: "create" | "append"): Begin => {
  return async (place) => {
    const out = createNpyWriteStream(join(place, "x.npy"), { mode });
    await out.push([1]);
    return () => out.finish();
  };
};
const archive = (mode: "create" | "append"): Begin => {
  return async (place) => {
    const out = createNpzWriter(join(place, "x.npz"), { mode });
    await out.write("x", [1]);
    return () => out.finish();
  };
};
const shards: Begin = async (place) => {
  const out = createShardWriter(join(place, "x-{shard:02}.npy"), { maxRows: 10 });
  await out.push([1]);
  return () => out.finish();
};

const appears = test.macro({
  title: (what) => `a target that appears while ${what} is written is ERR_WRITE_EXISTS and stays`,
  async exec(t, begin: Begin, target: string, left: readonly string[] = []) {
    const place = mkdtempSync(join(folder, "appears-"));
    const finish = await begin(place);
    writeFileSync(join(place, target), "other");
    const error = await t.throwsAsync(finish(), { code: "ERR_WRITE_EXISTS" });
    t.true(error.message.includes(join(place, target)), error.message);
    t.is(readFileSync(join(place, target), "utf8"), "other");
    t.deepEqual(readdirSync(place).sort(), [...left, target].sort());
    t.deepEqual(openFiles(place), []);
  },
});
test("a stream of rows", appears, stream("create"), "x.npy");
test("a file that rows were to be added to", appears, stream("append"), "x.npy");
test("an archive", appears, archive("create"), "x.npz");
test("an archive that members were to be added to", appears, archive("append"), "x.npz");
test("a shard", appears, shards, "x-00.npy");
test("a manifest", appears, shards, "x.manifest.json", ["x-00.npy"]);

test("a folder that may not be written to is ERR_WRITE_IO from every writer, and nothing changes in it", (t) => {
  const place = mkdtempSync(join(folder, "denied-"));
  for (const name of ["old.npy", "old.npz"]) writeFileSync(join(place, name), "old");
  chmodSync(place, 0o555);
  chmodSync(folder, 0o755);
  const script = join(import.meta.dirname, "writer-process.ts");
  const program = ["--conditions=@npystream/source", "--import=tsx", script, "denied", place];
  const printed = execFileSync(process.execPath, program, { encoding: "utf8" });
  chmodSync(place, 0o755);
  t.is(printed, "ERR_WRITE_IO EACCES\n".repeat(7));
  t.deepEqual(readdirSync(place), ["old.npy", "old.npz"]);
  for (const name of readdirSync(place)) t.is(readFileSync(join(place, name), "utf8"), "old");
});

test("a folder that is missing is named by every writer, and not made", async (t) => {
  const place = join(folder, "absent");
  const path = join(place, "x.npy");
  for (const write of [
    () => writeNpy(path, [1]),
    () => writeNpz(path, { x: [1] }),
    () => createNpyWriteStream(path).push([1]),
    () => createNpyWriteStream(path, { mode: "append" }).push([1]),
    () => createNpzWriter(path, { mode: "append" }).write("x", [1]),
    () => createShardWriter(join(place, "x-{shard:02}.npy"), { maxRows: 1 }).push([1]),
  ]) {
    const error = await t.throwsAsync<Error>(write, { code: "ERR_WRITE_IO" });
    t.is(error?.message, `there is no folder ${place}, and none is made: create it before`);
    t.like(error, { cause: { code: "ENOENT" } });
  }
  t.false(existsSync(place));
});

test("a folder that goes while it is written to fails the end, and is not made anew", async (t) => {
  for (const begin of [stream("create"), archive("create"), shards]) {
    const place = join(folder, "gone");
    mkdirSync(place);
    const finish = await begin(place);
    rmSync(place, { recursive: true });
    const error = await t.throwsAsync(finish(), { code: "ERR_WRITE_IO" });
    t.like(error, { cause: { code: "ENOENT" } });
    t.false(existsSync(place));
    t.deepEqual(openFiles(place), []);
  }
});
