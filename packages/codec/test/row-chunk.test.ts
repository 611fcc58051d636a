import { NdArray, RowChunk } from "@npystream/codec";
import test from "ava";

test("a chunk is an array that knows which rows it has", (t) => {
  const chunk = new RowChunk({ dtype: "int8", shape: [2, 3], data: Int8Array.of(1, 2, 3, 4, 5, 6), rowStart: 10 });
  t.true(chunk instanceof NdArray);
  t.like(chunk, { rowStart: 10, dtype: "int8", length: 2 });
  t.deepEqual(chunk.toNested(), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
});
