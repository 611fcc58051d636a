import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { ByteSink } from "@npystream/codec";
import { createNpyWriteStream, fileSink, writeNpy } from "@npystream/writer-stream";
import test from "ava";
import { openFiles } from "./open-files.ts";
import { sinkSuite } from "./sink-suite.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-file-sink-"));
test.after.always(() => rmSync(folder, { recursive: true }));
let folders = 0;
const newFolder = (): string => {
  const path = join(folder, `${folders++}`);
  mkdirSync(path);
  return path;
};

/** The same file, written slowly. */
function slowed(sink: ByteSink): ByteSink {
  return {
    seekable: sink.seekable,
    write: async (bytes, position) => {
      await sleep(1);
      await sink.write(bytes, position);
    },
    commit: () => sink.commit(),
    abort: () => sink.abort(),
  };
}

sinkSuite(test, "a file", async ({ slow = false } = {}) => {
  const place = newFolder();
  const path = join(place, "x.npy");
  const sink = await fileSink(path);
  return {
    sink: slow ? slowed(sink) : sink,
    committed: () => (existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined),
    leftovers: () => [...readdirSync(place).filter((name) => name !== "x.npy"), ...openFiles(place)],
  };
});

test("a file has its name only at the commit, and until then a hidden one beside it", async (t) => {
  const place = newFolder();
  const sink = await fileSink(join(place, "x.npy"));
  await sink.write(Uint8Array.of(1));
  const [partial = "", ...others] = readdirSync(place);
  t.regex(partial, /^\.x\.npy\..+\.partial$/);
  t.deepEqual(others, []);
  t.is(openFiles(place).length, 1);
  await sink.commit();
  t.deepEqual(readdirSync(place), ["x.npy"]);
  t.deepEqual(openFiles(place), []);
  t.is(sink.path, join(place, "x.npy"));
});

test("an existing target is ERR_WRITE_EXISTS right away, and stays", async (t) => {
  const path = join(newFolder(), "x.npy");
  writeFileSync(path, "old");
  await t.throwsAsync(fileSink(path), { code: "ERR_WRITE_EXISTS" });
  const out = createNpyWriteStream(path);
  const error = await t.throwsAsync(out.push([1]), { code: "ERR_WRITE_EXISTS" });
  t.like(error, { path });
  t.is(readFileSync(path, "utf8"), "old");
});

test("a target that appears meanwhile is ERR_WRITE_EXISTS at the commit, and stays", async (t) => {
  const place = newFolder();
  const path = join(place, "x.npy");
  const sink = await fileSink(path);
  await sink.write(Uint8Array.of(1));
  writeFileSync(path, "other");
  await t.throwsAsync(sink.commit(), { code: "ERR_WRITE_EXISTS" });
  t.is(readFileSync(path, "utf8"), "other");
  t.deepEqual(readdirSync(place), ["x.npy"]);
  t.deepEqual(openFiles(place), []);
});

