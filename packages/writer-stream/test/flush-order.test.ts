import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createNpyWriteStream,
  createNpzWriter,
  createShardWriter,
  fileSink,
  type NpyWriteOptions,
  writeNpy,
} from "@npystream/writer-stream";
import test, { type ExecutionContext } from "ava";
import { type FileCall, recordFileCalls } from "./file-calls.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-flush-order-"));
test.after.always(() => rmSync(folder, { recursive: true }));

/** What `write` does to the files of a new folder, in its order. */
async function callsOf(
  write: (place: string) => Promise<unknown>,
  before: (place: string) => Promise<unknown> = async () => undefined,
): Promise<FileCall[]> {
  const place = mkdtempSync(join(folder, "place-"));
  await before(place);
  const { calls, stop } = recordFileCalls(place);
  try {
    await write(place);
  } finally {
    stop();
  }
  return calls;
}

const MIB = 1 << 20;
const words = (calls: readonly FileCall[]): string[] =>
  calls.map(({ call, file, to }) => `${call} ${file}${to === undefined ? "" : ` ${to}`}`);

/** That `file` was flushed after its last write and before `until`, and neither written nor flushed after that. */
function isFlushedBefore(t: ExecutionContext, calls: readonly FileCall[], file: string, until: number): void {
  const own = calls.map((call, index) => ({ ...call, index })).filter((call) => call.file === file);
  const lastWrite = own.findLast(({ call }) => call === "write" || call === "truncate")?.index ?? Number.NaN;
  const flushed = own.findLast(({ call }) => call === "sync")?.index ?? Number.NaN;
  t.true(lastWrite < flushed && flushed < until, `${file}: ${words(calls).join(", ")}`);
}

/** Where `file` got the name `to`. */
function named(calls: readonly FileCall[], to: string): number {
  return calls.findIndex((call) => (call.call === "link" || call.call === "rename") && call.to === to);
}

async function pushRows(path: string, options: NpyWriteOptions, mebibytes: number): Promise<void> {
  const out = createNpyWriteStream(path, { dtype: "uint8", rowShape: [1024], ...options });
  for (let i = 0; i < mebibytes; i++) await out.push(new Uint8Array(MIB));
  await out.finish();
}

test.serial(
  "a new file: rows, then the header with their number, the file flushed, its name, the folder flushed",
  async (t) => {
    const calls = await callsOf((place) => pushRows(join(place, "x.npy"), {}, 2));
    t.deepEqual(words(calls).slice(-5), [
      "write x.npy.partial 0",
      "sync x.npy.partial",
      "link x.npy.partial x.npy",
      "rm x.npy.partial",
      "sync .",
    ]);
    const positions = calls.filter(({ call }) => call === "write").map(({ to }) => Number(to));
    t.deepEqual(
      positions.slice(0, -1),
      positions.slice(0, -1).toSorted((a, b) => a - b),
    );
  },
);

test.serial("a file that is replaced: flushed, renamed over the old one, the folder flushed", async (t) => {
  const calls = await callsOf(
    (place) => writeNpy(join(place, "x.npy"), new Float64Array(100), { overwrite: true }),
    (place) => writeNpy(join(place, "x.npy"), [1]),
  );
  t.deepEqual(words(calls), ["write x.npy.partial 0", "sync x.npy.partial", "rename x.npy.partial x.npy", "sync ."]);
});

test.serial("flushes that begin while more is written are no substitute for the one at the end", async (t) => {
  for (const write of [
    (path: string) => pushRows(path, {}, 40),
    (path: string) => writeNpy(path, new Uint8Array(40 * MIB)),
  ]) {
    const calls = await callsOf((place) => write(join(place, "x.npy")));
    t.true(calls.some(({ call }) => call === "datasync"));
    isFlushedBefore(t, calls, "x.npy.partial", named(calls, "x.npy"));
    t.is(words(calls).at(-1), "sync .");
  }
});

