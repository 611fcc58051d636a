import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { ByteSource } from "@npystream/codec";
import test from "ava";
import { checkedSource } from "../src/checked-source.ts";
import { bytesSource, fileSource } from "../src/index.ts";
import { openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";
import { sourceSuite } from "./source-suite.ts";

const folder = testFolder("checked-source");

sourceSuite(test, "checked bytes", async (_, __, content) => {
  return { source: checkedSource(bytesSource(content), crc32(content)) };
});

sourceSuite(test, "a checked file", async (_, name, content) => {
  const path = join(folder, name);
  if (!existsSync(path)) writeFileSync(path, content);
  const source = checkedSource(await fileSource(path), crc32(content));
  return { source, held: () => openDescriptors(path) };
});

const content = new Uint8Array(1000).map((_, i) => i);
const WRONG = { code: "ERR_NPZ_CRC" };

/** The same bytes under a checksum that is another's. */
const wrong = (): ByteSource => checkedSource(bytesSource(content), crc32(content) ^ 1);

test("what is read to the end is checked, in one read or several, waited for or not", async (t) => {
  await t.throwsAsync(wrong().read(new Uint8Array(1000), 0), WRONG);
  t.throws(() => wrong().readSync?.(new Uint8Array(1000), 0), WRONG);
  const source = wrong();
  await source.read(new Uint8Array(300), 0);
  source.readSync?.(new Uint8Array(300), 300);
  // Some of it again: what lies behind the front goes on with the checksum.
  source.readSync?.(new Uint8Array(300), 400);
  await t.throwsAsync(source.read(new Uint8Array(400), 600), WRONG);
  // Whoever reads it again is told again.
  await t.throwsAsync(source.read(new Uint8Array(1000), 0), WRONG);
  const right = checkedSource(bytesSource(content), crc32(content));
  right.readSync?.(new Uint8Array(500), 0);
  await right.read(new Uint8Array(500), 500);
  t.pass();
});

test("reads that jump are handed through without a check", async (t) => {
  const source = wrong();
  await source.read(new Uint8Array(100), 100);
  source.readSync?.(new Uint8Array(100), 900);
  t.is(source.bytes?.(0, 1000)?.length, 1000);
  // A read that waits has no checksum yet that one that does not wait could go on with.
  const reading = source.read(new Uint8Array(500), 0);
  source.readSync?.(new Uint8Array(500), 500);
  await reading;
});

test("reads at once are checked in their order", async (t) => {
  const counted = countedSource(content);
  const source = checkedSource(counted, crc32(content) ^ 1);
  const reads = [0, 250, 500, 750].map((position) => source.read(new Uint8Array(250), position));
  const results = await Promise.allSettled(reads);
  t.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected"],
  );
});

test("it can do what the source below can, and nothing else", (t) => {
  const counted = checkedSource(countedSource(content), 0);
  t.deepEqual(
    [counted.readSync, counted.bytes, counted.version, "fork" in counted],
    [undefined, undefined, undefined, false],
  );
  let checks = 0;
  const below = { ...countedSource(content), version: "v1", gapBytes: 5, checkUnchanged: () => void checks++ };
  const source = checkedSource(below, 0) as typeof below;
  t.like(source, { version: "v1", gapBytes: 5 });
  source.checkUnchanged();
  t.is(checks, 1);
});

test("a long read is checked in slices of 16 MiB, and of a remote source in one request", async (t) => {
  const long = new Uint8Array(40_000_000).map((_, i) => i >> 3);
  for (const [remote, reads] of [
    [{}, 3],
    [{ gapBytes: 1 << 15 }, 1],
  ] as const) {
    const counted = countedSource(long);
    const source = checkedSource(Object.assign(counted, remote), crc32(long));
    await source.read(new Uint8Array(500), 0);
    counted.reads.length = 0;
    const into = new Uint8Array(39_999_900);
    // Some of it again.
    await source.read(into, 100);
    t.is(Buffer.compare(into, long.subarray(100)), 0);
    t.is(counted.reads.length, reads);
    const ends = counted.reads.map(([position, length]) => position + length);
    t.deepEqual(ends.toSorted((a, b) => a - b).at(-1), long.length);
  }
  const changed = long.slice();
  changed[20_000_000] = 1;
  const source = checkedSource(countedSource(changed), crc32(long));
  await t.throwsAsync(source.read(new Uint8Array(changed.length), 0), WRONG);
});
