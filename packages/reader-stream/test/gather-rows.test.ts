import { elementType, encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { gatherRows } from "../src/gather-rows.ts";
import { bytesSource } from "../src/index.ts";
import { ShardList } from "../src/shard-list.ts";
import { StoredArray } from "../src/stored-array.ts";
import { countedSource } from "./counted-source.ts";

/** 1,000 rows of 256 bytes, of which row `i` is all `i`. */
const array = NdArray.from(
  Int32Array.from({ length: 64_000 }, (_, i) => Math.floor(i / 64)),
  [1000, 64],
);
const bytes = encodeNpy(array);

async function opened(gapBytes?: number) {
  const source = Object.assign(countedSource(bytes), gapBytes === undefined ? {} : { gapBytes });
  const shards = new ShardList([await StoredArray.open(source)]);
  source.reads.length = 0;
  return { source, shards };
}

async function gathered(shards: ShardList, rows: ArrayLike<number>, as = shards.type): Promise<number[]> {
  const into = new Uint8Array(rows.length * 64 * as.itemSize);
  await gatherRows(shards, rows, as, into);
  const values = as.dtype === "float64" ? new Float64Array(into.buffer) : new Int32Array(into.buffer);
  return [...values].filter((_, i) => i % 64 === 5);
}

const ORDER = [500, 3, 999, 3, 4, 0, 501];

test("rows come in the order of the request, repeats too, as stored or cast, from reads or views", async (t) => {
  const { shards } = await opened();
  t.deepEqual(await gathered(shards, ORDER), ORDER);
  t.deepEqual(await gathered(shards, Uint32Array.from(ORDER), elementType("float64")), ORDER);
  const resident = new ShardList([await StoredArray.open(bytesSource(bytes))]);
  t.deepEqual(await gathered(resident, ORDER), ORDER);
  t.deepEqual(await gathered(resident, ORDER, elementType("float64")), ORDER);
  t.deepEqual(await gathered(resident, []), []);
});

test("neighbours are one read, for no more than four times the bytes asked for", async (t) => {
  const { source, shards } = await opened();
  await gathered(shards, [10, 12, 11, 20]);
  // 11 rows are read for 4; with row 31 it would be 22 for 5.
  t.deepEqual(source.reads, [[128 + 10 * 256, 11 * 256]]);
  source.reads.length = 0;
  await gathered(shards, [10, 12, 11, 20, 31]);
  t.deepEqual(
    source.reads.map(([, length]) => length),
    [11 * 256, 256],
  );
});

test("rows that lie further apart than a source's gap are reads of their own", async (t) => {
  for (const [gapBytes, reads] of [
    [undefined, 1],
    [0, 2],
  ] as const) {
    const { source, shards } = await opened(gapBytes);
    await gathered(shards, [0, 2]);
    t.is(source.reads.length, reads);
  }
});

test("consecutive rows are read where they belong, and a run is 4 MiB at most", async (t) => {
  const wide = encodeNpy(NdArray.zeros("uint8", [10, 1 << 20]));
  const source = countedSource(wide);
  const shards = new ShardList([await StoredArray.open(source)]);
  source.reads.length = 0;
  const into = new Uint8Array(10 << 20).fill(1);
  await gatherRows(shards, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], shards.type, into);
  t.deepEqual(
    source.reads.map(([, length]) => length >> 20),
    [4, 4, 2],
  );
  t.true(into.every((byte) => byte === 0));
});

test("at most four reads are under way, and an abort stops the rest", async (t) => {
  let [underWay, most, reads] = [0, 0, 0];
  const controller = new AbortController();
  const below = bytesSource(bytes);
  const slow = {
    byteLength: bytes.length,
    gapBytes: 0,
    close: below.close,
    read: async (into: Uint8Array, position: number) => {
      reads++;
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      await below.read(into, position);
      underWay--;
      if (reads === 41) controller.abort(null);
    },
  };
  const shards = new ShardList([await StoredArray.open(slow)]);
  const rows = Array.from({ length: 300 }, (_, i) => i * 3);
  const into = new Uint8Array(300 * 256);
  await gatherRows(shards, rows.slice(0, 30), shards.type, into);
  t.is(most, 4);
  const failing = gatherRows(shards, rows, shards.type, into, { signal: controller.signal });
  t.is(await failing.then(() => "it ended").catch((error: unknown) => error), null);
  t.is(underWay, 0);
  t.true(reads < 50, `${reads} reads`);
});

test("an index that is none of a row is refused before a read", async (t) => {
  const { source, shards } = await opened();
  for (const row of [-1, 1000, 0.5, Number.NaN]) {
    await t.throwsAsync(gathered(shards, [0, row]), { code: "ERR_ROWS_RANGE", message: /1000 rows/ });
  }
  await t.throwsAsync(gathered(shards, [0n] as never), { instanceOf: TypeError, message: /Array.from/ });
  t.is(source.reads.length, 0);
});

test("as many rows as a run is long are not taken for the run, where one is asked for twice and another not", async (t) => {
  const { shards } = await opened();
  for (const rows of [
    [4, 4, 4, 4, 8],
    [4, 6, 6],
    [4, 5, 6],
  ]) {
    t.deepEqual(await gathered(shards, rows), rows);
  }
});
