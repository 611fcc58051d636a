import { NdArray } from "@npystream/codec";
import test from "ava";
import { RowEncoder } from "../src/row-encoder.ts";

test("whole rows of the data's own type, or as bytes, are counted without being made into anything", (t) => {
  const encoder = new RowEncoder("float32", [2]);
  t.is(encoder.countPlain(new Float32Array(6)), 3);
  t.is(encoder.countPlain(new Uint8Array(16)), 2);
  t.is(encoder.countPlain(Buffer.alloc(8)), 1);
  for (const other of [new Float32Array(3), new Uint8Array(7), new Float64Array(2), [1, 2], 5, null, undefined, "12"]) {
    t.is(encoder.countPlain(other), -1);
  }
  t.is(new RowEncoder("float32", [0]).countPlain(new Float32Array(0)), -1);
  t.is(new RowEncoder(undefined, undefined).countPlain(new Uint8Array(4)), -1);
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
