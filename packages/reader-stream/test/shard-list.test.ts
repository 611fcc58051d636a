import { type ByteSource, encodeNpy, NdArray, NpyError } from "@npystream/codec";
import test from "ava";
import { bytesSource } from "../src/index.ts";
import { ShardList } from "../src/shard-list.ts";
import { StoredArray } from "../src/stored-array.ts";
import { countedSource } from "./counted-source.ts";

const ROWS = [3, 0, 2, 5];

/** Shards of so many rows of two int16, which hold the index of the row in the whole, and its negative. */
function contents(lengths: readonly number[] = ROWS): Uint8Array[] {
  let row = 0;
  return lengths.map((length) => {
    const values = Int16Array.from({ length: 2 * length }, (_, i) =>
      i % 2 === 0 ? row + i / 2 : -(row + (i - 1) / 2),
    );
    row += length;
    return encodeNpy(NdArray.from(values, [length, 2]));
  });
}

async function listed(wrap: (bytes: Uint8Array) => ByteSource = bytesSource): Promise<ShardList> {
  const arrays = await Promise.all(contents().map((bytes) => StoredArray.open(wrap(bytes))));
  return new ShardList(arrays, [{ path: "a" }, { path: "b" }, { path: "c", member: "x" }, { path: "d" }]);
}

function firsts(bytes: Uint8Array): number[] {
  return [...new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)].filter((_, i) => i % 2 === 0);
}

test("shards are one array of all rows, empty ones among them", async (t) => {
  const shards = await listed();
  t.like(shards, { length: 10, rowBytes: 4, isRowMajor: true, isSequential: false });
  t.deepEqual(shards.shape, [10, 2]);
  t.deepEqual(
    Array.from({ length: 10 }, (_, row) => shards.shardOf(row)),
    [0, 0, 0, 2, 2, 3, 3, 3, 3, 3],
  );
});

test("rows are read across shards, also while the thread waits or as views where one shard has them", async (t) => {
  const shards = await listed();
  for (const [start, rows] of [
    [0, 10],
    [2, 2],
    [4, 3],
    [9, 1],
  ] as const) {
    const into = new Uint8Array(rows * 4);
    await shards.readRows(into, start);
    const expected = Array.from({ length: rows }, (_, i) => start + i);
    t.deepEqual(firsts(into), expected);
    const isOne = shards.shardOf(start) === shards.shardOf(start + rows - 1);
    into.fill(0);
    t.is(shards.readRowsSync(into, start), isOne);
    if (isOne) t.deepEqual(firsts(into), expected);
    const view = shards.viewRows(start, start + rows);
    t.is(view !== undefined, isOne);
    if (view !== undefined) t.deepEqual(firsts(view.slice()), expected);
  }
  t.false((await listed(countedSource)).readRowsSync(new Uint8Array(4), 0));
});

test("a box with a step goes on in the next shard where it left", async (t) => {
  const shards = await listed();
  const into = new Uint8Array(4 * 2);
  await shards.readBox(
    [
      { start: 1, step: 3, length: 3 },
      { start: 0, step: 1, length: 1 },
    ],
    into.subarray(0, 6),
  );
  t.deepEqual([...new Int16Array(into.buffer, 0, 3)], [1, 4, 7]);
});

test("an error is placed in its own shard, where it does not know better", async (t) => {
  let reads = 0;
  const shards = await listed((bytes) => ({
    ...bytesSource(bytes),
    bytes: undefined as never,
    readSync: () => {
      throw new NpyError("ERR_SOURCE_CHANGED", "it was changed");
    },
    read: async (into, position) => {
      if (reads++ >= ROWS.length) throw new NpyError("ERR_SOURCE_CHANGED", "it was changed");
      into.set(bytes.subarray(position, position + into.length));
    },
  }));
  t.like(await t.throwsAsync(shards.readRows(new Uint8Array(4), 3)), { path: "c", member: "x" });
  t.like(
    t.throws(() => shards.readRowsSync(new Uint8Array(4), 6)),
    { path: "d" },
  );
  const box = [
    { start: 0, step: 1, length: 1 },
    { start: 0, step: 1, length: 1 },
  ];
  t.like(await t.throwsAsync(shards.readBox(box, new Uint8Array(2))), { path: "a" });
});

test("what differs from the first is ERR_SHARD_MISMATCH by index, property and place; no shards are a TypeError", async (t) => {
  const [first, other] = await Promise.all(
    [NdArray.zeros("int16", [1, 2]), NdArray.zeros("int16", [1, 3])].map((array) =>
      StoredArray.open(bytesSource(encodeNpy(array))),
    ),
  );
  const error = t.throws(() => new ShardList([first, other] as StoredArray[], [{}, { path: "b", member: "x" }]));
  t.like(error, { code: "ERR_SHARD_MISMATCH", path: "b", member: "x" });
  t.regex(error?.message ?? "", /shard 1 has row shape \[3\], shard 0 has \[2\]/);
  t.throws(() => new ShardList([]).first, { instanceOf: TypeError, message: /name at least one/ });
});
