import { setTimeout as sleep } from "node:timers/promises";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { BatchCounts } from "../src/batch-metrics.ts";
import { HandleFields } from "../src/handle-fields.ts";
import { bytesSource, openNpy, type SourceLike } from "../src/index.ts";
import type { OrderWindow, RowRun } from "../src/row-order.ts";
import { WindowReader } from "../src/window-reader.ts";
import { countedSource } from "./counted-source.ts";

const ROWS = 4000;
const COLUMNS = 32;
/** 128 bytes a row, and no header in what is counted. */
const bytes = encodeNpy(
  NdArray.from(
    Float32Array.from({ length: ROWS * COLUMNS }, (_, at) => Math.floor(at / COLUMNS)),
    [ROWS, COLUMNS],
  ),
);

const fieldsOf = async (source: SourceLike): Promise<HandleFields> =>
  new HandleFields(new Map([["x", { handle: await openNpy(source) }]]));

function windowOf(runs: readonly RowRun[], start = 0): OrderWindow {
  const length = runs.reduce((sum, { count }) => sum + count, 0);
  return { start, length, runs, slot: (position) => position - start };
}

function rowsIn(loaded: { readonly bytes: ReadonlyMap<string, Uint8Array> }): number[] {
  const { buffer, byteOffset, byteLength } = loaded.bytes.get("x") as Uint8Array;
  const values = new Float32Array(buffer, byteOffset, byteLength / 4);
  return Array.from({ length: values.length / COLUMNS }, (_, row) => values[(row + 1) * COLUMNS - 1] as number);
}

const rowsOf = (runs: readonly RowRun[]): number[] =>
  runs.flatMap(({ start, count }) => Array.from({ length: count }, (_, i) => start + i));

const one = { windows: 1, windowRows: ROWS };
const noNext = (): undefined => undefined;

test("a window holds the rows of its runs one behind the other, and reads at most four times what it takes", async (t) => {
  const source = countedSource(bytes);
  const fields = await fieldsOf(source);
  const gaps = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(gaps, async (steps) => {
      let row = 0;
      const runs = steps.map(([gap, count]) => {
        const run = { start: row + gap, count };
        row += gap + count;
        return run;
      });
      const counts = new BatchCounts();
      const reader = new WindowReader(fields, one, noNext, counts, {});
      source.reads.length = 0;
      t.deepEqual(rowsIn(await reader.load({ epoch: 0, window: windowOf(runs) })), rowsOf(runs));
      await reader.close();
      const read = source.reads.reduce((sum, [, length]) => sum + length, 0);
      t.true(read <= 4 * rowsOf(runs).length * 128);
      t.deepEqual([counts.reads, counts.bytes, counts.windows], [source.reads.length, read, 1]);
    }),
    { numRuns: 60 },
  );
});

test("runs within 4 KiB of each other are one read, others are not, and none is longer than 4 MiB", async (t) => {
  const source = countedSource(bytes);
  const reader = new WindowReader(await fieldsOf(source), one, noNext, new BatchCounts(), {});
  const readsOf = async (...runs: RowRun[]): Promise<number> => {
    source.reads.length = 0;
    await reader.load({ epoch: runs[0]?.start ?? 0, window: windowOf(runs, runs.at(-1)?.start) });
    return source.reads.length;
  };
  t.is(await readsOf({ start: 0, count: 16 }, { start: 48, count: 16 }), 1);
  t.is(await readsOf({ start: 1, count: 16 }, { start: 50, count: 16 }), 2);
  // Too much between for what is taken.
  t.is(await readsOf({ start: 2, count: 1 }, { start: 20, count: 1 }), 2);
  const long = encodeNpy(NdArray.from(new Float64Array(1_500_000)));
  const large = countedSource(long);
  const whole = new WindowReader(
    await fieldsOf(large),
    { windows: 1, windowRows: 1_500_000 },
    noNext,
    new BatchCounts(),
    {},
  );
  large.reads.length = 0;
  const runs = Array.from({ length: 3 }, (_, i) => ({ start: i * 500_000, count: 500_000 }));
  await whole.load({ epoch: 0, window: windowOf(runs) });
  t.true(large.reads.length >= 3 && large.reads.every(([, length]) => length <= 4 << 20));
});

