import { type AxisIndex, encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { bytesSource } from "../src/index.ts";
import { ShardList } from "../src/shard-list.ts";
import { SliceRows } from "../src/slice-rows.ts";
import { StoredArray } from "../src/stored-array.ts";

const array = NdArray.from(
  Int32Array.from({ length: 60 }, (_, i) => i),
  [3, 4, 5],
);

async function sliced(source: NdArray = array): Promise<SliceRows> {
  return SliceRows.of(new ShardList([await StoredArray.open(bytesSource(encodeNpy(source)))]));
}

/** What is selected is what `NdArray.slice`, checked against NumPy in codec, selects of the array in memory. */
const selects = test.macro({
  title: (_, ranges: readonly AxisIndex[]) => `${JSON.stringify(ranges)} selects what the array in memory has there`,
  async exec(t, ranges: readonly AxisIndex[]) {
    for (const source of [array, NdArray.from(array.transpose().contiguous().data, [5, 4, 3]).transpose()]) {
      const rows = (await sliced(source)).slice(ranges);
      const expected = source.slice(...ranges);
      t.deepEqual(rows.shape, expected.shape);
      const flat = [expected.toNested()].flat(3).map(Number);
      for (let start = 0; start < rows.length; start++) {
        for (let stop = start + 1; stop <= rows.length; stop++) {
          const into = new Uint8Array((stop - start) * rows.rowBytes);
          await rows.readRows(into, start);
          const rowSize = rows.rowBytes / 4;
          t.deepEqual([...new Int32Array(into.buffer)], flat.slice(start * rowSize, stop * rowSize));
        }
      }
    }
  },
});

test(selects, []);
test(selects, [1]);
test(selects, [null, -1]);
test(selects, [null, null, 2]);
test(selects, [{ step: -1 }, { start: 1 }]);
test(selects, [{ start: 2, stop: 0, step: -2 }, null, { step: -3 }]);
test(selects, [2, 3, 4]);
test(selects, [{ start: 3 }]);

test("a slice of a slice counts from what is left", async (t) => {
  const rows = (await sliced()).slice([null, 2]).slice([{ start: 1, step: -1 }, 3]);
  t.deepEqual(rows.shape, [2]);
  const into = new Uint8Array(8);
  await rows.readRows(into, 0);
  t.deepEqual([...new Int32Array(into.buffer)], [33, 13]);
});

test("an index outside its axis, a step of 0 and more ranges than axes are RangeErrors before a read", async (t) => {
  const rows = await sliced();
  for (const ranges of [[3], [null, -5], [{ step: 0 }], [0, 0, 0, 0]] as const) {
    t.throws(() => rows.slice(ranges), { instanceOf: RangeError });
  }
  t.throws(() => rows.slice([0]).slice([null, null, null]), { message: /3 ranges for 2 axes/ });
});