test.serial("an append: rows, flush, the header's bytes by one write, flush", async (t) => {
  const calls = await callsOf(
    (place) => pushRows(join(place, "x.npy"), { mode: "append" }, 20),
    (place) => pushRows(join(place, "x.npy"), {}, 1),
  );
  const own = calls.filter(({ file, call }) => file === "x.npy" && call !== "datasync");
  const [header, ...rest] = words(own.slice(-2));
  t.regex(header ?? "", /^write x\.npy \d\d$/);
  t.deepEqual(rest, ["sync x.npy"]);
  const before = own.slice(0, -2);
  t.is(before.at(-1)?.call, "sync");
  t.true(before.slice(0, -1).every(({ call, to }) => call === "write" && Number(to) >= 128 + MIB));
});

test.serial("shards: each flushed before its name, the manifest after all of them, the folder flushed", async (t) => {
  const write = (overwrite: boolean) => async (place: string) => {
    const names = { x: join(place, "x-{shard:02}.npy"), y: join(place, "y-{shard:02}.npy") };
    const out = createShardWriter(names, { maxRows: 4, manifest: "all.json", overwrite });
    for (let i = 0; i < 5; i++)
      await out.push({
        x: [
          [i, i],
          [i, i],
        ],
        y: [i, i],
      });
    await out.finish();
  };
  const shards = ["x-00.npy", "y-00.npy", "x-01.npy", "y-01.npy", "x-02.npy", "y-02.npy"];
  for (const overwrite of [false, true]) {
    const calls = await callsOf(write(overwrite), overwrite ? write(false) : undefined);
    const manifest = named(calls, "all.json");
    for (const file of shards) {
      const name = named(calls, file);
      isFlushedBefore(t, calls, `${file}.partial`, name);
      t.true(
        calls.slice(name, manifest).some(({ call, file: of }) => call === "sync" && of === "."),
        file,
      );
    }
    isFlushedBefore(t, calls, "all.json.partial", manifest);
    const first = calls.findIndex(({ file }) => file === "all.json.partial");
    t.true(shards.every((file) => named(calls, file) < first));
    t.true(words(calls.slice(manifest)).includes("sync ."));
    if (!overwrite) continue;
    const gone = words(calls).indexOf("rm all.json");
    t.is(words(calls)[gone + 1], "sync .");
    t.true(gone >= 0 && shards.every((file) => named(calls, file) > gone));
  }
});

test.serial(
  "an archive, new or added to: flushed whole with its directory, its name, the folder flushed",
  async (t) => {
    const write = (mode: "create" | "append", name: string) => async (place: string) => {
      const archive = createNpzWriter(join(place, "set.npz"), { mode });
      const member = archive.member(name, { dtype: "uint8", rowShape: [1024] });
      for (let i = 0; i < 18; i++) await member.push(new Uint8Array(MIB));
      await member.finish();
      await archive.finish();
    };
    const created = await callsOf(write("create", "a"));
    const added = await callsOf(write("append", "b"), write("create", "a"));
    for (const calls of [created, added]) {
      isFlushedBefore(t, calls, "set.npz.partial", named(calls, "set.npz"));
      t.true(words(calls.slice(named(calls, "set.npz"))).includes("sync ."));
      // The archive that is there is never written to.
      t.false(calls.some(({ call, file }) => file === "set.npz" && call !== "copyFile"));
    }
    t.is(added.findIndex(({ call }) => call === "copyFile") < named(added, "set.npz"), true);
  },
);

test.serial("an aborted file is removed, and nothing is flushed for it", async (t) => {
  const calls = await callsOf(async (place) => {
    const sink = await fileSink(join(place, "x.npy"));
    await sink.write(Uint8Array.of(1));
    await sink.abort();
    t.deepEqual(readdirSync(place), []);
  });
  t.deepEqual(words(calls), ["write x.npy.partial 0", "rm x.npy.partial"]);
});
