import { crc32, deflateRawSync } from "node:zlib";
import { encodeNpz, NdArray, portableEngine } from "@npystream/codec";
import test from "ava";
import { bytesSource, openNpz } from "../src/index.ts";
import { inflatedSource } from "../src/inflated-source.ts";
import { bytesRead, type CountedSource, countedSource } from "./counted-source.ts";
import { sourceSuite } from "./source-suite.ts";

/** Deflates a member as NumPy does, as one stream without blocks. */
const engine = {
  ...portableEngine,
  crc32: (bytes: Uint8Array, seed?: number) => crc32(bytes, seed),
  deflate: (bytes: Uint8Array, level: number) => deflateRawSync(bytes, { level }),
};

sourceSuite(test, "a deflated member", async (_, __, content) => {
  const deflated = deflateRawSync(content, { level: 1 });
  const around = Buffer.concat([Buffer.alloc(9), deflated, Buffer.alloc(9)]);
  return { source: inflatedSource(bytesSource(around), 9, deflated.length, content.length) };
});

sourceSuite(test, "a fork of a deflated member", async (_, __, content) => {
  const deflated = deflateRawSync(content, { level: 1 });
  return { source: inflatedSource(bytesSource(deflated), 0, deflated.length, content.length).fork() };
});

// 8 MiB of 131,072 rows that begin with their number, and noise so that it does not deflate to nothing.
const values = new Float64Array(131_072 * 8);
for (let i = 0; i < values.length; i++) values[i] = i % 8 === 0 ? i / 8 : Math.sin(i);
const array = NdArray.from(values, [131_072, 8]);
const bytes = encodeNpz({ a: array }, { compress: true, engine });

async function opened(source: CountedSource = countedSource(bytes)) {
  const archive = await openNpz(source);
  const handle = await archive.open("a");
  source.reads.length = 0;
  return { source, archive, handle };
}

const firstColumn = (rows: NdArray): unknown[] => Array.from(rows, (row) => row.get(0));

test("reads that go forward inflate the member once", async (t) => {
  const { source, handle } = await opened();
  for (const start of [0, 40_000, 90_000, 131_070]) {
    t.deepEqual(firstColumn(await handle.rows(start, start + 2)), [start, start + 1]);
  }
  t.true(bytesRead(source) <= bytes.length, `${bytesRead(source)} of ${bytes.length}`);
});

test("reads at once get their rows, whatever their order", async (t) => {
  const { handle } = await opened();
  const starts = [100_000, 5, 60_000, 5];
  const read = await Promise.all(starts.map((start) => handle.rows(start, start + 1)));
  t.deepEqual(read.flatMap(firstColumn), starts);
});

const streamsOnce = test.macro({
  title: (_, what: string) => `a stream ${what} inflates the member once, though a chunk takes several reads`,
  async exec(t, _what: string, step: number, options: object) {
    const { source, handle } = await opened();
    const found: unknown[] = [];
    for await (const chunk of handle.slice({ step }).stream(options)) found.push(...firstColumn(chunk));
    t.deepEqual(
      found,
      Array.from({ length: Math.ceil(array.length / step) }, (_, i) => i * step),
    );
    t.true(bytesRead(source) <= bytes.length, `${bytesRead(source)} of ${bytes.length}`);
  },
});

test(streamsOnce, "that casts", 1, { as: "float32" });
test(streamsOnce, "that casts large chunks", 1, { as: "float32", chunkBytes: 2 << 20 });
test(streamsOnce, "of a slice with gaps", 40, { chunkBytes: 128 << 10 });

test("a read that failed with its source is told as it was, and the next one starts anew", async (t) => {
  const counted = countedSource(bytes);
  const error = new Error("the network is down");
  let isDown = false;
  const { handle } = await opened({
    ...counted,
    read: async (into, position, options) => {
      if (isDown) throw error;
      await counted.read(into, position, options);
    },
  });
  t.deepEqual(firstColumn(await handle.rows(10, 11)), [10]);
  isDown = true;
  for (const start of [100_000, 100_000]) {
    t.is(await handle.rows(start, start + 1).catch((caught: unknown) => caught), error);
  }
  isDown = false;
  t.deepEqual(firstColumn(await handle.rows(100_000, 100_001)), [100_000]);
});

test("an aborted read rejects with the reason untouched, and the next one goes on", async (t) => {
  const { handle } = await opened();
  const reason = { why: "enough" };
  const controller = new AbortController();
  const reading = handle.rows(100_000, 130_000, { signal: controller.signal }).catch((error: unknown) => error);
  setImmediate(() => controller.abort(reason));
  t.is(await reading, reason);
  t.deepEqual(firstColumn(await handle.rows(100_000, 100_001)), [100_000]);
});

test("a read that waits for another is aborted at once, and the one under way goes on", async (t) => {
  const deflated = deflateRawSync(new Uint8Array(1000));
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const below = bytesSource(deflated);
  const slow = {
    ...below,
    read: async (into: Uint8Array, position: number) => held.then(() => below.read(into, position)),
  };
  const source = inflatedSource(slow, 0, deflated.length, 1000);
  const first = source.read(new Uint8Array(10), 0);
  const controller = new AbortController();
  const second = source.read(new Uint8Array(10), 0, { signal: controller.signal });
  controller.abort(null);
  t.is(await second.catch((error: unknown) => error), null);
  goOn();
  await first;
});

test("a whole read of more than is claimed at once is ERR_NPZ_SIZE before it gets memory", async (t) => {
  const deflated = deflateRawSync(new Uint8Array(1000));
  const source = inflatedSource(bytesSource(deflated), 0, deflated.length, 2 ** 45) as ReturnType<
    typeof inflatedSource
  > & {
    readWhole(): Promise<Uint8Array>;
  };
  await t.throwsAsync(source.readWhole(), { code: "ERR_NPZ_SIZE", message: /inflates to 1000/ });
});

test("a fork cannot be read any more once what it is of is closed", async (t) => {
  const deflated = deflateRawSync(new Uint8Array(1000));
  const source = inflatedSource(bytesSource(deflated), 0, deflated.length, 1000);
  const fork = source.fork();
  await fork.read(new Uint8Array(10), 0);
  await source.close();
  await t.throwsAsync(fork.read(new Uint8Array(10), 0), { instanceOf: TypeError, message: /has been closed/ });
  await fork.close();
});
