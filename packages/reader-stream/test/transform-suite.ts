import { Readable, type Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as turn } from "node:timers/promises";
import { encodeNpy, NdArray, RowChunk } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";

/** A transform to put through the suite. It takes 40 inputs of 10 rows, of which row `i` is `[i, -i]`, as float64. */
export interface TransformCase {
  /** What titles call it. */
  readonly name: string;
  /** Makes one. */
  readonly make: (signal?: AbortSignal) => Transform;
  /** Inputs it holds at once when nobody reads, beside those that streams next to it hold. */
  readonly holds: number;
  /** What it makes of a first element. @defaultValue nothing */
  readonly expected?: (value: number) => number;
  /** Inputs. @defaultValue row chunks */
  readonly inputs?: readonly unknown[];
  /** Whether it takes a signal of its own. @defaultValue true */
  readonly takesSignal?: boolean;
}

const INPUTS = 40;
const ROWS = 10;
/** Inputs in the source's own buffer, in the transform's, on their way between, and in the consumer's. */
const AROUND = 4;

const all = Float64Array.from({ length: 2 * INPUTS * ROWS }, (_, i) => (i % 2 === 0 ? i / 2 : -(i - 1) / 2));

/** The inputs as row chunks. */
export const chunkInputs: readonly RowChunk[] = Array.from({ length: INPUTS }, (_, i) => {
  const data = all.slice(2 * ROWS * i, 2 * ROWS * (i + 1));
  return new RowChunk({ dtype: "float64", shape: [ROWS, 2], data, rowStart: ROWS * i });
});

/** The inputs as bytes of one `.npy`, the first one with the header. */
export const byteInputs: readonly Uint8Array[] = cutRows(encodeNpy(NdArray.from(all, [INPUTS * ROWS, 2])));

function cutRows(bytes: Uint8Array): Uint8Array[] {
  const offset = bytes.length - all.byteLength;
  const ends = Array.from({ length: INPUTS }, (_, i) => offset + 16 * ROWS * (i + 1));
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

/** The bytes of an array of the same type without rows. */
function withoutRows(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.subarray(0, bytes.length - 16 * ROWS)).toString("latin1");
  return Buffer.from(text.replace(`(${INPUTS * ROWS}, 2), }`, "(0, 2), }  "), "latin1");
}

/** A source that counts what it gave; it fails where it is told to. */
export function countingInputs(inputs: readonly unknown[], failAt = Number.POSITIVE_INFINITY, error?: Error) {
  const counts = { given: 0 };
  const source = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      if (counts.given === failAt) this.destroy(error);
      else this.push(inputs[counts.given] === undefined ? null : inputs[counts.given++]);
    },
  });
  return { source, counts };
}

/** A consumer in object mode. */
export function consumer(take: (chunk: RowChunk) => void | Promise<void>): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 1,
    write: (chunk: RowChunk, _, done) => {
      Promise.resolve(take(chunk)).then(() => done(), done);
    },
  });
}

/** The first element of every row. */
export function firstElements(chunk: RowChunk): number[] {
  return Array.from(chunk, (row) => Number(row.get(0)));
}

/** Waits until what is under way has had its turns. */
export async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await turn();
}

