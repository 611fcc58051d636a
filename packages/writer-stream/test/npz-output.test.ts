import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteSink } from "@npystream/codec";
import { createNpzWriter, streamSink, writeNpz } from "@npystream/writer-stream";
import test from "ava";
import { MemoryWritable } from "./memory-writable.ts";
import { NumpyChecker } from "./numpy-checker.ts";
import { openFiles } from "./open-files.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-npz-output-"));
const numpy = new NumpyChecker();
test.after.always(() => {
  numpy.close();
  rmSync(folder, { recursive: true });
});

/** Rows 4 KB long; a chunk is 400 KB, more than a member may be before it gets a place. */
const row = (value: number, rows = 100): Float32Array => new Float32Array(1024 * rows).fill(value);
const rowsOf = (values: readonly number[]): string =>
  `np.repeat(np.array([${values.join(", ")}], 'f4'), 102400).reshape(-1, 1024)`;
const options = { rowShape: [1024] };

/** A target that keeps what it is given and counts writes; one that cannot seek takes no positions. */
class MemorySink implements ByteSink {
  readonly seekable: boolean;
  bytes = Buffer.alloc(0);
  writes = 0;
  aborted: unknown;

  constructor(seekable: boolean) {
    this.seekable = seekable;
  }

  async write(bytes: Uint8Array, position: number = this.bytes.length): Promise<void> {
    if (!this.seekable && position !== this.bytes.length) throw new TypeError("this sink cannot seek");
    this.writes++;
    const behind = this.bytes.subarray(Math.min(this.bytes.length, position + bytes.length));
    this.bytes = Buffer.concat([this.bytes.subarray(0, position), bytes, behind]);
  }

  async commit(): Promise<void> {}

  async abort(reason: unknown): Promise<void> {
    this.aborted = reason;
  }
}

const interleaves = test.macro({
  title: (_, compress: boolean) =>
    `members open at once, ${compress ? "deflated" : "stored"}, wait for nobody and leave no file`,
  async exec(t, compress: boolean) {
    const own = mkdtempSync(join(folder, "place-"));
    const path = join(own, "set.npz");
    const archive = createNpzWriter(path, { compress });
    const [a, b, c] = [archive.member("a", options), archive.member("b", options), archive.member("c", options)];
    for (let i = 0; i < 12; i++) {
      await a.push(row(i));
      await b.push(row(i + 100));
      if (i < 6) await c.push(row(i + 200));
    }
    // Before the one that is written straight through.
    await c.finish();
    await archive.write("small", [1, 2, 3]);
    await archive.write("large", row(7));
    await b.finish();
    t.is(readdirSync(own).length, 1, "spools have no name");
    t.true(openFiles(own).filter((name) => name.endsWith("(deleted)")).length > 1);
    await a.push(row(12));
    await a.finish();
    await archive.write("end", [4]);
    const result = await archive.finish();
    const count = (length: number, from: number): number[] => Array.from({ length }, (_, i) => i + from);
    const expected = {
      a: rowsOf(count(13, 0)),
      c: rowsOf(count(6, 200)),
      small: "[1.0, 2.0, 3.0]",
      large: "np.full(102400, 7, 'f4')",
      b: rowsOf(count(12, 100)),
      end: "[4.0]",
    };
    t.deepEqual(await numpy.check(path, expected, 64), []);
    t.deepEqual(result.names, ["a", "b", "c", "small", "large", "end"]);
    t.deepEqual([readdirSync(own), openFiles(own)], [["set.npz"], []]);
  },
});
test(interleaves, false);
test(interleaves, true);

test("a spooled member frees its space as soon as it has moved", async (t) => {
  const own = mkdtempSync(join(folder, "freed-"));
  const archive = createNpzWriter(join(own, "set.npz"));
  const [a, b] = [archive.member("a", options), archive.member("b", options)];
  for (let i = 0; i < 8; i++) await Promise.all([a.push(row(i)), b.push(row(i))]);
  await b.finish();
  t.is(openFiles(own).length, 2);
  await a.finish();
  t.is(openFiles(own).length, 1);
  await archive.finish();
});

test("small members take one write of several to the file, and none waits for an open one", async (t) => {
  const sink = new MemorySink(true);
  const archive = createNpzWriter(sink);
  for (let i = 0; i < 500; i++) await archive.write(`a${i}`, [i]);
  const open = archive.member("open", options);
  for (let i = 0; i < 8; i++) await open.push(row(1));
  for (let i = 500; i < 1000; i++) await archive.write(`a${i}`, [i]);
  await open.finish();
  await archive.finish();
  t.true(sink.writes < 20, `${sink.writes} writes`);
  const path = join(folder, "small.npz");
  writeFileSync(path, sink.bytes);
  const name = (i: number): [string, string] => [`a${i}`, `[${i}.0]`];
  const expected = [
    ...Array.from({ length: 500 }, (_, i) => name(i)),
    ["open", rowsOf([1, 1, 1, 1, 1, 1, 1, 1])],
    ...Array.from({ length: 500 }, (_, i) => name(i + 500)),
  ];
  t.deepEqual(await numpy.check(path, Object.fromEntries(expected), 64), []);
});

