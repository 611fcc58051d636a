import { NdArray } from "@npystream/codec";
import test from "ava";
import { RowEncoder } from "../src/row-encoder.ts";

test("whole rows that lie as they are written are taken as they are, without being made into anything", (t) => {
  const encoder = new RowEncoder("float32", [2]);
  const matrix = NdArray.zeros("float32", [3, 2]);
  for (const [chunk, entries, rows] of [
    [new Float32Array(6), undefined, 3],
    [new Uint8Array(16), undefined, 2],
    [Buffer.alloc(8), undefined, 1],
    [matrix, matrix.data, 3],
    [NdArray.from(new Float32Array(2)), undefined, 1],
  ] as const) {
    const plain = encoder.plain(chunk);
    t.is(plain, entries ?? (chunk instanceof NdArray ? chunk.data : chunk));
    t.is(plain && encoder.countPlain(plain), rows);
  }
  const others = [new Float32Array(3), new Uint8Array(7), new Float64Array(2), [1, 2], 5, null, undefined, "12"];
  const views = [
    matrix.slice({ start: 1 }),
    matrix.transpose(),
    NdArray.zeros("int32", [2]),
    NdArray.zeros("float32", [3]),
  ];
  for (const other of [...others, ...views]) t.is(encoder.plain(other), undefined);
  t.is(new RowEncoder("float32", [0]).plain(new Float32Array(0)), undefined);
  t.is(new RowEncoder("float32", [0]).plain(NdArray.zeros("float32", [3, 0])), undefined);
  t.is(new RowEncoder(undefined, undefined).plain(new Uint8Array(4)), undefined);
});

test("rows for a file of the other byte order are swapped in copies, and what was given stays as it is", (t) => {
  const encoder = new RowEncoder("int16", [], [{ offset: 0, unit: 2, count: 1 }]);
  const rows = Int16Array.of(1, 0x0203);
  t.is(encoder.plain(rows), undefined);
  const [piece] = encoder.encode(rows, 0).pieces;
  t.deepEqual(piece, Uint8Array.of(0, 1, 2, 3));
  t.deepEqual(rows, Int16Array.of(1, 0x0203));
});

test("a typed array is encoded as a view, an array that lies otherwise as a copy in C order", (t) => {
  const encoder = new RowEncoder("int8", undefined);
  const array = NdArray.from(Int8Array.of(1, 2, 3, 4), [2, 2]);
  const [view] = encoder.encode(array, 0).pieces;
  t.is(view?.buffer, array.data.buffer);
  t.deepEqual(encoder.rowType?.rowShape, [2]);
  const [copy] = encoder.encode(array.transpose(), 1).pieces;
  t.deepEqual(copy, Uint8Array.of(1, 3, 2, 4));
});

test("a list without rows leaves the row shape to the next chunk", (t) => {
  const encoder = new RowEncoder(undefined, undefined);
  t.is(encoder.encode([], 0).rows, 0);
  t.is(encoder.rowType, undefined);
  t.is(encoder.encode([[1, 2, 3]], 1).rows, 1);
  t.deepEqual(encoder.rowType?.rowShape, [3]);
});

test("a row without bytes is counted where the array tells how many there are", (t) => {
  const encoder = new RowEncoder("int8", [0]);
  t.is(encoder.encode(NdArray.zeros("int8", [5, 0]), 0).rows, 5);
  t.throws(() => encoder.encode(new Int8Array(0), 1), { code: "ERR_WRITE_SHAPE", message: /^chunk 1: .*NdArray/ });
});
