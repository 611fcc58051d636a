import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ByteSink, decodeNpy, NdArray } from "@npystream/codec";
import { createNpyWriteStream } from "@npystream/writer-stream";
import type { TestFn } from "ava";

/** A sink under test, and what can be seen of it from outside. */
export interface SinkUnderTest {
  readonly sink: ByteSink;
  /** What arrived for good; undefined where nothing did. */
  readonly committed: () => Uint8Array | undefined;
  /** What the sink still holds: files, descriptors. */
  readonly leftovers: () => readonly string[] | Promise<readonly string[]>;
}

/** Opens sinks for the suite, slow ones where asked. */
export type OpenSink = (options?: { readonly slow?: boolean }) => Promise<SinkUnderTest>;

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** What every sink does, by itself and under a write stream. */
export function sinkSuite(test: TestFn, name: string, open: OpenSink): void {
  test(`${name}: what is written arrives in order, once it is committed`, async (t) => {
    const { sink, committed, leftovers } = await open();
    const buffer = bytes(1, 2, 3);
    await sink.write(buffer);
    // Done with it, so it may change.
    buffer.fill(9);
    await sink.write(bytes());
    await sink.write(bytes(0, 4, 5, 0).subarray(1, 3));
    await sink.commit();
    t.deepEqual(committed(), bytes(1, 2, 3, 4, 5));
    t.deepEqual(await leftovers(), []);
    await t.notThrowsAsync(sink.abort());
    t.deepEqual(committed(), bytes(1, 2, 3, 4, 5));
  });

  test(`${name}: a position is written to, or refused with a TypeError`, async (t) => {
    const { sink, committed } = await open();
    await sink.write(bytes(1, 2, 3));
    if (!sink.seekable) {
      t.throws(() => void sink.write(bytes(7), 1), { instanceOf: TypeError });
      await sink.abort();
      return;
    }
    await sink.write(bytes(7), 1);
    await sink.write(bytes(4));
    await sink.commit();
    t.deepEqual(committed(), bytes(1, 7, 3, 4));
  });

  test(`${name}: an abort leaves nothing, twice is harmless, and nothing can be committed after it`, async (t) => {
    const { sink, committed, leftovers } = await open();
    await sink.write(bytes(1, 2, 3));
    await sink.abort();
    await sink.abort();
    t.is(committed(), undefined);
    t.deepEqual(await leftovers(), []);
    await t.throwsAsync(sink.write(bytes(4)), { code: "ERR_WRITE_IO" });
    await t.throwsAsync(sink.commit(), { code: "ERR_WRITE_IO" });
    t.is(committed(), undefined);
  });

  test(`${name}: a commit waits for what is still being written`, async (t) => {
    const { sink, committed } = await open();
    const large = new Uint8Array(9 << 20).fill(7);
    const writing = sink.write(large);
    await sink.commit();
    await writing;
    t.is(Buffer.compare(committed() ?? bytes(), large), 0);
  });

  test(`${name}: after a write that failed nothing can be committed, though it was caught`, async (t) => {
    const { sink, committed, leftovers } = await open();
    if (!sink.seekable) {
      t.pass("what makes it fail differs from sink to sink");
      await sink.abort();
      return;
    }
    await sink.write(bytes(1, 2, 3));
    await t.throwsAsync(sink.write(bytes(4), Number.MAX_SAFE_INTEGER), { code: "ERR_WRITE_IO" });
    await sink.write(bytes(5), 3);
    await t.throwsAsync(sink.commit(), { code: "ERR_WRITE_IO" });
    t.is(committed(), undefined);
    t.deepEqual(await leftovers(), []);
  });

  test(`${name}: a stream ends normally`, async (t) => {
    const { sink, committed, leftovers } = await open();
    await pipeline(chunks(300), createNpyWriteStream(sink, { rows: 300 * 64, dtype: "float64", rowShape: [8] }));
    checkRows(t, committed(), 300);
    t.deepEqual(await leftovers(), []);
  });

  test(`${name}: a slow sink holds the source back and gets everything`, async (t) => {
    const { sink, committed } = await open({ slow: true });
    const out = createNpyWriteStream(sink, { rows: 60 * 64, highWaterMark: 8192 });
    for (const chunk of chunks(60)) if (!out.write(chunk)) await once(out, "drain");
    await out.finish();
    checkRows(t, committed(), 60);
  });

  test(`${name}: an error upstream aborts`, async (t) => {
    const { sink, committed, leftovers } = await open();
    const failure = new Error("upstream");
    const source = Readable.from(
      (function* () {
        yield* chunks(20);
        throw failure;
      })(),
    );
    const out = createNpyWriteStream(sink, { rows: 300 * 64, highWaterMark: 4096 });
    await t.throwsAsync(pipeline(source, out), { is: failure });
    if (!out.closed) await new Promise((done) => out.once("close", done));
    t.is(committed(), undefined);
    t.deepEqual(await leftovers(), []);
  });

  test(`${name}: an abort of the signal midway rejects with its reason`, async (t) => {
    const { sink, committed, leftovers } = await open({ slow: true });
    const controller = new AbortController();
    const out = createNpyWriteStream(sink, { rows: 300 * 64, highWaterMark: 4096, signal: controller.signal });
    const reason = new Error("enough");
    const writing = async (): Promise<void> => {
      let count = 0;
      for (const chunk of chunks(300)) {
        if (count++ === 20) controller.abort(reason);
        await out.push(chunk);
      }
    };
    await t.throwsAsync(writing, { is: reason });
    await t.throwsAsync(out.finish(), { is: reason });
    t.is(committed(), undefined);
    t.deepEqual(await leftovers(), []);
  });

  test(`${name}: a stream destroyed midway, while a write waits, leaves nothing`, async (t) => {
    const { sink, committed, leftovers } = await open({ slow: true });
    const out = createNpyWriteStream(sink, { rows: 300 * 64, highWaterMark: 4096 });
    const pushes = Array.from(chunks(20), (chunk) => out.push(chunk));
    await pushes[0];
    out.destroy();
    const outcomes = await Promise.allSettled(pushes);
    t.is(outcomes.at(-1)?.status, "rejected");
    if (!out.closed) await once(out, "close");
    t.is(committed(), undefined);
    t.deepEqual(await leftovers(), []);
  });
}