test("where two windows fit the next one is read while one is used, and where one fits it is not", async (t) => {
  for (const [windows, ahead] of [
    [1, 1],
    [2, 2],
  ] as const) {
    const source = countedSource(bytes);
    const fields = await fieldsOf(source);
    source.reads.length = 0;
    const at = (index: number): OrderWindow => windowOf([{ start: index * 100, count: 100 }], index * 100);
    const next = ({ epoch, window }: { epoch: number; window: OrderWindow }) => ({
      epoch,
      window: at(window.start / 100 + 1),
    });
    const reader = new WindowReader(fields, { windows, windowRows: 100 }, next, new BatchCounts(), {});
    await reader.load({ epoch: 0, window: at(0) });
    await sleep(0);
    t.is(source.reads.length, ahead);
    const second = await reader.load({ epoch: 0, window: at(1) });
    t.deepEqual(rowsIn(second), rowsOf([{ start: 100, count: 100 }]));
    // The same window once more takes no read.
    const reads = source.reads.length;
    await reader.load({ epoch: 0, window: at(1) });
    t.is(source.reads.length, reads);
    await reader.close();
  }
});

test("a window that could not be read is read again when it is asked for again, and its memory is used again", async (t) => {
  const inner = bytesSource(bytes);
  let failures = 1;
  const source = {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => {
      if (position > 1000 && failures-- > 0) throw new Error("the disk hiccuped");
      await inner.read(into, position);
    },
    close: async () => undefined,
  };
  const counts = new BatchCounts();
  const reader = new WindowReader(await fieldsOf(source), { windows: 1, windowRows: 50 }, noNext, counts, {});
  const place = { epoch: 0, window: windowOf([{ start: 50, count: 50 }]) };
  await t.throwsAsync(reader.load(place), { message: "the disk hiccuped" });
  t.deepEqual(rowsIn(await reader.load(place)), rowsOf(place.window.runs));
  t.is(counts.snapshot().peakBytes, 50 * 128);
  await reader.close();
});

test("a disk that makes short reads wait is asked for them without the thread waiting", async (t) => {
  const inner = bytesSource(bytes);
  let [waited, asked] = [0, 0];
  const source = {
    byteLength: bytes.length,
    readSync: (into: Uint8Array, position: number) => {
      waited++;
      for (const until = performance.now() + 1; performance.now() < until; );
      inner.readSync?.(into, position);
    },
    read: async (into: Uint8Array, position: number) => {
      asked++;
      await inner.read(into, position);
    },
    close: async () => undefined,
  };
  const fields = await fieldsOf(source);
  asked = 0;
  const reader = new WindowReader(fields, one, noNext, new BatchCounts(), {});
  const runs = Array.from({ length: 60 }, (_, i) => ({ start: i * 60, count: 2 }));
  t.deepEqual(rowsIn(await reader.load({ epoch: 0, window: windowOf(runs) })), rowsOf(runs));
  // Four reads are under way when it turns out.
  t.true(waited <= 21, `${waited} reads were waited for`);
  t.is(waited + asked, 60);
  await reader.close();
});

test("an abort ends the reads of a window with its reason", async (t) => {
  const controller = new AbortController();
  const reader = new WindowReader(await fieldsOf(countedSource(bytes)), one, noNext, new BatchCounts(), {
    signal: controller.signal,
  });
  controller.abort(new Error("enough"));
  await t.throwsAsync(reader.load({ epoch: 0, window: windowOf([{ start: 0, count: 5 }]) }), { message: "enough" });
  await reader.close();
});
