import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, renameSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { fileSource, openNpy } from "../src/index.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { sourceSuite } from "./source-suite.ts";

const folder = testFolder("file-source");
const fileOf = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name);
  if (!existsSync(path)) writeFileSync(path, content);
  return path;
};

sourceSuite(test, "a file", async (_, name, content) => {
  const path = fileOf(name, content);
  return { source: await fileSource(path), held: () => openDescriptors(path) };
});

sourceSuite(test, "an open file", async (t, name, content) => {
  const handle = await open(fileOf(`handle-${name}`, content));
  t.teardown(() => handle.close());
  return { source: await fileSource(handle) };
});

test("an open file stays the caller's, at the position it had", async (t) => {
  const handle = await open(fileOf("kept", "0123456789"));
  const source = await fileSource(handle);
  await source.read(new Uint8Array(4), 5);
  await source.close();
  t.is((await handle.readFile("utf8")).length, 10);
  await handle.close();
});

test("a file: URL is opened by its path", async (t) => {
  const path = fileOf("by url", "0123456789");
  const source = await fileSource(pathToFileURL(path));
  t.is(source.path, path);
  await source.close();
});

test("a file that was cut is ERR_SOURCE_TRUNCATED, whether the read reaches what is gone or not", async (t) => {
  const path = fileOf("cut", Buffer.alloc(10_000, 1));
  const source = await fileSource(path);
  truncateSync(path, 5000);
  for (const [position, length] of [
    [6000, 100],
    [4000, 2000],
    [0, 100],
  ] as const) {
    const into = new Uint8Array(length);
    await t.throwsAsync(source.read(into, position), { code: "ERR_SOURCE_TRUNCATED", message: /10000.*5000/ });
    t.throws(() => source.readSync(into, position), { code: "ERR_SOURCE_TRUNCATED" });
  }
  t.like(await t.throwsAsync(source.read(new Uint8Array(1), 0)), { path, offset: 5000 });
  await source.close();
});

test("a file that was written to, also at the same size, is ERR_SOURCE_CHANGED from then on", async (t) => {
  const path = fileOf("written", "0123456789");
  // In the past, so that the write is in another tick of the file system's clock.
  utimesSync(path, 1000, 1000);
  const source = await fileSource(path);
  const into = new Uint8Array(4);
  await source.read(into, 0);
  const writer = await open(path, "r+");
  await writer.write("x", 2);
  await writer.close();
  for (let i = 0; i < 2; i++) {
    t.like(await t.throwsAsync(source.read(into, 0), { code: "ERR_SOURCE_CHANGED" }), { path });
    t.throws(() => source.readSync(into, 0), { code: "ERR_SOURCE_CHANGED" });
  }
  await source.close();
});

test("a file that was appended to is ERR_SOURCE_CHANGED", async (t) => {
  const path = fileOf("appended", "0123456789");
  const source = await fileSource(path);
  appendFileSync(path, "more");
  await t.throwsAsync(source.read(new Uint8Array(4), 0), { code: "ERR_SOURCE_CHANGED", message: /14 bytes/ });
  await source.close();
});

test("a file that is replaced or removed by name is read on as it was", async (t) => {
  const path = fileOf("replaced", "old content");
  const source = await fileSource(path);
  renameSync(fileOf("successor", "another one"), path);
  const into = new Uint8Array(11);
  await source.read(into, 0);
  t.is(Buffer.from(into).toString(), "old content");
  await source.close();
  const next = await fileSource(path);
  t.not(next.version, source.version);
  await next.close();
});

test("an array whose file another process modifies between two reads is not mixed of both", async (t) => {
  const path = join(folder, "array.npy");
  numpy("np.save(sys.argv[1], np.arange(100_000)); import os; os.utime(sys.argv[1], (1000, 1000))", path);
  await using array = await openNpy(path);
  await array.rows(0, 10);
  numpy("np.load(sys.argv[1], mmap_mode='r+')[:] = 7", path);
  await t.throwsAsync(array.rows(10, 20), { code: "ERR_SOURCE_CHANGED" });
});

test("a folder and a FIFO are TypeErrors, a missing file ENOENT, and nothing stays open", async (t) => {
  const place = join(folder, "place");
  mkdirSync(place);
  execFileSync("mkfifo", [join(place, "fifo")]);
  await t.throwsAsync(fileSource(place), { instanceOf: TypeError, message: /not a regular file/ });
  await t.throwsAsync(fileSource(join(place, "fifo")), { instanceOf: TypeError });
  await t.throwsAsync(fileSource(join(place, "none")), { code: "ENOENT" });
  t.is(openDescriptors(place), 0);
});

test("a read under way when the source is closed fails, and the descriptor is given back after it", async (t) => {
  const path = fileOf("closing", Buffer.alloc(1 << 20));
  const source = await fileSource(path);
  const reading = source.read(new Uint8Array(1 << 20), 0);
  const closing = source.close();
  await t.throwsAsync(reading, { instanceOf: TypeError, message: /closed/ });
  await closing;
  t.is(openDescriptors(path), 0);
});