/** A sink under test that can be made to fail. */
export interface BreakableSink extends SinkUnderTest {
  readonly breakSink: () => void;
}

/** What a stream does when its sink fails midway; for sinks that can be made to. */
export function brokenSinkTest(test: TestFn, name: string, open: () => Promise<BreakableSink>): void {
  test(`${name}: an error of the sink ends the source with ERR_WRITE_IO`, async (t) => {
    const { sink, committed, leftovers, breakSink } = await open();
    const source = Readable.from(
      (function* () {
        yield* chunks(20);
        breakSink();
        yield* chunks(1000);
      })(),
      { highWaterMark: 1 },
    );
    const out = createNpyWriteStream(sink, { rows: 1020 * 64, highWaterMark: 4096 });
    await t.throwsAsync(pipeline(source, out), { code: "ERR_WRITE_IO" });
    t.true(source.destroyed);
    if (!out.closed) await new Promise((done) => out.once("close", done));
    t.is(committed(), undefined);
    t.deepEqual(await leftovers(), []);
  });

  test(`${name}: an error of the sink that was caught fails the commit too`, async (t) => {
    const { sink, committed, breakSink } = await open();
    await sink.write(bytes(1));
    breakSink();
    await sink.write(bytes(2)).catch(() => undefined);
    await t.throwsAsync(sink.commit(), { code: "ERR_WRITE_IO" });
    t.is(committed(), undefined);
  });
}

/** 64 rows of 8 float64 each: 4 KiB. */
function* chunks(count: number): Generator<NdArray> {
  for (let i = 0; i < count; i++) yield NdArray.from(new Float64Array(512).fill(i), [64, 8]);
}

function checkRows(
  t: { is(a: unknown, b: unknown): void; true(a: boolean): void },
  found: Uint8Array | undefined,
  count: number,
): void {
  const array = decodeNpy(found ?? new Uint8Array(), { strict: true });
  t.is(array.shape.join(), `${count * 64},8`);
  t.true((array.data as Float64Array).every((value, i) => value === Math.floor(i / 512)));
}
