import { type DType, dtypes, elementType, NdArray, scalarAt, setScalar } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";

const integers: readonly (readonly [DType, bigint, bigint])[] = [8, 16, 32, 64].flatMap((bits) => {
  const half = 2n ** BigInt(bits - 1);
  return [[`int${bits}` as DType, -half, half - 1n] as const, [`uint${bits}` as DType, 0n, 2n * half - 1n] as const];
});

const holds = test.macro({
  title: (_, dtype: DType) => `${dtype} holds every integer of its range and refuses the next ones`,
  exec(t, dtype: DType, lowest: bigint, highest: bigint) {
    const { type, data } = NdArray.zeros(dtype, [1]);
    fc.assert(
      fc.property(fc.bigInt(lowest, highest), (value) => {
        setScalar(type, data, 0, value);
        t.is(BigInt(scalarAt(type, data, 0) as number), value);
      }),
      { numRuns: 50, examples: [[lowest], [highest]] },
    );
    for (const value of [lowest - 1n, highest + 1n]) {
      t.throws(() => setScalar(type, data, 0, value), { instanceOf: RangeError });
    }
    t.is(BigInt(scalarAt(type, data, 0) as number) <= highest, true);
  },
});
for (const [dtype, lowest, highest] of integers) test(holds, dtype, lowest, highest);

test("numbers and bigints stand for each other where nothing is lost", (t) => {
  const wide = NdArray.zeros("int64", [1]);
  setScalar(wide.type, wide.data, 0, 7);
  t.is(wide.get(0), 7n);
  for (const value of [2 ** 53, 0.5, Number.NaN, "7", null]) {
    t.throws(() => setScalar(wide.type, wide.data, 0, value), {
      instanceOf: TypeError,
      message: /neither a bigint nor/,
    });
  }
  const float = NdArray.zeros("float64", [1]);
  setScalar(float.type, float.data, 0, 2n ** 60n);
  t.is(float.get(0), 2 ** 60);
  t.throws(() => setScalar(float.type, float.data, 0, 2n ** 60n + 1n), {
    instanceOf: RangeError,
    message: /not exact/,
  });
});

test("a complex element takes a number for its real part, and no other object", (t) => {
  const { type, data } = NdArray.zeros("complex64", [1]);
  setScalar(type, data, 0, 3);
  t.deepEqual(scalarAt(type, data, 0), { re: 3, im: 0 });
  t.throws(() => setScalar(type, data, 0, { re: 1 }), { instanceOf: TypeError, message: /no numbers re and im/ });
});

test("a value that no element can be is refused by every dtype, in a short message", (t) => {
  for (const dtype of dtypes.filter((name) => name !== "struct")) {
    const type = elementType(dtype);
    const { data } = NdArray.zeros(type, [1]);
    for (const value of [undefined, Symbol.iterator, () => 1, [1]]) {
      const error = t.throws(() => setScalar(type, data, 0, value), { instanceOf: TypeError }, dtype);
      t.true((error?.message.length ?? 0) < 200);
    }
  }
});

test("an error names a number that JSON does not have", (t) => {
  const { type, data } = NdArray.zeros("int32", [1]);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => setScalar(type, data, 0, value), { message: new RegExp(`^${value} is no integer`) });
  }
});
