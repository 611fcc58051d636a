import { NdArray, NpyError, RowChunk } from "@npystream/codec";
import test from "ava";
import { inChunk, placed, rowsOf } from "../src/chunk-rows.ts";

const array = NdArray.from(
  Float64Array.from({ length: 12 }, (_, i) => i),
  [4, 3],
);

function chunkOf({ type, shape, strides, offset, data }: NdArray, rowStart: number): RowChunk {
  return new RowChunk({ dtype: type, shape, strides, offset, data, rowStart });
}

test("rows of a chunk are a view whose data is just those rows where it is in C order", (t) => {
  const rows = rowsOf(chunkOf(array, 100), 1, 2);
  t.is(rows.rowStart, 101);
  t.deepEqual(rows.toNested(), [
    [3, 4, 5],
    [6, 7, 8],
  ]);
  t.is(rows.data.length, 6);
  t.is((rows.data as Float64Array).buffer, (array.data as Float64Array).buffer);
});

test("rows of a turned chunk, and of one that begins inside its data, are the same rows", (t) => {
  t.deepEqual(rowsOf(chunkOf(array.transpose(), 5), 1, 2).toNested(), [
    [1, 4, 7, 10],
    [2, 5, 8, 11],
  ]);
  const inner = chunkOf(array.slice({ start: 2 }, { start: 1 }), 0);
  t.deepEqual(rowsOf(inner, 1, 1).toNested(), [[10, 11]]);
});

test("of complex numbers and of a 0-d array the elements are whole", (t) => {
  const complex = new RowChunk({
    dtype: "complex64",
    shape: [3],
    data: Float32Array.of(1, 2, 3, 4, 5, 6),
    rowStart: 0,
  });
  t.deepEqual(rowsOf(complex, 1, 2).toNested(), [
    { re: 3, im: 4 },
    { re: 5, im: 6 },
  ]);
  const scalar = new RowChunk({ dtype: "int8", shape: [], data: Int8Array.of(7), rowStart: 0 });
  t.deepEqual(rowsOf(scalar, 0, 1).toNested(), [7]);
});

test("an array gets a place without a copy, and a chunk that has it stays itself", (t) => {
  const chunk = chunkOf(array, 3);
  t.is(placed(chunk, 3), chunk);
  const moved = placed(array, 9);
  t.is(moved.rowStart, 9);
  t.is(moved.data, array.data);
});

test("an error of an element says which chunk it is in, and any other is left alone", (t) => {
  const chunk = chunkOf(array, 0);
  const cast = inChunk(new NpyError("ERR_CAST_RANGE", "element 3 does not fit"), chunk, 40);
  t.like(cast, { code: "ERR_CAST_RANGE", message: "in the chunk of 4 rows from row 40 on: element 3 does not fit" });
  const error = new TypeError("no such cast");
  t.is(inChunk(error, chunk, 40), error);
});
