import { NdArray } from "@npystream/codec";
import test from "ava";
import { openDataset } from "../src/index.ts";

const refuses = test.macro({
  title: (_, what: string) => `a transform that gives ${what} is a TypeError that says so`,
  async exec(
    t,
    _what: string,
    change: (batch: { readonly x: NdArray; readonly y: NdArray }) => unknown,
    message: RegExp,
  ) {
    const x = NdArray.from(new Float32Array(4));
    await using dataset = await openDataset({ x, y: NdArray.from(new Int32Array(4)) });
    const batches = dataset.batches({ size: 2, transform: (batch) => change(batch) as object });
    await t.throwsAsync(batches.next(), { instanceOf: TypeError, message });
  },
});
test(refuses, "one field less", ({ x }) => ({ x }), /without the field y/);
test(refuses, "one more", (batch) => ({ ...batch, z: batch.x }), /with z, which is no field/);
test(refuses, "null", () => null, /a batch or undefined, not null/);
test(refuses, "a list", ({ x, y }) => [x, y], /not an Array/);
test(refuses, "a number", () => 5, /not a number/);

test("a transform may leave out meta, and give fields of other types", async (t) => {
  await using dataset = await openDataset({ x: NdArray.from(new Float32Array(4)) });
  const { value } = await dataset.batches({ size: 2, transform: ({ x }) => ({ x: x.astype("int8") }) }).next();
  t.is(value?.meta.rows, 2);
  t.is(value?.x.data.constructor, Int8Array);
});