test("of two writers of one name one wins, whole", async (t) => {
  const place = newFolder();
  const path = join(place, "x.npy");
  const outcomes = await Promise.allSettled(
    [1, 2, 3, 4].map((value) => writeNpy(path, new Float64Array(1000).fill(value))),
  );
  t.is(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  for (const outcome of outcomes) if (outcome.status === "rejected") t.is(outcome.reason.code, "ERR_WRITE_EXISTS");
  await Promise.all([5, 6, 7].map((value) => writeNpy(path, new Float64Array(1000).fill(value), { overwrite: true })));
  t.is(statSync(path).size, 8128);
  t.deepEqual(readdirSync(place), ["x.npy"]);
});

test("an existing file that is overwritten stays as it was until the commit, and after an abort", async (t) => {
  const place = newFolder();
  const path = join(place, "x.npy");
  writeFileSync(path, "old");
  const aborted = await fileSink(path, { overwrite: true });
  await aborted.write(Uint8Array.of(1));
  t.is(readFileSync(path, "utf8"), "old");
  await aborted.abort();
  t.is(readFileSync(path, "utf8"), "old");
  const sink = await fileSink(path, { overwrite: true });
  await sink.write(Uint8Array.from(Buffer.from("new")));
  await sink.commit();
  t.is(readFileSync(path, "utf8"), "new");
  t.deepEqual(readdirSync(place), ["x.npy"]);
});

test("an abort during the commit comes before the name is given or too late, never in between", async (t) => {
  for (let round = 0; round < 20; round++) {
    const place = newFolder();
    const path = join(place, "x.npy");
    const sink = await fileSink(path);
    await sink.write(new Uint8Array(1000));
    const committed = sink.commit().then(
      () => true,
      () => false,
    );
    for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
    await sink.abort();
    t.deepEqual(readdirSync(place), (await committed) ? ["x.npy"] : []);
    t.deepEqual(openFiles(place), []);
  }
});

test("a new file has the permissions the umask leaves, an overwritten one keeps its own", async (t) => {
  const place = newFolder();
  const path = join(place, "x.npy");
  writeFileSync(join(place, "usual"), "");
  await writeNpy(path, [1]);
  t.is(statSync(path).mode, statSync(join(place, "usual")).mode);
  chmodSync(path, 0o640);
  await writeNpy(path, [2], { overwrite: true });
  t.is(statSync(path).mode & 0o777, 0o640);
});

test("a symbolic link stays one, and what it points to is replaced", async (t) => {
  const place = newFolder();
  const elsewhere = join(newFolder(), "data.npy");
  const path = join(place, "link.npy");
  writeFileSync(elsewhere, "old");
  symlinkSync(elsewhere, path);
  await t.throwsAsync(writeNpy(path, [1]), { code: "ERR_WRITE_EXISTS" });
  await writeNpy(path, [1], { overwrite: true });
  t.is(readlinkSync(path), elsewhere);
  t.is(statSync(elsewhere).size, 136);
});

test("a hard link to the old file keeps the old bytes", async (t) => {
  const place = newFolder();
  writeFileSync(join(place, "x.npy"), "old");
  linkSync(join(place, "x.npy"), join(place, "kept"));
  await writeNpy(join(place, "x.npy"), [1], { overwrite: true });
  t.is(readFileSync(join(place, "kept"), "utf8"), "old");
});

test("a file: URL and a relative path name the file, the latter from where the process is now", async (t) => {
  const place = newFolder();
  const byUrl = await fileSink(pathToFileURL(join(place, "a b.npy")));
  t.is(byUrl.path, join(place, "a b.npy"));
  await byUrl.abort();
  const byRelative = await fileSink(relative(process.cwd(), join(place, "x.npy")));
  t.is(byRelative.path, join(place, "x.npy"));
  await byRelative.abort();
});

test("where no file can be made the error is ERR_WRITE_IO with path and cause", async (t) => {
  const place = newFolder();
  writeFileSync(join(place, "file"), "");
  mkdirSync(join(place, "folder"));
  for (const [path, errno] of [
    [join(place, "absent", "x.npy"), "ENOENT"],
    [join(place, "file", "x.npy"), "ENOTDIR"],
    [join(place, "n".repeat(300)), "ENAMETOOLONG"],
  ] as const) {
    const error = await t.throwsAsync(fileSink(path), { code: "ERR_WRITE_IO" });
    t.like(error, { path, cause: { code: errno } });
  }
  symlinkSync("folder", join(place, "link"));
  for (const [path, message] of [
    [join(place, "folder"), /is a folder and is not replaced/],
    [join(place, "link"), /is a folder and is not replaced/],
    ["/dev/null", /is not a regular file and is not replaced/],
  ] as const) {
    for (const overwrite of [true, false]) {
      await t.throwsAsync(fileSink(path, { overwrite }), { code: "ERR_WRITE_IO", message });
    }
  }
  symlinkSync("nothing", join(place, "broken"));
  await t.throwsAsync(fileSink(join(place, "broken")), { code: "ERR_WRITE_EXISTS" });
  await t.throwsAsync(fileSink(join(place, "broken"), { overwrite: true }), { code: "ERR_WRITE_IO" });
  await t.throwsAsync(fileSink(""), { instanceOf: TypeError, message: /empty/ });
  await t.throwsAsync(fileSink("a\0b"), { instanceOf: TypeError });
  await t.throwsAsync(fileSink(join(place, "x"), { overWrite: true } as object), { instanceOf: TypeError });
  await t.throwsAsync(fileSink(new URL("https://example.org/x.npy")), { instanceOf: TypeError });
});

test("a file that the system refuses to let grow is ERR_WRITE_IO, the partial is gone and the target as it was", (t) => {
  const place = newFolder();
  const path = join(place, "x.npy");
  writeFileSync(path, "old");
  // ulimit -f counts in blocks of 512 or 1024 bytes: at most 2 MiB.
  const script = join(import.meta.dirname, "writer-process.ts");
  const { stdout, stderr } = spawnSync(
    "sh",
    [
      "-c",
      'ulimit -f 2048 && exec "$0" "$@"',
      process.execPath,
      ...process.execArgv,
      "--conditions=@npystream/source",
      "--import=tsx",
      script,
      "grow",
      path,
    ],
    { encoding: "utf8", env: { ...process.env, TSX_DISABLE_CACHE: "1" } },
  );
  t.deepEqual(stdout.split("\n").filter(Boolean), ["ERR_WRITE_IO EFBIG", "ERR_WRITE_IO EFBIG"], stderr);
  t.is(readFileSync(path, "utf8"), "old");
  t.deepEqual(readdirSync(place), ["x.npy"]);
});
