import { encodeNpy, encodeNpz, NdArray } from "@npystream/codec";
import test from "ava";
import { openNpy, openNpz } from "../src/index.ts";
import { bytesRead, countedSource } from "./counted-source.ts";

const array = NdArray.from(
  Float64Array.from({ length: 200 * 30 * 4 }, (_, i) => i),
  [200, 30, 4],
);
const bytes = encodeNpy(array);

async function opened() {
  const source = countedSource(bytes);
  const handle = await openNpy(source);
  source.reads.length = 0;
  return { source, handle };
}

test("a slice reads nothing before it is asked for its elements", async (t) => {
  const { source, handle } = await opened();
  const slice = handle.slice({ start: 10, stop: 20 }, 3);
  t.deepEqual(slice.shape, [10, 4]);
  t.deepEqual(slice.rowShape, [4]);
  t.like(slice, { dtype: "float64", rank: 2, length: 10, byteLength: 320 });
  t.is(slice.type.itemSize, 8);
  t.deepEqual(source.reads, []);
});

test("consecutive rows are one read of just their bytes", async (t) => {
  const { source, handle } = await opened();
  const read = await handle.slice({ start: 10, stop: 20 }).read();
  t.deepEqual(read.toNested(), array.slice({ start: 10, stop: 20 }).toNested());
  t.deepEqual(source.reads, [[128 + 10 * 960, 9600]]);
});

test("one column is read along with its near neighbours, in few reads", async (t) => {
  const { source, handle } = await opened();
  const read = await handle.slice(null, 2, 1).read();
  t.deepEqual(read.toNested(), array.slice(null, 2, 1).toNested());
  t.is(source.reads.length, 1);
  t.true(bytesRead(source) <= bytes.length);
});

test("a source says what a read of its own is worth", async (t) => {
  const { source, handle } = await opened();
  const careful = { ...source, gapBytes: 100 };
  await using other = await openNpy(careful);
  source.reads.length = 0;
  await other.slice({ stop: 50 }, 2, 1).read();
  t.is(source.reads.length, 50);
  t.is(bytesRead(source), 400);
  await handle.close();
});

test("a slice of a slice selects from what is left", async (t) => {
  const { handle } = await opened();
  const once = handle.slice({ start: 180, stop: 20, step: -3 }, null, 1);
  const twice = once.slice({ start: 5, step: 2 }, { step: -1 });
  const expected = array.slice({ start: 180, stop: 20, step: -3 }, null, 1).slice({ start: 5, step: 2 }, { step: -1 });
  t.deepEqual(twice.shape, expected.shape);
  t.deepEqual((await twice.read()).toNested(), expected.toNested());
  t.deepEqual(
    (await twice.rows(-3, -1, { as: "float32" })).toNested(),
    expected.slice({ start: -3, stop: -1 }).toNested(),
  );
});

test("one element is an array without axes", async (t) => {
  const { handle } = await opened();
  const element = handle.slice(-1, -1, -1);
  t.deepEqual(element.shape, []);
  t.is((await element.read()).get(), 200 * 30 * 4 - 1);
  t.is((await element.stream().toArray()).length, 1);
});

test("nothing selected reads nothing", async (t) => {
  const { source, handle } = await opened();
  const none = handle.slice({ start: 7, stop: 7 });
  t.deepEqual((await none.read()).toNested(), []);
  t.deepEqual((await handle.slice(null, { stop: 0 }).read()).shape, [200, 0, 4]);
  t.deepEqual(await none.stream().toArray(), []);
  t.deepEqual(source.reads, []);
});

test("an index outside its axis and rows outside the slice are refused", async (t) => {
  const { handle } = await opened();
  t.throws(() => handle.slice(200), { instanceOf: RangeError, message: /200 is out of bounds for axis 0 with 200/ });
  t.throws(() => handle.slice(0, 0, 0, 0), { instanceOf: RangeError, message: /4 ranges for 3 axes/ });
  t.throws(() => handle.slice({ step: 0 }), { instanceOf: RangeError });
  await t.throwsAsync(handle.slice({ stop: 5 }).rows(0, 6), { code: "ERR_ROWS_RANGE" });
  t.throws(() => handle.slice({ stop: 5 }).stream({ stop: 6 }), { code: "ERR_ROWS_RANGE" });
  await t.throwsAsync(handle.slice(0).read({ axis: 1 } as never), { instanceOf: TypeError, message: /no option axis/ });
});

test("rows outside a slice of a member are refused with its name", async (t) => {
  await using archive = await openNpz(encodeNpz({ a: array }));
  const slice = (await archive.open("a")).slice({ stop: 5 });
  const expected = { code: "ERR_ROWS_RANGE", member: "a" };
  t.like(await t.throwsAsync(slice.rows(0, 6)), expected);
  t.like(
    t.throws(() => slice.stream({ stop: 6 })),
    expected,
  );
});

test("a slice of a closed array says so", async (t) => {
  const { handle } = await opened();
  const slice = handle.slice(0);
  await handle.close();
  await t.throwsAsync(slice.read(), { instanceOf: TypeError, message: /closed/ });
  t.throws(() => slice.stream(), { instanceOf: TypeError });
});

test("an aborted read rejects with the reason untouched", async (t) => {
  const { handle } = await opened();
  const reason = new Error("enough");
  t.is(
    await handle
      .slice(null, 0)
      .read({ signal: AbortSignal.abort(reason) })
      .catch((error) => error),
    reason,
  );
});
