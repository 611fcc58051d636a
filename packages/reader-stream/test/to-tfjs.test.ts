import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { NdArray } from "@npystream/codec";
import test from "ava";
import { expectTypeOf } from "expect-type";
import { openDataset, toTfjs } from "../src/index.ts";

test.before(async () => {
  // Else it advises to install a binary package.
  tf.enableProdMode();
  await tf.setBackend("cpu");
});

test("float32 and int32 become tensors of their shape, over the same memory", async (t) => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  const tensor = toTfjs(tf, NdArray.from(data, [2, 3]));
  expectTypeOf(tensor).toExtend<tf.Tensor>();
  t.deepEqual([tensor.shape, tensor.dtype], [[2, 3], "float32"]);
  t.deepEqual(await tensor.array(), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  // The trap that a pooled batch would fall into.
  data[0] = 9;
  t.is((await tensor.data())[0], 9);
  const ints = toTfjs(tf, NdArray.from(Int32Array.of(-1, 7)));
  t.deepEqual([ints.dtype, await ints.array()], ["int32", [-1, 7]]);
});

test("a view becomes the tensor of its elements alone", async (t) => {
  const array = NdArray.from(
    Float32Array.from({ length: 12 }, (_, i) => i),
    [3, 4],
  );
  t.deepEqual(await toTfjs(tf, array.slice(1)).array(), [4, 5, 6, 7]);
  t.deepEqual(await toTfjs(tf, array.transpose()).array(), array.transpose().toNested());
  t.is(await toTfjs(tf, array.slice(2, 3)).array(), 11);
});

test("another dtype is a TypeError that names as, which makes it one that goes", async (t) => {
  const wide = NdArray.from(BigInt64Array.of(3n, 4n));
  t.throws(() => toTfjs(tf, wide), { instanceOf: TypeError, message: /int64.*as: "float32" or "int32"/ });
  await using dataset = await openDataset({ labels: { from: wide, as: "int32" } });
  for await (const { labels } of dataset.batches({ size: 2 })) t.deepEqual(await toTfjs(tf, labels).array(), [3, 4]);
});

test("an array of a pooled batch is refused, one that was copied goes", async (t) => {
  await using dataset = await openDataset({ x: { from: NdArray.from(new Float32Array(8)), as: "float32" } });
  for await (const { x } of dataset.batches({ size: 4, ownership: "pooled" })) {
    t.throws(() => toTfjs(tf, x), { instanceOf: TypeError, message: /ownership 'fresh'/ });
    t.notThrows(() => toTfjs(tf, NdArray.from(x.data.slice())));
  }
});
