import { existsSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { fileSource } from "../src/index.ts";
import { FilePool, pooledFile } from "../src/pooled-file.ts";
import { openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { sourceSuite } from "./source-suite.ts";

const folder = testFolder("pooled");

function fileOf(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  if (!existsSync(path)) writeFileSync(path, content);
  return path;
}

/** Files `a0` and so on, each of which is all its number. */
function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => fileOf(`${name}${i}`, Buffer.alloc(100, i)));
}

for (const mostOpen of [0, 10]) {
  sourceSuite(test, `a file of a pool of ${mostOpen}`, async (_, name, content) => {
    const path = fileOf(`${name}-${mostOpen}`, content);
    return { source: await pooledFile(path, new FilePool(mostOpen)), held: () => openDescriptors(path) };
  });
}

test("as many files as the pool has are open, those that were read last", async (t) => {
  const paths = numbered("few", 30);
  const within = new FilePool(5);
  const sources = await Promise.all(paths.map((path) => pooledFile(path, within)));
  const into = new Uint8Array(10);
  // A turn in between, since descriptors are closed behind the back of the reads.
  for (const [i, source] of [...sources.entries(), ...sources.entries()]) {
    await source.read(into, 50);
    t.deepEqual([...new Set(into)], [i]);
    await new Promise((resolve) => setTimeout(resolve, 1));
    t.true(openDescriptors(join(folder, "few")) <= 6, `${openDescriptors(join(folder, "few"))}`);
  }
  t.is(openDescriptors(paths[29] ?? ""), 1);
  t.is(openDescriptors(join(folder, "few0")), 0);
  sources[0]?.readSync?.(into, 0);
  t.deepEqual([...new Set(into)], [0]);
  await Promise.all(sources.map((source) => source.close()));
  t.is(openDescriptors(join(folder, "few")), 0);
});

test("a file that is read is not closed for another, and many reads at once open it once", async (t) => {
  const paths = numbered("busy", 4);
  const within = new FilePool(1);
  const sources = await Promise.all(paths.map((path) => pooledFile(path, within)));
  const reads = sources.flatMap((source, i) =>
    Array.from({ length: 20 }, async () => {
      const into = new Uint8Array(10);
      await source.read(into, 5);
      return into.every((byte) => byte === i);
    }),
  );
  t.true((await Promise.all(reads)).every((isRight) => isRight));
  await new Promise((resolve) => setTimeout(resolve, 10));
  t.true(openDescriptors(join(folder, "busy")) <= 1);
  const closing = sources.map(async (source) => {
    const reading = source.read(new Uint8Array(10), 0);
    const failing = t.throwsAsync(reading, { instanceOf: TypeError, message: /has been closed/ });
    await source.close();
    await failing;
  });
  await Promise.all(closing);
  t.is(openDescriptors(join(folder, "busy")), 0);
});

test("a file that is another one when it is opened again, or gone, is ERR_SOURCE_CHANGED", async (t) => {
  const within = new FilePool(0);
  const changes: readonly [name: string, change: (path: string) => void][] = [
    ["written", (path) => utimesSync(path, 1000, 1000)],
    ["replaced", (path) => renameSync(fileOf("successor", Buffer.alloc(100)), path)],
    ["removed", (path) => rmSync(path)],
  ];
  for (const [name, change] of changes) {
    const path = fileOf(name, Buffer.alloc(100));
    const source = await pooledFile(path, within);
    await source.read(new Uint8Array(1), 0);
    change(path);
    t.like(await t.throwsAsync(source.read(new Uint8Array(1), 0), { code: "ERR_SOURCE_CHANGED" }), { path });
    t.throws(() => source.readSync?.(new Uint8Array(1), 0), { code: "ERR_SOURCE_CHANGED" });
    await source.close();
    t.is(openDescriptors(path), 0);
  }
});

test("its version is that of a file source, so that fingerprints are the same", async (t) => {
  const path = fileOf("version-of", "0123456789");
  const [pooled, file] = [await pooledFile(path), await fileSource(path)];
  t.is(pooled.version, file.version);
  await pooled.close();
  await file.close();
  await t.throwsAsync(pooledFile(join(folder, "missing")), { code: "ENOENT" });
});
