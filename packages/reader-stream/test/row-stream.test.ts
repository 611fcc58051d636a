import { PassThrough, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type ByteSource, encodeNpy, NdArray, type RowChunk } from "@npystream/codec";
import test from "ava";
import { openNpy, stage } from "../src/index.ts";

/** An array of 100 rows of 4 float64 in a source that counts, and can be made to fail or to wait. */
function countingSource(behaviour: { failAt?: number; error?: Error; delayMs?: number } = {}) {
  const bytes = encodeNpy(
    NdArray.from(
      Float64Array.from({ length: 400 }, (_, i) => i),
      [100, 4],
    ),
  );
  const counts = { reads: 0, underWay: 0, closed: 0 };
  const source: ByteSource = {
    byteLength: bytes.length,
    read: async (into, position) => {
      counts.reads++;
      counts.underWay++;
      try {
        if (behaviour.delayMs !== undefined) await sleep(behaviour.delayMs);
        if (position >= (behaviour.failAt ?? Number.POSITIVE_INFINITY)) throw behaviour.error;
        into.set(bytes.subarray(position, position + into.length));
      } finally {
        counts.underWay--;
      }
    },
    close: async () => void counts.closed++,
  };
  return { source, counts };
}

const TEN_ROWS = { chunkBytes: 320 };

