import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { encodeNpy, NdArray, type RowChunk } from "@npystream/codec";
import test from "ava";
import { ChunkMemory } from "../src/chunk-memory.ts";
import { type ArrayHandle, openNpy } from "../src/index.ts";
import { loadKoffi } from "../src/koffi-library.ts";
import { refusePooled } from "../src/pooled-memory.ts";

const ROWS = 1000;

/** An array of 1,000 rows of 4 float64, which are 32 bytes: 0 .. 3999. */
async function opened(order: "C" | "F" = "C"): Promise<ArrayHandle> {
  const values = (value: (i: number) => number) => Float64Array.from({ length: ROWS * 4 }, (_, i) => value(i));
  const byColumn = NdArray.from(
    values((i) => (i % ROWS) * 4 + Math.floor(i / ROWS)),
    [4, ROWS],
  );
  const array = order === "F" ? byColumn.transpose() : NdArray.from(values(Number), [ROWS, 4]);
  const handle = await openNpy(encodeNpy(array));
  if (handle.order !== order) throw new TypeError(`the file is in order ${handle.order}`);
  return handle;
}

const TEN_ROWS = { chunkBytes: 320, ownership: "pooled" } as const;
const all = Array.from({ length: ROWS * 4 }, (_, i) => i);

const givesEveryRow = test.macro({
  title: (_, name: string) => `a pooled stream of ${name} gives what a fresh one gives`,
  async exec(t, _name: string, order: "C" | "F", as: "float64" | "float32") {
    await using handle = await opened(order);
    const values: number[] = [];
    for await (const { data } of handle.stream({ ...TEN_ROWS, chunkBytes: 300, as })) values.push(...data);
    t.deepEqual(values, all);
  },
});

test(givesEveryRow, "rows", "C", "float64");
test(givesEveryRow, "rows that are cast", "C", "float32");
test(givesEveryRow, "a Fortran array", "F", "float64");

test("a pooled chunk is detached when the next one is asked for, and not before", async (t) => {
  await using handle = await opened();
  let before: RowChunk | undefined;
  for await (const chunk of handle.stream(TEN_ROWS)) {
    t.is(before?.data.length ?? 0, 0);
    await new Promise((resolve) => setImmediate(resolve));
    t.is(chunk.data.length, 40);
    before = chunk;
  }
  t.is(before?.data.length, 0);
});

test("a hundred pooled chunks lie in the memory of a few; fresh ones that are kept in their own", async (t) => {
  await using handle = await opened();
  const koffi = loadKoffi();
  for (const [ownership, most] of [
    ["pooled", 6],
    ["fresh", 100],
  ] as const) {
    const kept: RowChunk[] = [];
    const addresses = new Set<bigint>();
    for await (const chunk of handle.stream({ ...TEN_ROWS, ownership })) {
      addresses.add(koffi.address(new Uint8Array(chunk.data.buffer)));
      kept.push(chunk);
    }
    t.is(kept.length, 100);
    t.true(addresses.size <= most, `${addresses.size} of ${ownership}`);
    if (ownership === "fresh") t.is(addresses.size, most);
  }
});

test("a pooled chunk that the consumer transfers is its own, and the stream goes on", async (t) => {
  await using handle = await opened();
  const taken: ArrayBufferLike[] = [];
  for await (const { data } of handle.stream(TEN_ROWS)) {
    const buffer = data.buffer as ArrayBuffer;
    taken.push(structuredClone(buffer, { transfer: [buffer] }));
  }
  t.deepEqual(
    taken.flatMap((buffer) => [...new Float64Array(buffer, 0, 40)]),
    all,
  );
});

test("a pooled stream is not piped, which would keep chunks, and is iterated over by a pipeline's function", async (t) => {
  await using handle = await opened();
  const refusal = { instanceOf: TypeError, message: /for await/ };
  const stream = handle.stream(TEN_ROWS);
  t.throws(() => stream.pipe(new PassThrough({ objectMode: true })), refusal);
  stream.destroy();
  await t.throwsAsync(
    async () => await pipeline(handle.stream(TEN_ROWS), new PassThrough({ objectMode: true })),
    refusal,
  );
  let rows = 0;
  await pipeline(handle.stream(TEN_ROWS), async (chunks: AsyncIterable<RowChunk>) => {
    for await (const chunk of chunks) rows += chunk.length;
  });
  t.is(rows, ROWS);
});

test("whoever keeps memory refuses a pooled chunk", async (t) => {
  await using handle = await opened();
  for await (const chunk of handle.stream(TEN_ROWS)) {
    t.throws(() => refusePooled(chunk, "it"), { instanceOf: TypeError, message: /'fresh'/ });
    break;
  }
});

test("another ownership is a RangeError that names what there is", async (t) => {
  await using handle = await opened();
  const ownership = "borrowed" as "fresh";
  t.throws(() => handle.stream({ ownership }), { instanceOf: RangeError, message: /'fresh' or 'pooled'/ });
});

test("a chunk of another consumer's is never overwritten: data listeners keep their chunks", async (t) => {
  await using handle = await opened();
  const kept: RowChunk[] = [];
  const stream = handle.stream(TEN_ROWS);
  stream.on("data", (chunk: RowChunk) => kept.push(chunk));
  await new Promise((resolve) => stream.once("close", resolve));
  t.deepEqual(
    kept.flatMap(({ data }) => [...(data as Float64Array)]),
    all,
  );
  t.true(stream instanceof Readable);
});

test("memory that is given back serves what is no longer than it", (t) => {
  const memory = new ChunkMemory("pooled");
  const first = memory.take(100);
  memory.giveBack(first);
  t.is(first.length, 0);
  t.is(memory.take(60).buffer.byteLength, 100);
  const long = memory.take(200);
  t.is(long.buffer.byteLength, 200);
  const fresh = new ChunkMemory("fresh");
  const own = fresh.take(100);
  fresh.giveBack(own);
  t.is(own.length, 100);
});
