import { setTimeout as sleep } from "node:timers/promises";
import { fromNested, NdArray } from "@npystream/codec";
import test from "ava";
import { expectTypeOf } from "expect-type";
import * as ort from "onnxruntime-web";
import { openDataset, toOrt } from "../src/index.ts";
import { gemmModel } from "./onnx-model.ts";

test("every type that ONNX Runtime has becomes a tensor over the same memory", (t) => {
  const arrays = [
    NdArray.from(Int8Array.of(1, 2)),
    NdArray.from(Int16Array.of(1, 2)),
    NdArray.from(Int32Array.of(1, 2)),
    NdArray.from(BigInt64Array.of(1n, 2n)),
    NdArray.from(Uint8Array.of(1, 2)),
    NdArray.from(Uint16Array.of(1, 2)),
    NdArray.from(Uint32Array.of(1, 2)),
    NdArray.from(BigUint64Array.of(1n, 2n)),
    fromNested([1, 2], "float16"),
    NdArray.from(Float32Array.of(1, 2)),
    NdArray.from(Float64Array.of(1, 2)),
    fromNested([true, false], "bool"),
  ];
  for (const array of arrays) {
    const tensor = toOrt(ort, array);
    expectTypeOf(tensor).toExtend<ort.Tensor>();
    t.deepEqual([tensor.type, tensor.dims], [array.dtype, [2]] as [typeof tensor.type, number[]]);
    t.is((tensor.data as Uint8Array).buffer, array.data.buffer);
  }
  const text = toOrt(ort, fromNested([["a", "bc"]], "<U2"));
  t.deepEqual([text.type, text.dims, text.data], ["string", [1, 2], ["a", "bc"]] as [
    typeof text.type,
    number[],
    string[],
  ]);
});

test("views are copied in C order, and memory that threads share into memory of its own", (t) => {
  const array = NdArray.from(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  const turned = toOrt(ort, array.transpose());
  t.deepEqual([turned.dims, turned.data], [[3, 2], Float32Array.of(1, 4, 2, 5, 3, 6)]);
  t.deepEqual(toOrt(ort, array.slice(1)).data, Float32Array.of(4, 5, 6));
  const shared = NdArray.from(new Float32Array(new SharedArrayBuffer(8)));
  t.true((toOrt(ort, shared).data as Float32Array).buffer instanceof ArrayBuffer);
});

test("another dtype is a TypeError that names as", (t) => {
  t.throws(() => toOrt(ort, NdArray.zeros("complex64", [2])), { instanceOf: TypeError, message: /complex64.*with as/ });
});

test("a model runs over batches, pooled ones too where the run is waited for", async (t) => {
  const session = await ort.InferenceSession.create(
    gemmModel({
      weights: [
        [1, 10],
        [2, 20],
        [3, 30],
      ],
      bias: [0.5, -0.5],
    }),
    {
      executionProviders: ["wasm"],
    },
  );
  const rows = Array.from({ length: 7 }, (_, row) => [row, row * row, 1]);
  await using dataset = await openDataset({ x: { from: fromNested(rows, "int64"), as: "float32" } });
  for (const ownership of ["fresh", "pooled"] as const) {
    const scores: number[] = [];
    for await (const { x } of dataset.batches({ size: 3, ownership })) {
      const { y } = await session.run({ x: toOrt(ort, x) });
      scores.push(...((y?.data ?? []) as Float32Array));
      await sleep(1);
    }
    t.deepEqual(
      scores,
      rows.flatMap(([a = 0, b = 0, c = 0]) => [a + 2 * b + 3 * c + 0.5, 10 * a + 20 * b + 30 * c - 0.5]),
    );
  }
  await session.release();
});