test("a stream ends after its last row and closes nothing that is the handle's", async (t) => {
  const { source, counts } = countingSource();
  await using handle = await openNpy(source);
  const starts: number[] = [];
  for await (const chunk of handle.stream(TEN_ROWS)) starts.push(chunk.rowStart);
  t.deepEqual(starts, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  t.is(counts.closed, 0);
  t.is((await handle.rows(0, 1)).length, 1);
});

test("a stream of a range starts and stops where it was asked to", async (t) => {
  await using handle = await openNpy(countingSource().source);
  const rows: number[] = [];
  for await (const chunk of handle.stream({ ...TEN_ROWS, start: -13, stop: 99 })) {
    rows.push(...Array.from(chunk, (row) => Number(row.get(0)) / 4));
  }
  t.deepEqual(rows, [87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98]);
});

test("a slow consumer has two chunks read ahead and no more", async (t) => {
  const { source, counts } = countingSource();
  await using handle = await openNpy(source);
  counts.reads = 0;
  for await (const chunk of handle.stream(TEN_ROWS)) {
    await sleep(5);
    const used = chunk.rowStart / 10 + 1;
    t.true(counts.reads <= used + 3, `${counts.reads} reads for ${used} chunks`);
  }
});

test("leaving the loop stops reading", async (t) => {
  const { source, counts } = countingSource({ delayMs: 1 });
  await using handle = await openNpy(source);
  for await (const chunk of handle.stream(TEN_ROWS)) {
    t.is(chunk.rowStart, 0);
    break;
  }
  const { reads } = counts;
  t.is(counts.underWay, 0);
  await sleep(20);
  t.is(counts.reads, reads);
});

test("an abort destroys the stream with the reason untouched, and no read is begun after it", async (t) => {
  const { source, counts } = countingSource({ delayMs: 1 });
  await using handle = await openNpy(source);
  const controller = new AbortController();
  const reason = new Error("enough");
  const caught = await t.throwsAsync(async () => {
    for await (const _ of handle.stream({ ...TEN_ROWS, signal: controller.signal })) controller.abort(reason);
  });
  t.is(caught, reason);
  const { reads } = counts;
  await sleep(20);
  t.is(counts.reads, reads);
});

test("a stream made with an aborted signal fails with its reason", async (t) => {
  await using handle = await openNpy(countingSource().source);
  const reason = new Error("before");
  t.is(await t.throwsAsync(handle.stream({ signal: AbortSignal.abort(reason) }).toArray()), reason);
});

test("a read that fails destroys the stream and the pipeline behind it", async (t) => {
  const error = new Error("the disk is gone");
  await using handle = await openNpy(countingSource({ failAt: 1000, error }).source);
  const received: RowChunk[] = [];
  const sink = new Writable({
    objectMode: true,
    write: (chunk, _, done) => {
      received.push(chunk);
      done();
    },
  });
  t.is(await t.throwsAsync(pipeline(handle.stream(TEN_ROWS), new PassThrough({ objectMode: true }), sink)), error);
  t.true(received.length <= 3);
  t.true(sink.destroyed);
});

test("a consumer that fails destroys the stream", async (t) => {
  await using handle = await openNpy(countingSource().source);
  const error = new Error("the disk is full");
  const stream = handle.stream(TEN_ROWS);
  const sink = new Writable({ objectMode: true, write: (_, __, done) => done(error) });
  t.is(await t.throwsAsync(pipeline(stream, sink)), error);
  t.true(stream.destroyed);
});

test("a row longer than a chunk is a chunk of its own", async (t) => {
  await using handle = await openNpy(countingSource().source);
  const chunks = await handle.stream({ chunkBytes: 1 }).toArray();
  t.is(chunks.length, 100);
  t.throws(() => handle.stream({ chunkBytes: 0 }), { instanceOf: RangeError });
});

test("a stream goes through web streams", async (t) => {
  await using handle = await openNpy(countingSource().source);
  const { Readable } = await import("node:stream");
  let rows = 0;
  for await (const chunk of Readable.toWeb(handle.stream(TEN_ROWS))) rows += (chunk as RowChunk).length;
  t.is(rows, 100);
});

const keepsOrder = test.macro({
  title: (_, concurrency: number) => `a stage of concurrency ${concurrency} keeps the order and its bound`,
  async exec(t, concurrency: number) {
    await using handle = await openNpy(countingSource().source);
    let [running, most] = [0, 0];
    const work = stage(
      async (chunk, index) => {
        most = Math.max(most, ++running);
        await sleep(index % 3 === 0 ? 6 : 1);
        running--;
        return index === 4 ? null : chunk.slice({ stop: 5 });
      },
      { concurrency },
    );
    const starts: number[] = [];
    const firsts: number[] = [];
    for await (const chunk of handle.stream(TEN_ROWS).compose(work)) {
      starts.push(chunk.rowStart);
      firsts.push(chunk.get(0, 0) / 4);
    }
    t.deepEqual(firsts, [0, 10, 20, 30, 50, 60, 70, 80, 90]);
    t.deepEqual(starts, [0, 5, 10, 15, 20, 25, 30, 35, 40]);
    t.true(most <= concurrency);
    t.true(concurrency === 1 || most > 1);
  },
});
for (const concurrency of [1, 2, 4, 32]) test(keepsOrder, concurrency);

test("a stage that fails destroys the pipeline with its error", async (t) => {
  const { source, counts } = countingSource();
  await using handle = await openNpy(source);
  const error = new Error("cannot");
  const work = stage(
    async (chunk, index) => {
      if (index >= 2) throw error;
      return chunk;
    },
    { concurrency: 3 },
  );
  const sink = new Writable({ objectMode: true, write: (_, __, done) => done() });
  t.is(await t.throwsAsync(pipeline(handle.stream(TEN_ROWS), work, sink)), error);
  t.is(counts.underWay, 0);
});

test("an abort destroys a stage with the reason untouched", async (t) => {
  const reason = new Error("enough");
  const controller = new AbortController();
  await using handle = await openNpy(countingSource().source);
  const work = stage((chunk) => chunk, { signal: controller.signal });
  const sink = new Writable({
    objectMode: true,
    write: (_, __, done) => {
      controller.abort(reason);
      done();
    },
  });
  t.is(await t.throwsAsync(pipeline(handle.stream(TEN_ROWS), work, sink)), reason);
  t.throws(() => stage((chunk) => chunk, { concurrency: 0 }), { instanceOf: RangeError });
});

const abortsWith = test.macro({
  title: (_, reason: unknown) =>
    `a stream and a read aborted with ${JSON.stringify(reason)} fail with it, and do not end`,
  async exec(t, reason: unknown) {
    await using handle = await openNpy(countingSource({ delayMs: 1 }).source);
    const fails = async (work: Promise<unknown>): Promise<void> => {
      t.is(await work.then(() => "it ended").catch((error: unknown) => error), reason);
    };
    for (const before of [true, false]) {
      const controller = new AbortController();
      if (before) controller.abort(reason);
      const { signal } = controller;
      const loop = async (): Promise<void> => {
        for await (const chunk of handle.stream({ ...TEN_ROWS, signal })) {
          if (chunk.rowStart === 10) controller.abort(reason);
        }
      };
      await fails(loop());
      const reads = [
        handle.rows(0, 10, { signal }),
        handle.read({ signal }),
        handle.gather([1, 2], { signal }),
        handle.slice(null, 2).read({ signal }),
      ];
      for (const read of reads) await fails(read);
      const piped = pipeline(handle.stream({ ...TEN_ROWS, signal }), new PassThrough({ objectMode: true }));
      t.like(await t.throwsAsync(piped), { name: "AbortError", cause: reason });
      await fails(openNpy(countingSource().source, { signal }));
    }
  },
});

test(abortsWith, null);
test(abortsWith, 0);
