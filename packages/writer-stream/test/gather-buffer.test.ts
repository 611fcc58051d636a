import { setTimeout as sleep } from "node:timers/promises";
import type { ByteSink } from "@npystream/codec";
import test from "ava";
import { GatherBuffer } from "../src/gather-buffer.ts";

/** A sink in memory that takes its time, and counts its writes. */
class SlowSink implements ByteSink {
  readonly seekable = true;
  readonly writes: number[] = [];
  bytes: Uint8Array = new Uint8Array(0);
  onWrite: () => void = () => undefined;
  failure: Error | undefined;

  async write(bytes: Uint8Array, position: number = this.bytes.length): Promise<void> {
    this.writes.push(bytes.length);
    this.onWrite();
    await sleep(1);
    if (this.failure) throw this.failure;
    const grown = new Uint8Array(Math.max(this.bytes.length, position + bytes.length));
    grown.set(this.bytes);
    grown.set(bytes, position);
    this.bytes = grown;
  }

  async commit(): Promise<void> {}

  async abort(): Promise<void> {}
}

const none = (): void => undefined;
const fill = (length: number, start = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => start + i);

test("what is held never passes the capacity, however slow the sink and whatever the size of the pieces", async (t) => {
  for (const capacity of [0, 100, 128, 1000, 4096]) {
    const sink = new SlowSink();
    const gather = new GatherBuffer(sink, capacity, none);
    let most = 0;
    const note = (): void => {
      most = Math.max(most, gather.bufferedBytes);
    };
    sink.onWrite = note;
    let expected = new Uint8Array(0);
    for (const length of [1, 63, 64, 65, 500, 501, 2047, 2048, 2049, 7000, 0, 3, 130, 1]) {
      const piece = fill(length, length);
      await gather.write(piece);
      expected = Uint8Array.from([...expected, ...piece]);
      piece.fill(0xee);
      note();
    }
    await gather.drain();
    t.true(most <= capacity, `${most} of ${capacity}`);
    t.deepEqual(sink.bytes, expected);
    t.is(gather.byteLength, expected.length);
    t.is(gather.bufferedBytes, 0);
  }
});

test("small pieces leave in whole pages, a piece above a page as it is", async (t) => {
  const sink = new SlowSink();
  const gather = new GatherBuffer(sink, 2 << 20, none);
  for (let i = 0; i < 4096; i++) await gather.write(fill(512));
  await gather.write(new Uint8Array(3 << 20));
  await gather.drain();
  t.deepEqual(sink.writes, [64 << 10, 1 << 20, (1 << 20) - (64 << 10), 3 << 20]);
});

test("rows of every type are copied as their bytes, aligned in the page or not", async (t) => {
  const sink = new SlowSink();
  const gather = new GatherBuffer(sink, 4096, none);
  const rows = [
    Float64Array.of(1.5, -2),
    Uint8Array.of(7),
    Float32Array.of(0.1),
    BigInt64Array.of(-1n),
    Uint16Array.of(1, 2, 3),
    new Uint8ClampedArray([1, 2, 3]),
    Int8Array.of(-1),
  ];
  for (const row of rows) t.true(gather.take(row));
  await gather.drain();
  t.deepEqual(Buffer.from(sink.bytes), Buffer.concat(rows.map((row) => Buffer.from(row.buffer))));
});

test("a piece is taken whole or not at all while a page is being written", async (t) => {
  const sink = new SlowSink();
  const gather = new GatherBuffer(sink, 256, none);
  t.true(gather.take(fill(128)));
  t.true(gather.take(fill(100)));
  t.false(gather.take(fill(29)));
  t.true(gather.take(fill(28)));
  t.is(gather.bufferedBytes, 256);
  await gather.drain();
  t.true(gather.take(fill(29)));
});

test("the start is rewritten where it is: in the page, or in the sink", async (t) => {
  for (const length of [10, 5000]) {
    const sink = new SlowSink();
    const gather = new GatherBuffer(sink, 1024, none);
    await gather.write(new Uint8Array(length));
    const writes = sink.writes.length;
    await gather.rewriteStart(Uint8Array.of(1, 2, 3));
    if (length === 10) t.is(sink.writes.length, writes);
    await gather.drain();
    t.deepEqual(sink.bytes.subarray(0, 4), Uint8Array.of(1, 2, 3, 0));
    t.is(sink.bytes.length, length);
  }
});

test("a page that cannot be written is told at once and fails whatever comes after", async (t) => {
  const sink = new SlowSink();
  sink.failure = new Error("gone");
  const told: unknown[] = [];
  const gather = new GatherBuffer(sink, 256, (error) => told.push(error));
  await gather.write(fill(100));
  await gather.write(fill(100));
  await t.throwsAsync(gather.drain(), { is: sink.failure });
  t.deepEqual(told, [sink.failure]);
  t.false(gather.take(fill(1)));
  await t.throwsAsync(gather.write(fill(1)), { is: sink.failure });
  await t.throwsAsync(gather.write(fill(1000)), { is: sink.failure });
});
