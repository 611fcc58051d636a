import { type DType, NdArray } from "@npystream/codec";
import test from "ava";

const cast = (data: BigInt64Array | BigUint64Array, to: DType): unknown =>
  (data instanceof BigInt64Array ? NdArray.from<"int64">(data) : NdArray.from<"uint64">(data)).astype(to).toNested();

test("64-bit integers up to 2^53 - 1 become the floats that BigInt gives, past 2^52 and below 0 too", (t) => {
  const values = [0n, 1n, -1n, 2n ** 32n, -(2n ** 32n) - 7n, 2n ** 52n + 1n, 2n ** 53n - 1n, 1n - 2n ** 53n];
  t.deepEqual(cast(BigInt64Array.from(values), "float64"), values.map(Number));
  t.deepEqual(cast(BigInt64Array.from(values), "float32"), values.map(Number).map(Math.fround));
  const positive = values.filter((value) => value >= 0n);
  t.deepEqual(cast(BigUint64Array.from(positive), "float64"), positive.map(Number));
});

test("an integer past that is refused with its index, whichever word shows it", (t) => {
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 62n, -(2n ** 63n)]) {
    t.throws(() => cast(BigInt64Array.of(1n, 2n ** 52n, value), "float64"), {
      code: "ERR_CAST_RANGE",
      message: new RegExp(`^element 2 in C order, ${value}, `),
    });
  }
  for (const value of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    t.throws(() => cast(BigUint64Array.of(5n, value), "float64"), { message: /^element 1 in C order/ });
  }
});

test("only what int32 holds becomes one, of signed and unsigned integers", (t) => {
  t.deepEqual(cast(BigInt64Array.of(-(2n ** 31n), -1n, 2n ** 31n - 1n), "int32"), [-(2 ** 31), -1, 2 ** 31 - 1]);
  t.deepEqual(cast(BigUint64Array.of(0n, 2n ** 31n - 1n), "int32"), [0, 2 ** 31 - 1]);
  for (const value of [2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]) {
    t.throws(() => cast(BigUint64Array.of(value), "int32"), { code: "ERR_CAST_RANGE" }, `${value}`);
  }
});

test("in vectors as one by one: any length, the error at its index, what is left of a longer cast no error", (t) => {
  for (const length of [255, 256, 257, 1001, 8192, 8193, 20_001]) {
    const values = BigInt64Array.from({ length }, (_, i) => BigInt((i - 100) * 104_729));
    t.deepEqual(NdArray.from<"int64">(values).astype("float64").data, Float64Array.from(values, Number));
    t.deepEqual(NdArray.from<"int64">(values).astype("int32").data, Int32Array.from(values, Number));
    const unsigned = BigUint64Array.from(values, (value) => (value < 0n ? -value : value));
    t.deepEqual(NdArray.from<"uint64">(unsigned).astype("float64").data, Float64Array.from(unsigned, Number));
    t.deepEqual(NdArray.from<"uint64">(unsigned).astype("int32").data, Int32Array.from(unsigned, Number));
    for (const at of [0, 7, length - 1]) {
      const odd = values.slice();
      odd[at] = 2n ** 53n;
      const message = new RegExp(`^element ${at} in C order, ${2n ** 53n}, `);
      for (const to of ["float64", "int32"] as const) t.throws(() => cast(odd, to), { message });
      odd[at] = 2n ** 53n - 1n;
      t.is(NdArray.from<"int64">(odd).astype("float64").get(at), 2 ** 53 - 1);
      unsigned[at] = 2n ** 64n - 1n;
      for (const to of ["float64", "int32"] as const) t.throws(() => cast(unsigned, to), { code: "ERR_CAST_RANGE" });
      unsigned[at] = 0n;
    }
  }
});
