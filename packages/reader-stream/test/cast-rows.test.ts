import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { openNpy } from "../src/index.ts";
import { numpy } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";

test("every cast of a read is NumPy's astype", async (t) => {
  const program = `
import base64, io
out = []
for source in ['?', 'i1', 'u2', 'i4', 'u4', 'f2', 'f4', 'f8', 'i8']:
    a = (np.arange(60).reshape(20, 3) % 7).astype(source)
    f = io.BytesIO(); np.save(f, a)
    for target in ['int8', 'uint16', 'int32', 'float16', 'float32', 'float64', 'int64']:
        out.append({'bytes': base64.b64encode(f.getvalue()).decode(), 'target': target, 'values': a.astype(target).tolist()})
print(json.dumps(out))`;
  type Answer = { bytes: string; target: "int8"; values: unknown };
  for (const { bytes, target, values } of numpy<Answer[]>(program)) {
    await using handle = await openNpy(new Uint8Array(Buffer.from(bytes, "base64")));
    const read = await handle.read({ as: target });
    t.is(read.dtype, target);
    const plain = JSON.parse(
      JSON.stringify(read.toNested(), (_, value) => (typeof value === "bigint" ? Number(value) : value)),
    );
    t.deepEqual(
      plain,
      JSON.parse(JSON.stringify(values, (_, value) => (typeof value === "boolean" ? Number(value) : value))),
    );
  }
});

test("an element the type cannot hold is ERR_CAST_RANGE with its index", async (t) => {
  await using handle = await openNpy(encodeNpy(NdArray.from(BigInt64Array.of(1n, 2n, 2n ** 40n))));
  await t.throwsAsync(handle.read({ as: "int32" }), { code: "ERR_CAST_RANGE", message: /element 2 / });
  await t.throwsAsync(handle.stream({ as: "int32" }).toArray(), { code: "ERR_CAST_RANGE" });
  t.deepEqual((await handle.gather([1, 0], { as: "int32" })).toNested(), [2, 1]);
});

test("there is no cast from text, and none to what is no dtype", async (t) => {
  const text = numpy<string>(
    "import io, base64; f = io.BytesIO(); np.save(f, np.array(['a'])); print(json.dumps(base64.b64encode(f.getvalue()).decode()))",
  );
  await using handle = await openNpy(new Uint8Array(Buffer.from(text, "base64")));
  await t.throwsAsync(handle.read({ as: "float32" }), {
    instanceOf: TypeError,
    message: /no cast from str to float32/,
  });
  await t.throwsAsync(handle.gather([0], { as: "float32" }), { instanceOf: TypeError });
  t.throws(() => handle.stream({ as: "float32" }), { instanceOf: TypeError });
  await t.throwsAsync(handle.read({ as: "float33" as never }), { code: "ERR_NPY_DTYPE" });
});

test("bfloat16 reads the bytes of uint16 anew", async (t) => {
  await using handle = await openNpy(encodeNpy(NdArray.from(Uint16Array.of(0x3f80, 0xc000, 0x7f80))));
  const expected = [1, -2, Number.POSITIVE_INFINITY];
  t.deepEqual((await handle.read({ as: "bfloat16" })).toNested(), expected);
  t.deepEqual((await handle.gather([2, 0], { as: "bfloat16" })).toNested(), [expected[2], expected[0]]);
  const [chunk] = await handle.stream({ as: "bfloat16" }).toArray();
  t.deepEqual(chunk.toNested(), expected);
});

test("the type of the array itself costs no cast and no second read", async (t) => {
  const source = countedSource(encodeNpy(NdArray.from(Float32Array.of(1, 2, 3))));
  await using handle = await openNpy(source);
  source.reads.length = 0;
  t.deepEqual((await handle.read({ as: "float32" })).toNested(), [1, 2, 3]);
  t.is(source.reads.length, 1);
});

test("a long array is cast in pieces that are read into the same memory", async (t) => {
  const long = NdArray.from(Int16Array.from({ length: 3_000_000 }, (_, i) => i % 30_000));
  const source = countedSource(encodeNpy(long));
  await using handle = await openNpy(source);
  source.reads.length = 0;
  const read = await handle.read({ as: "float64" });
  t.is(source.reads.length, 6);
  t.true(source.reads.every(([, length]) => length <= 1 << 20));
  t.is(read.get(2_999_999), 2_999_999 % 30_000);
});

test("a cast of a Fortran array reads each column in long pieces, read whole or streamed", async (t) => {
  // 200 columns of 80,000 bytes, 16 MB in all.
  const array = NdArray.from(
    Float64Array.from({ length: 200 * 10_000 }, (_, i) => i),
    [200, 10_000],
  );
  const source = countedSource(encodeNpy(array.transpose()));
  await using handle = await openNpy(source);
  t.is(handle.order, "F");
  source.reads.length = 0;
  t.is((await handle.read({ as: "float32" })).get(9999, 1), 19_999);
  t.true(source.reads.length <= 3 * 200, `${source.reads.length} reads`);
  source.reads.length = 0;
  const found: number[] = [];
  for await (const chunk of handle.stream({ as: "float32" })) for (const row of chunk) found.push(Number(row.get(0)));
  t.deepEqual(
    found,
    Array.from({ length: 10_000 }, (_, i) => i),
  );
  t.true(source.reads.length <= 3 * 200, `${source.reads.length} reads`);
});
