import { type ByteSource, formatNpyHeader, NdArray } from "@npystream/codec";
import test from "ava";
import { openDataset } from "../src/index.ts";
import { chooseRows } from "../src/row-selection.ts";

/** So many rows that no array could hold their indices; every row says the last digits of its own. */
const ROWS = 2 ** 33 + 5;

function many(): ByteSource {
  const head = formatNpyHeader({ dtype: "uint8", shape: [ROWS] });
  return {
    byteLength: head.length + ROWS,
    read: async (into, position) => {
      for (let i = 0; i < into.length; i++) into[i] = head[position + i] ?? (position + i - head.length) % 251;
    },
    close: async () => undefined,
  };
}

test("a range and the choice of fields keep no index, past 2^33 rows too", async (t) => {
  await using dataset = await openDataset({ x: { from: many(), as: "uint8" }, y: many() });
  const start = 2 ** 32 + 7;
  const part = dataset.pick("x").select({ start });
  t.is(part.length, ROWS - start);
  const { value } = await part.select({ start: 100, stop: -1 }).batches({ size: 3 }).next();
  t.deepEqual(
    Array.from(value?.x.data ?? []),
    [107, 108, 109].map((row) => (row + 2 ** 32) % 251),
  );
  await t.throwsAsync(dataset.split({ a: 0.5, b: 0.5 }), { instanceOf: RangeError, message: /2\^32 rows/ });
});

test("what selects all as it is, is the same", async (t) => {
  const x = NdArray.from(new Int32Array(4));
  await using dataset = await openDataset({ x, y: x });
  const same = [dataset.select({}), dataset.select([0, 1, 2, 3]), dataset.pick("x", "y")];
  t.true(same.every(({ fingerprint }) => fingerprint === dataset.fingerprint));
  for (const other of [dataset.pick("y", "x"), dataset.pick("x"), dataset.select({ stop: 3 })]) {
    t.not(other.fingerprint, dataset.fingerprint);
  }
  t.throws(() => dataset.pick("x", "x"), { instanceOf: TypeError, message: /x is picked twice/ });
});

test("a range is what the same indices are", (t) => {
  for (const range of [
    {},
    { start: 2 },
    { stop: -2 },
    { start: 3, stop: 3 },
    { start: 9, stop: 1 },
    { step: 2 },
    { step: -1 },
  ]) {
    const found = chooseRows(7, range);
    const indices = Array.from({ length: found.length }, (_, place) => found.row(place));
    const same = chooseRows(7, indices);
    t.deepEqual([same.length, same.start, same.state], [found.length, found.start, found.state]);
    t.true(indices.every((row) => Number.isInteger(row) && row >= 0 && row < 7));
  }
});
