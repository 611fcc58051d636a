import { Readable } from "node:stream";
import { NdArray, RowChunk } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { rebatch } from "../src/index.ts";
import { failure, transformSuite } from "./transform-suite.ts";

const options = (signal?: AbortSignal) => (signal === undefined ? {} : { signal });

transformSuite({ name: "rebatch to more rows", make: (signal) => rebatch(25, options(signal)), holds: 5 });
transformSuite({ name: "rebatch to fewer rows", make: (signal) => rebatch(3, options(signal)), holds: 2 });
transformSuite({ name: "rebatch to the same rows", make: (signal) => rebatch(10, options(signal)), holds: 2 });

/** Chunks of these lengths whose rows are counted through. */
function chunksOf(lengths: readonly number[]): RowChunk<"int32">[] {
  let rowStart = 0;
  return lengths.map((length) => {
    const data = Int32Array.from({ length: 2 * length }, (_, i) => 2 * rowStart + i);
    const chunk = new RowChunk({ dtype: "int32", shape: [length, 2], data, rowStart });
    rowStart += length;
    return chunk;
  });
}

async function rebatched(chunks: readonly RowChunk[], rows: number): Promise<RowChunk[]> {
  return await Readable.from(chunks).compose(rebatch(rows)).toArray();
}

test("whatever comes in, every chunk but the last has exactly the rows asked for, in their order", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(12), { maxLength: 20 }),
      fc.integer({ min: 1, max: 30 }),
      async (lengths, rows) => {
        const total = lengths.reduce((sum, length) => sum + length, 0);
        const out = await rebatched(chunksOf(lengths), rows);
        t.deepEqual(
          out.map(({ length, rowStart }) => [length, rowStart]),
          Array.from({ length: Math.ceil(total / rows) }, (_, i) => [Math.min(rows, total - i * rows), i * rows]),
        );
        t.deepEqual(
          out.flatMap((chunk) => chunk.toNested() as number[][]).flat(),
          Array.from({ length: 2 * total }, (_, i) => i),
        );
      },
    ),
    { numRuns: 100 },
  );
});

test("a chunk is a view unless it crosses a border", async (t) => {
  const chunks = chunksOf([5, 4, 6]);
  const out = await rebatched(chunks, 3);
  const sources = out.map(({ data }) => chunks.findIndex((chunk) => chunk.data.buffer === data.buffer));
  t.deepEqual(sources, [0, -1, 1, 2, 2]);
  t.is((await rebatched(chunks, 5))[0], chunks[0]);
});

test("a last chunk of one piece is a view, and more rows than there are make one chunk", async (t) => {
  const chunks = chunksOf([4, 2]);
  const [, last] = await rebatched(chunks, 4);
  t.is(last, chunks[1]);
  const [only, ...others] = await rebatched(chunks, Number.MAX_SAFE_INTEGER);
  t.deepEqual([only?.shape, others.length], [[6, 2], 0]);
});

test("rows of strided views are put together in C order", async (t) => {
  const columns = NdArray.from(
    Float32Array.from({ length: 12 }, (_, i) => i),
    [2, 6],
  ).transpose();
  const { type, shape, strides, offset, data } = columns;
  const strided = new RowChunk({ dtype: type, shape, strides, offset, data, rowStart: 0 });
  const out = await rebatched([strided, strided], 4);
  t.deepEqual(
    out.flatMap((chunk) => chunk.toNested() as unknown[]),
    [...(columns.toNested() as unknown[]), ...(columns.toNested() as unknown[])],
  );
});

test("single elements are rows, and rows without elements are counted", async (t) => {
  const single = (value: number) =>
    new RowChunk({ dtype: "float64", shape: [], data: Float64Array.of(value), rowStart: 0 });
  const out = await rebatched([single(1), single(2), single(3)], 2);
  t.deepEqual(
    out.map((chunk) => chunk.toNested()),
    [[1, 2], [3]],
  );
  const hollow = new RowChunk({ dtype: "uint8", shape: [5, 0], data: new Uint8Array(0), rowStart: 0 });
  t.deepEqual(
    (await rebatched([hollow, hollow], 4)).map(({ shape }) => shape),
    [
      [4, 0],
      [4, 0],
      [2, 0],
    ],
  );
});

test("rows of two kinds are not put together", async (t) => {
  const [ints] = chunksOf([3]) as [RowChunk];
  const floats = new RowChunk({ dtype: "float32", shape: [3, 2], data: new Float32Array(6), rowStart: 0 });
  const longer = new RowChunk({ dtype: "int32", shape: [2, 3], data: new Int32Array(6), rowStart: 0 });
  const dtype = await failure(t, [ints, floats], rebatch(2));
  t.true(dtype instanceof TypeError);
  t.is(dtype.message, "chunk 1 has dtype float32, those before it have int32: cast them first");
  t.is((await failure(t, [ints, longer], rebatch(2))).message, "chunk 1 has rows of shape [3], not [2]");
});

test("a number of rows that cannot be, and an unknown option, are refused", (t) => {
  for (const rows of [0, -1, 1.5, Number.NaN]) t.throws(() => rebatch(rows), { instanceOf: RangeError });
  t.throws(() => rebatch(2, { last: "drop" } as object), { instanceOf: TypeError });
});
