import { once } from "node:events";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { openDataset, type WithMeta } from "../src/index.ts";
import { collect } from "./collect.ts";
import { countedSource } from "./counted-source.ts";

const bytes = encodeNpy(NdArray.from(Float64Array.from({ length: 1000 }, (_, i) => i)));
const open = () => openDataset({ x: bytes });

test("a stream gives the batches of the iterator and ends", async (t) => {
  await using dataset = await open();
  const options = { size: 64, shuffle: true, seed: 1 } as const;
  const rowsOf = (batches: readonly WithMeta[]) => batches.map(({ meta }) => [...meta.rowIds]);
  const streamed = await collect<WithMeta>(dataset.stream(options));
  t.deepEqual(rowsOf(streamed), rowsOf(await collect(dataset.batches(options))));
  t.is(streamed.length, 16);
});

test("a slow consumer makes the stream wait", async (t) => {
  const source = countedSource(encodeNpy(NdArray.from(new Float64Array(1_000_000))));
  await using dataset = await openDataset({ x: source });
  source.reads.length = 0;
  let seen = 0;
  const slow = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write: (_, __, done) => {
      seen++;
      if (seen === 3) {
        // One in use, one in each buffer, two read ahead, and one that is on its way.
        t.true(source.reads.length <= seen + 6, `${source.reads.length} reads`);
      }
      setTimeout(done, 2);
    },
  });
  await pipeline(dataset.stream({ size: 50_000 }), slow);
  t.is(seen, 20);
});

test("an error downstream and a break end the iteration", async (t) => {
  await using dataset = await open();
  const stream = dataset.stream({ size: 10 });
  const failing = new Writable({ objectMode: true, write: (_, __, done) => done(new Error("full")) });
  await t.throwsAsync(pipeline(stream, failing), { message: "full" });
  t.true(stream.destroyed);
  const left = dataset.stream({ size: 10 });
  for await (const _ of left) break;
  t.true(left.destroyed);
});

test("an error of a read destroys the stream with it", async (t) => {
  const broken = {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => {
      if (position > 0) throw new Error("the disk is gone");
      into.set(bytes.subarray(0, into.length));
    },
    close: async () => undefined,
  };
  await using dataset = await openDataset({ x: broken });
  await t.throwsAsync(collect(dataset.stream({ size: 10 })), { message: "the disk is gone" });
});

test("an abort destroys the stream with the reason", async (t) => {
  await using dataset = await open();
  const controller = new AbortController();
  const reason = new Error("enough");
  const stream = dataset.stream({ size: 10, signal: controller.signal });
  const caught = await t.throwsAsync(async () => {
    for await (const _ of stream) {
      controller.abort(reason);
      await sleep(1);
    }
  });
  t.is(caught, reason);
});

test("the state of a stream is behind the batch that was read out, whatever waits in its buffer", async (t) => {
  await using dataset = await open();
  const options = { size: 64, shuffle: true, seed: 1 } as const;
  const places: number[] = [];
  const stream = dataset.stream(options);
  t.is(stream.state().position, 0);
  let seen = 0;
  for await (const batch of stream) {
    await sleep(1);
    seen += (batch as WithMeta).meta.rows;
    const { epoch, position } = stream.state();
    places.push(epoch * 1000 + position);
    if (seen > 500) break;
  }
  t.deepEqual(
    places,
    Array.from({ length: 8 }, (_, i) => 64 * (i + 1)),
  );
  const rest = await collect<WithMeta>(dataset.stream({ ...options, state: stream.state() }));
  t.is(seen + rest.reduce((sum, { meta }) => sum + meta.rows, 0), 1000);

  const flowing = dataset.stream(options);
  const found: number[] = [];
  flowing.on("data", ({ meta }: WithMeta) => {
    const { epoch, position } = flowing.state();
    found.push(epoch * 1000 + position - meta.position - meta.rows);
  });
  await once(flowing, "end");
  t.true(found.length === 16 && found.every((difference) => difference === 0));
  t.deepEqual([flowing.state().epoch, flowing.state().position], [1, 0]);
});

test("an abort destroys a stream that nobody reads from", async (t) => {
  await using dataset = await open();
  const controller = new AbortController();
  const stream = dataset.stream({ size: 10, signal: controller.signal });
  stream.read();
  await sleep(5);
  const reason = new Error("enough");
  const failed = once(stream, "error");
  controller.abort(reason);
  t.deepEqual(await failed, [reason]);
  t.true(stream.destroyed);
});

test("destroying a stream ends the read that is under way, and starts no other", async (t) => {
  let [underWay, reads] = [0, 0];
  const source = {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => {
      reads++;
      underWay++;
      await sleep(5);
      into.set(bytes.subarray(position, position + into.length));
      underWay--;
    },
    close: async () => undefined,
  };
  await using dataset = await openDataset({ x: source });
  reads = 0;
  const stream = dataset.stream({ size: 10, memory: 0 });
  stream.read();
  while (reads === 0) await sleep(1);
  stream.destroy();
  await once(stream, "close");
  t.is(underWay, 0);
  const before = reads;
  await sleep(10);
  t.is(reads, before);
});