const streams = test.macro({
  title: (_, compress: boolean) =>
    `a sink that cannot seek gets members that declare their rows straight through, ${compress ? "deflated" : "stored"}`,
  async exec(t, compress: boolean) {
    const sink = new MemorySink(false);
    const archive = createNpzWriter(sink, { compress, concurrency: 2 });
    const declared = archive.member("declared", { ...options, rows: 1200 });
    const random = Float32Array.from({ length: 102_400 }, (_, i) => (i * 48271) % 65521);
    for (let i = 0; i < 12; i++) {
      await declared.push(random);
      if (i === 10) t.true(sink.bytes.length > 1 << 19, "written before its end");
    }
    await declared.finish();
    const unknown = archive.member("unknown", options);
    for (let i = 0; i < 12; i++) await unknown.push(row(i));
    await unknown.finish();
    await archive.write("small", [1]);
    await archive.write("whole", row(9, 1000));
    const result = await archive.finish();
    t.is(result.byteLength, sink.bytes.length);
    t.false("path" in result);
    const path = join(folder, `streamed-${compress}.npz`);
    writeFileSync(path, sink.bytes);
    const expected = {
      declared: "np.tile((np.arange(102400, dtype='i8') * 48271 % 65521).astype('f4').reshape(-1, 1024), (12, 1))",
      unknown: rowsOf(Array.from({ length: 12 }, (_, i) => i)),
      small: "[1.0]",
      whole: "np.full(1024000, 9, 'f4')",
    };
    t.deepEqual(await numpy.check(path, expected, 64), []);
  },
});
test(streams, false);
test(streams, true);

test("small arrays give a stream the bytes that a file gets", async (t) => {
  const path = join(folder, "same.npz");
  await writeNpz(path, { x: [1], y: row(1, 2) });
  const writable = new MemoryWritable();
  await writeNpz(streamSink(writable), { x: [1], y: row(1, 2) });
  t.deepEqual(writable.bytes(), new Uint8Array(readFileSync(path)));
});

const isBounded = test.macro({
  title: (_, compress: boolean) => `a slow sink holds rows back, ${compress ? "deflated" : "stored"}`,
  async exec(t, compress: boolean) {
    let written = 0;
    const sink = new MemorySink(true);
    const target: ByteSink = {
      seekable: true,
      write: async (bytes) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        written += bytes.length;
      },
      commit: () => sink.commit(),
      abort: (reason) => sink.abort(reason),
    };
    const archive = createNpzWriter(target, { compress, level: 0, concurrency: 2 });
    const member = archive.member("x", { ...options, highWaterMark: 1 << 20 });
    let most = 0;
    for (let i = 1; i <= 80; i++) {
      await member.push(row(i));
      most = Math.max(most, i * row(i).byteLength - written);
    }
    await member.finish();
    await archive.finish();
    t.true(written >= 80 * 409_600);
    // What is gathered, and the blocks; of deflated bytes as many again.
    t.true(most <= (compress ? 6 : 2) << 20, `${most} bytes`);
  },
});
test(isBounded, false);
test(isBounded, true);

test("a sink of the caller's is told why it is aborted", async (t) => {
  const sink = new MemorySink(true);
  const archive = createNpzWriter(sink);
  const reason = new Error("why");
  const member = archive.member("x", options);
  await member.push(row(1));
  member.destroy(reason);
  await t.throwsAsync(archive.finish(), { is: reason });
  t.is(sink.aborted, reason);
});

test.serial("a failure of the sink is that of every member and of the archive", async (t) => {
  const cause = new Error("no more");
  const sink = new MemorySink(true);
  let left = 4;
  const target: ByteSink = {
    seekable: true,
    write: async (bytes, position) => {
      if (left-- === 0) throw cause;
      await sink.write(bytes, position);
    },
    commit: () => sink.commit(),
    abort: (reason) => sink.abort(reason),
  };
  const archive = createNpzWriter(target);
  const [a, b] = [archive.member("a", options), archive.member("b", options)];
  const fill = async (): Promise<void> => {
    for (;;) await Promise.all([a.push(row(1)), b.push(row(2))]);
  };
  await t.throwsAsync(fill(), { is: cause });
  for (const end of [a.finish(), b.finish(), archive.finish(), archive.write("c", [1])]) {
    await t.throwsAsync(end, { is: cause });
  }
  t.is(sink.aborted, cause);
  t.deepEqual(openFiles(join(tmpdir(), ".npystream.npz")), []);
});