/** Runs everything that holds for every transform over row chunks. */
export function transformSuite(suite: TransformCase): void {
  const inputs = suite.inputs ?? chunkInputs;
  const expected = Array.from({ length: INPUTS * ROWS }, (_, i) => suite.expected?.(i) ?? i);
  const { name, make } = suite;

  test(`${name}: gives every row in its order and ends`, async (t) => {
    const transform = make();
    const values: number[] = [];
    const starts: number[] = [];
    let next = 0;
    const sink = consumer((chunk) => {
      values.push(...firstElements(chunk));
      starts.push(chunk.rowStart - next);
      next += chunk.length;
    });
    await pipeline(countingInputs(inputs).source, transform, sink);
    t.deepEqual(values, expected);
    t.deepEqual([...new Set(starts)], [0]);
    t.true(transform.destroyed);
  });

  test(`${name}: ends without rows where none come`, async (t) => {
    // Bytes without an array are an error, told in its own test.
    const none = inputs === chunkInputs ? [] : inputs.slice(0, 1).map((bytes) => withoutRows(bytes as Uint8Array));
    let chunks = 0;
    const sink = consumer(() => {
      chunks++;
    });
    await pipeline(countingInputs(none).source, make(), sink);
    t.is(chunks, 0);
  });

  test(`${name}: an error upstream destroys it`, async (t) => {
    const error = new Error("the disk is gone");
    const transform = make();
    let rows = 0;
    const sink = consumer((chunk) => {
      rows += chunk.length;
    });
    t.is(await t.throwsAsync(pipeline(countingInputs(inputs, 7, error).source, transform, sink)), error);
    t.true(transform.destroyed && sink.destroyed);
    t.true(rows <= 7 * ROWS);
  });

  test(`${name}: an error downstream destroys it and its source`, async (t) => {
    const error = new Error("the disk is full");
    const { source, counts } = countingInputs(inputs);
    const transform = make();
    const sink = consumer(() => Promise.reject(error));
    t.is(await t.throwsAsync(pipeline(source, transform, sink)), error);
    t.true(transform.destroyed && source.destroyed);
    const { given } = counts;
    await settle();
    t.is(counts.given, given);
    t.true(given <= suite.holds + AROUND, `${given} inputs`);
  });

  if (suite.takesSignal !== false) {
    test(`${name}: an abort destroys it with the reason untouched`, async (t) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const transform = make(controller.signal);
      const sink = consumer(() => controller.abort(reason));
      t.is(await t.throwsAsync(pipeline(countingInputs(inputs).source, transform, sink)), reason);
      t.true(transform.destroyed);
      const before = make(AbortSignal.abort(reason));
      t.is(
        await t.throwsAsync(
          pipeline(
            countingInputs(inputs).source,
            before,
            consumer(() => undefined),
          ),
        ),
        reason,
      );
    });
  }

  test(`${name}: an abort of the pipeline destroys it`, async (t) => {
    const controller = new AbortController();
    const transform = make();
    const sink = consumer(() => controller.abort());
    const { signal } = controller;
    await t.throwsAsync(pipeline(countingInputs(inputs).source, transform, sink, { signal }), { name: "AbortError" });
    t.true(transform.destroyed);
  });

  test(`${name}: leaving the loop stops it and its source`, async (t) => {
    const { source, counts } = countingInputs(inputs);
    const transform = make();
    const leave = async (chunks: AsyncIterable<RowChunk>): Promise<void> => {
      for await (const chunk of chunks) {
        t.is(chunk.rowStart, 0);
        break;
      }
    };
    // Versions of Node differ in what they say of a source that was cut short: an abort, an early close, or nothing.
    await pipeline(source, transform, leave).catch(() => undefined);
    await settle();
    t.true(transform.destroyed && source.destroyed);
    t.true(counts.given <= suite.holds + AROUND, `${counts.given} inputs`);
  });

  test(`${name}: a slow consumer has a bounded number of inputs waiting`, async (t) => {
    const { source, counts } = countingInputs(inputs);
    let rows = 0;
    let most = 0;
    const sink = consumer(async (chunk) => {
      await settle(4);
      most = Math.max(most, counts.given - rows / ROWS);
      rows += chunk.length;
    });
    await pipeline(source, make(), sink);
    t.is(rows, INPUTS * ROWS);
    t.true(most <= suite.holds + AROUND, `${most} inputs are in memory`);
  });

  test(`${name}: nobody reading stops its source`, async (t) => {
    const { source, counts } = countingInputs(inputs);
    const transform = source.pipe(make());
    await settle();
    t.true(counts.given <= suite.holds + AROUND, `${counts.given} inputs`);
    const rest: number[] = [];
    for await (const chunk of transform) rest.push(...firstElements(chunk as RowChunk));
    t.deepEqual(rest, expected);
  });
}

/** Fails with what a stream that gets these chunks fails with. */
export async function failure(t: ExecutionContext, chunks: readonly unknown[], transform: Transform): Promise<Error> {
  const error = await t.throwsAsync(
    pipeline(
      Readable.from(chunks),
      transform,
      consumer(() => undefined),
    ),
  );
  return error ?? new Error("it did not fail");
}
