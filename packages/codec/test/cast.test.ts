import { execFileSync } from "node:child_process";
import { type DType, decodeNpy, encodeNpy, fromNested, NdArray } from "@npystream/codec";
import test from "ava";
import { expectTypeOf } from "expect-type";

const numeric = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 float128".split(" ");
const complex = ["complex64", "complex128", "complex256"];

// Values that every numeric dtype holds go to every other; NumPy's bytes are the expectation.
const program = `
import io, json
import numpy as np
rng = np.random.default_rng(4)
out = []
def npy(a):
    f = io.BytesIO(); np.save(f, a); return f.getvalue().hex()
floats = np.concatenate([rng.standard_normal(500) * 10.0 ** rng.integers(-9, 5, 500), [0.0, -0.0, 65504, 65519.99, 2.0**-24, 2.0**-25, 2.0**-25*1.01, 2049, 2051, 1e-40]])
with np.errstate(all='ignore'):
    for a in ${JSON.stringify(numeric)} + ${JSON.stringify(complex)}:
        for b in ${JSON.stringify(numeric)} + ${JSON.stringify(complex)}:
            kinds = np.dtype(a).kind + np.dtype(b).kind
            if kinds[0] == 'c' and kinds[1] != 'c': continue
            v = floats if all(k in 'fc' for k in kinds) else np.array([0, 1, 2, 100, 127, 3.75, 99.99]) if kinds[0] in 'fc' else np.array([0, 1, 2, 100, 127])
            x = v.astype(a)
            y = x.astype(b)
            for w in (x, y):
                if w.dtype.itemsize in (16, 32) and w.dtype.name in ('float128', 'complex256'): w.view('u1').reshape(-1, 16)[:, 10:] = 0
            out.append([a, b, npy(x), npy(y)])
print(json.dumps(out))
`;
const casts: [string, DType, string, string][] = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program], { encoding: "utf8", maxBuffer: 1 << 27 }),
);
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

test("every cast between numeric dtypes gives NumPy's bytes", (t) => {
  t.true(casts.length > 200);
  for (const [from, to, source, expected] of casts) {
    const cast = decodeNpy(bytesOf(source)).astype(to);
    t.deepEqual(Buffer.from(encodeNpy(cast)).toString("hex"), expected, `${from} to ${to}`);
  }
});

test("a cast of a strided view is that of its elements, in C order", (t) => {
  const array = fromNested(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    "int64",
  );
  const cast = array.transpose().slice({ step: -2 }).astype("float32");
  t.deepEqual(cast.toNested(), [
    [3, 6],
    [1, 4],
  ]);
  t.true(cast.isContiguous);
  expectTypeOf(cast.data).toEqualTypeOf<Float32Array>();
  t.is(array.astype("int64"), array);
});

const refuses = test.macro({
  title: (_, values: unknown, from: DType, to: DType) => `${values} of ${from} are outside ${to}, with the index`,
  exec(t, values: unknown[], from: DType, to: DType) {
    t.throws(() => fromNested([0, ...values], from).astype(to), {
      code: "ERR_CAST_RANGE",
      message: /^element 1 in C order, /,
    });
  },
});
test(refuses, [128], "int16", "int8");
test(refuses, [-1], "int32", "uint32");
test(refuses, [2n ** 31n], "int64", "int32");
test(refuses, [-(2n ** 31n) - 1n], "int64", "int32");
test(refuses, [2n ** 32n + 5n], "int64", "int32");
test(refuses, [2n ** 53n + 1n], "int64", "float64");
test(refuses, [2n ** 63n], "uint64", "int64");
test(refuses, [-1n], "int64", "uint64");
test(refuses, [2n ** 63n], "uint64", "float32");
test(refuses, [Number.NaN], "float64", "int32");
test(refuses, [1e300], "float64", "int64");
test(refuses, [-1], "float32", "uint64");
test(refuses, [Number.POSITIVE_INFINITY], "float16", "int8");

test("the ends of each integer's range are taken", (t) => {
  t.deepEqual(
    fromNested([-(2n ** 31n), 2n ** 31n - 1n], "int64")
      .astype("int32")
      .toNested(),
    [-(2 ** 31), 2 ** 31 - 1],
  );
  t.deepEqual(
    fromNested([1n - 2n ** 53n, 2n ** 53n - 1n], "int64")
      .astype("float64")
      .toNested(),
    [1 - 2 ** 53, 2 ** 53 - 1],
  );
  t.deepEqual(
    fromNested([-(2 ** 63), -1, 2 ** 62], "float64")
      .astype("int64")
      .toNested(),
    [-(2n ** 63n), -1n, 2n ** 62n],
  );
  t.deepEqual(
    fromNested([2 ** 63, 255.9], "float64")
      .astype("uint64")
      .toNested(),
    [2n ** 63n, 255n],
  );
});

test("a cast that would drop a part is a TypeError", (t) => {
  t.throws(() => NdArray.zeros("complex64", [2]).astype("float32"), { instanceOf: TypeError });
  t.throws(() => fromNested(["x"], "S3").astype("float32"), { instanceOf: TypeError });
  t.throws(() => NdArray.zeros("datetime64[s]", [2]).astype("float64"), { instanceOf: TypeError });
});

test("bfloat16 is V2 and uint16 read again, and rounds as float32 cut to its upper half", (t) => {
  const voids = decodeNpy(
    bytesOf(
      JSON.parse(
        execFileSync(
          "python3",
          [
            "-c",
            `
import io, json, numpy as np
f = io.BytesIO(); np.save(f, np.array([1.0, -2.5, 3.140625, np.inf], '<f4').view('<u2')[1::2].copy().view('V2')); print(json.dumps(f.getvalue().hex()))
`,
          ],
          { encoding: "utf8" },
        ),
      ),
    ),
  );
  t.is(voids.dtype, "void");
  const values = voids.view("bfloat16");
  t.deepEqual(values.toNested(), [1, -2.5, 3.140625, Number.POSITIVE_INFINITY]);
  t.is(values.data.buffer, voids.data.buffer);
  t.deepEqual(fromNested([1.00390625, 1.01171875, -0], "float64").astype("bfloat16").toNested(), [1, 1.015625, -0]);
  t.deepEqual(values.astype("float32").toNested(), values.toNested());
  t.throws(() => voids.view("float32"), { instanceOf: TypeError });
});

test("any byte of a bool but 0 is 1 when it is cast, as NumPy has it", (t) => {
  const array = new NdArray({ dtype: "bool", shape: [3], data: Uint8Array.of(0, 2, 255) });
  t.deepEqual(array.astype("int8").toNested(), [0, 1, 1]);
  t.deepEqual(array.astype("float32").toNested(), [0, 1, 1]);
});

test("a cast to the same type of a view is in C order too", (t) => {
  const view = fromNested(
    [
      [1, 2],
      [3, 4],
    ],
    "float32",
  ).transpose();
  t.true(view.astype("float32").isContiguous);
  t.deepEqual([...view.astype("float32").data], [1, 3, 2, 4]);
});
