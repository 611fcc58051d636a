import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { NdArray, type RowChunk } from "@npystream/codec";
import test from "ava";
import { type StageOptions, type StageResult, stage } from "../src/index.ts";
import { chunkInputs, failure, firstElements, transformSuite } from "./transform-suite.ts";

type Work = (chunk: RowChunk, index: number) => StageResult | Promise<StageResult>;

function stageOf(work: Work, options: StageOptions) {
  return (signal?: AbortSignal) => stage(work, signal === undefined ? options : { ...options, signal });
}

const negated = (chunk: RowChunk) =>
  NdArray.from(
    (chunk.data as Float64Array).map((value) => -value),
    chunk.shape,
  );
const later = async (chunk: RowChunk, index: number) => {
  await sleep(index % 3 === 0 ? 2 : 0);
  return negated(chunk);
};
const expected = (value: number) => (value === 0 ? -0 : -value);

transformSuite({ name: "a stage of a plain function", make: stageOf(negated, {}), expected, holds: 2 });
transformSuite({ name: "a stage of an async function", make: stageOf(later, {}), expected, holds: 2 });
transformSuite({ name: "a stage of concurrency 3", make: stageOf(later, { concurrency: 3 }), expected, holds: 4 });

test("without order, results come as they are ready, with the place of their chunk", async (t) => {
  const waits = new Map<number, () => void>();
  const work = stage(
    async (chunk, index) => {
      await new Promise<void>((resolve) => waits.set(index, resolve));
      return chunk.slice({ stop: 1 });
    },
    { concurrency: 3, ordered: false },
  );
  const out = Readable.from(chunkInputs.slice(0, 4)).compose(work)[Symbol.asyncIterator]();
  const places: number[] = [];
  for (const index of [2, 0, 3, 1]) {
    const next = out.next();
    while (!waits.has(index)) await sleep(1);
    waits.get(index)?.();
    const { value } = (await next) as { value: RowChunk };
    t.is(value.get(0, 0), value.rowStart);
    places.push(value.rowStart);
  }
  t.deepEqual(places, [20, 0, 30, 10]);
  t.true((await out.next()).done);
});

test("a result whose turn it is does not wait for chunks that have not come", async (t) => {
  const source = new Readable({ objectMode: true, read: () => undefined });
  const out = source.compose(stage(later, { concurrency: 4 }))[Symbol.asyncIterator]();
  source.push(chunkInputs[0]);
  t.deepEqual(firstElements((await out.next()).value as RowChunk)[3], -3);
  source.push(chunkInputs[1]);
  t.is(((await out.next()).value as RowChunk).rowStart, 10);
  source.push(null);
  t.true((await out.next()).done);
});

const boundsWork = test.macro({
  title: (_, ordered: boolean) =>
    `no more chunks than allowed are worked on at once, ${ordered ? "in" : "without"} order`,
  async exec(t, ordered: boolean) {
    let [running, most] = [0, 0];
    const work = stage(
      async (chunk, index) => {
        most = Math.max(most, ++running);
        await sleep(index % 4 === 0 ? 4 : 0);
        running--;
        return chunk;
      },
      { concurrency: 4, ordered },
    );
    const chunks: RowChunk[] = await Readable.from(chunkInputs).compose(work).toArray();
    t.deepEqual(
      chunks.map(({ rowStart }) => rowStart).sort((a, b) => a - b),
      chunkInputs.map(({ rowStart }) => rowStart),
    );
    t.is(most, 4);
  },
});
for (const ordered of [true, false]) test(boundsWork, ordered);

test("results may be dropped and of any number of rows, which are counted anew", async (t) => {
  const work = stage((chunk, index) => (index % 2 === 0 ? chunk.slice({ stop: 4 }) : index === 3 ? null : undefined));
  const chunks: RowChunk[] = await Readable.from(chunkInputs.slice(0, 6)).compose(work).toArray();
  t.deepEqual(
    chunks.map(({ rowStart, length }) => [rowStart, length]),
    [
      [0, 4],
      [4, 4],
      [8, 4],
    ],
  );
  t.deepEqual(
    await Readable.from(chunkInputs)
      .compose(stage(() => null, { concurrency: 2 }))
      .toArray(),
    [],
  );
});

const fails = test.macro({
  title: (_, kind: string) => `what a function throws destroys the stream: ${kind}`,
  async exec(t, _kind: string, work: (error: Error) => Work, options: StageOptions) {
    const error = new Error("cannot");
    t.is(await failure(t, chunkInputs, stage(work(error), options)), error);
  },
});
const throwsAtTwo = (error: Error) => (chunk: RowChunk, index: number) => {
  if (index === 2) throw error;
  return chunk;
};
const throwsLater = (error: Error) => async (chunk: RowChunk, index: number) => throwsAtTwo(error)(chunk, index);
test(fails, "at once", throwsAtTwo, {});
test(fails, "at once, of several", throwsAtTwo, { concurrency: 3 });
test(fails, "later", throwsLater, { concurrency: 3 });
test(fails, "later, without order", throwsLater, { concurrency: 3, ordered: false });

test("what is thrown and no error is the cause of one", async (t) => {
  const error = await failure(
    t,
    chunkInputs,
    stage(() => Promise.reject("a string")),
  );
  t.is(error.cause, "a string");
});

test("a result that is no array is a TypeError", async (t) => {
  const work = (() => new Float32Array(3)) as unknown as Work;
  t.true((await failure(t, chunkInputs, stage(work))) instanceof TypeError);
});

test("options that cannot be are refused", (t) => {
  t.throws(() => stage((chunk) => chunk, { concurrency: 0 }), { instanceOf: RangeError });
  t.throws(() => stage((chunk) => chunk, { ordered: "no" as unknown as boolean }), { instanceOf: TypeError });
  t.throws(() => stage((chunk) => chunk, { order: false } as object), { instanceOf: TypeError });
  t.throws(() => stage(undefined as unknown as Work), { instanceOf: TypeError });
});
