import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromNested, NdArray } from "@npystream/codec";
import * as arrow from "apache-arrow";
import test from "ava";
import { expectTypeOf } from "expect-type";
import { openDataset, toArrow } from "../src/index.ts";
import { testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("to-arrow");

test("numbers of every type, booleans and text become columns that another reader of Arrow reads", (t) => {
  const arrays: Record<string, NdArray> = {
    int8: NdArray.from(Int8Array.of(-128, 127)),
    int16: NdArray.from(Int16Array.of(-5, 5)),
    int32: NdArray.from(Int32Array.of(-5, 5)),
    int64: NdArray.from(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
    uint8: NdArray.from(Uint8Array.of(0, 255)),
    uint16: NdArray.from(Uint16Array.of(0, 65_535)),
    uint32: NdArray.from(Uint32Array.of(0, 2 ** 32 - 1)),
    uint64: NdArray.from(BigUint64Array.of(0n, 2n ** 64n - 1n)),
    float16: fromNested([0.5, -2], "float16"),
    float32: NdArray.from(Float32Array.of(0.5, -2)),
    float64: NdArray.from(Float64Array.of(0.1, -2)),
    bool: fromNested([true, false], "bool"),
    str: fromNested(["zwölf", ""], "<U5"),
  };
  const table = toArrow(arrow, arrays);
  expectTypeOf(table).toExtend<arrow.Table>();
  t.is(table.numRows, 2);
  const read = arrow.tableFromIPC(arrow.tableToIPC(table, "file"));
  for (const [name, array] of Object.entries(arrays)) {
    const column = read.getChild(name);
    t.deepEqual([...(column ?? [])], array.toNested() as unknown[], name);
    t.is(column?.nullCount, 0);
  }
  t.deepEqual(
    String(read.schema.fields.map(({ type }) => String(type))),
    "Int8,Int16,Int32,Int64,Uint8,Uint16,Uint32,Uint64,Float16,Float32,Float64,Bool,Utf8",
  );
});

test("axes of a row become lists of fixed size, without a copy", (t) => {
  const images = NdArray.from(
    Float32Array.from({ length: 24 }, (_, i) => i),
    [2, 3, 4],
  );
  const flags = fromNested(
    [
      [true, false, true],
      [false, false, true],
    ],
    "bool",
  );
  const table = toArrow(arrow, { images, flags });
  t.is(String(table.schema.fields[0]?.type), "FixedSizeList[3]<FixedSizeList[4]<Float32>>");
  const read = arrow.tableFromIPC(arrow.tableToIPC(table, "stream"));
  const plain = (value: unknown): unknown =>
    value instanceof arrow.Vector
      ? Array.from(value as Iterable<unknown>, plain)
      : ArrayBuffer.isView(value)
        ? Array.from(value as Float32Array)
        : value;
  t.deepEqual(plain(read.getChild("images")), images.toNested());
  t.deepEqual(plain(read.getChild("flags")), flags.toNested());
  images.data[0] = 99;
  t.deepEqual((plain(table.getChild("images")) as number[][][])[0]?.[0]?.[0], 99);
});

test("a batch becomes a table of its fields, also with a last row alone and without rows", async (t) => {
  await using dataset = await openDataset({
    features: NdArray.from(
      Float32Array.from({ length: 10 }, (_, i) => i),
      [5, 2],
    ),
    labels: NdArray.from(Int32Array.of(0, 1, 2, 3, 4)),
  });
  const tables: arrow.Table[] = [];
  for await (const batch of dataset.batches({ size: 2 })) tables.push(toArrow(arrow, batch));
  t.deepEqual(
    tables.map(({ numRows, numCols }) => [numRows, numCols]),
    [
      [2, 2],
      [2, 2],
      [1, 2],
    ],
  );
  writeFileSync(join(folder, "batch.arrow"), arrow.tableToIPC(tables[0] as arrow.Table, "file"));
  t.is(toArrow(arrow, await dataset.gather([])).numRows, 0);
});

test("what Arrow has no column for is refused, and so is a pooled batch", async (t) => {
  const x = NdArray.from(new Int32Array(2));
  t.throws(() => toArrow(arrow, { z: NdArray.zeros("complex64", [2]) }), {
    instanceOf: TypeError,
    message: /complex64.*z/,
  });
  t.throws(() => toArrow(arrow, { meta: {} }), { instanceOf: TypeError });
  t.throws(() => toArrow(arrow, { x: NdArray.zeros("int32", []) }), { instanceOf: TypeError });
  t.throws(() => toArrow(arrow, { x, y: NdArray.from(new Int32Array(3)) }), {
    instanceOf: RangeError,
    message: /x has 2.*y has 3/,
  });
  await using dataset = await openDataset({ x });
  for await (const batch of dataset.batches({ size: 1, ownership: "pooled" })) {
    t.throws(() => toArrow(arrow, batch), { instanceOf: TypeError, message: /ownership 'fresh'/ });
  }
});
