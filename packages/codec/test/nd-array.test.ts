import { execFileSync } from "node:child_process";
import { type Complex, type DTypeMap, elementType, type Float16Data, fromNested, NdArray } from "@npystream/codec";
import test from "ava";
import { expectTypeOf } from "expect-type";

const range = (size: number, shape: readonly number[]): NdArray<"int32"> =>
  NdArray.from(
    Int32Array.from({ length: size }, (_, i) => i),
    shape,
  );

// Slices as [start, stop, step] or an index an axis; NumPy takes them from the same array, transposed or not.
type Axis = number | null | readonly [number | null, number | null, number | null];
const slices: readonly (readonly Axis[])[] = [
  [],
  [1],
  [-1, null, [null, null, -1]],
  [
    [1, null, null],
    [-2, null, null],
    [0, 4, 2],
  ],
  [[null, null, -2], 0],
  [[5, 9, null]],
  [null, [2, 0, -1], [null, null, -3]],
  [0, 1, 2],
  [[1, 1, null], null, 3],
  [
    [-100, 100, 3],
    [100, -100, -2],
  ],
];
const program = `
import json, sys
import numpy as np
a = np.arange(24, dtype='i4').reshape(2, 3, 4)
out = []
for array in (a, a.T):
    for ranges in json.loads(sys.argv[1]):
        key = tuple(slice(None) if r is None else r if isinstance(r, int) else slice(*r) for r in ranges)
        if any(isinstance(r, int) and not -n <= r < n for r, n in zip(ranges, array.shape)): out.append(None); continue
        v = array[key]
        out.append({'shape': v.shape, 'values': v.tolist(), 'c': bool(v.flags.c_contiguous), 'f': bool(v.flags.f_contiguous)})
print(json.dumps(out))
`;
interface View {
  readonly shape: number[];
  readonly values: unknown;
  readonly c: boolean;
  readonly f: boolean;
}
const views: (View | null)[] = JSON.parse(
  execFileSync("python3", ["-c", program, JSON.stringify(slices)], { encoding: "utf8" }),
);

function pick(array: NdArray, ranges: readonly Axis[]): NdArray {
  return array.slice(
    ...ranges.map((axis) => {
      if (axis === null || typeof axis === "number") return axis;
      const names = ["start", "stop", "step"] as const;
      return Object.fromEntries(names.flatMap((name, i) => (axis[i] === null ? [] : [[name, axis[i]]])));
    }),
  );
}

const slicesAlike = test.macro({
  title: (_, ranges: readonly Axis[], isTransposed: boolean) =>
    `slice(${JSON.stringify(ranges)}) of ${isTransposed ? "a transpose" : "an array"} is NumPy's, and a view`,
  exec(t, ranges: readonly Axis[], isTransposed: boolean, expected: View | null) {
    const whole = range(24, [2, 3, 4]);
    const array = isTransposed ? whole.transpose() : whole;
    if (expected === null) {
      t.throws(() => pick(array, ranges), { instanceOf: RangeError });
      return;
    }
    const view = pick(array, ranges);
    t.is(view.data, whole.data);
    t.deepEqual(view.shape, expected.shape);
    t.deepEqual(view.toNested() as unknown, expected.values);
    t.is(view.isContiguous, expected.c);
    t.is(view.order, expected.c ? "C" : expected.f ? "F" : null);
    t.deepEqual(view.contiguous().toNested() as unknown, expected.values);
    t.true(view.contiguous().isContiguous);
  },
});
for (const [i, ranges] of slices.entries()) {
  test(slicesAlike, ranges, false, views[i] ?? null);
  test(slicesAlike, ranges, true, views[slices.length + i] ?? null);
}

test("an element is read by its index, negative ones from the end", (t) => {
  const array = range(6, [2, 3]);
  t.is(array.get(1, 2), 5);
  t.is(array.get(-2, -3), 0);
  t.is(array.transpose().get(2, 0), 2);
  t.throws(() => array.get(2, 0), { instanceOf: RangeError, message: /index 2 .* axis 0 with 2/ });
  t.throws(() => array.get(0, -4), { instanceOf: RangeError });
  t.throws(() => array.get(0.5, 0), { instanceOf: RangeError });
  t.throws(() => array.get(0), { instanceOf: RangeError, message: /1 indices for 2 axes/ });
});

test("a shape is kept and not changed with that of the caller", (t) => {
  const shape = [2, 2];
  const array = NdArray.zeros("int8", shape);
  shape[0] = 9;
  t.deepEqual(array.shape, [2, 2]);
  t.true(Object.isFrozen(array.shape) && Object.isFrozen(array.strides));
});

test("sizes are those of NumPy's attributes", (t) => {
  const array = NdArray.zeros("complex64", [2, 3]);
  t.like(array, { dtype: "complex64", itemSize: 8, rank: 2, length: 2, size: 6, byteLength: 48, isContiguous: true });
  t.like(NdArray.zeros("float64", []), { rank: 0, length: 1, size: 1, byteLength: 8, order: "C" });
  t.like(NdArray.zeros("float64", [0, 5]), { rank: 2, length: 0, size: 0, byteLength: 0, order: "C" });
});

test("data that shape, strides and offset reach outside of is refused", (t) => {
  const data = new Int8Array(6);
  const make = (init: object) => () => new NdArray({ dtype: "int8", data, shape: [2, 3], ...init });
  t.notThrows(make({ strides: [-3, 1], offset: 3 }));
  t.throws(make({ shape: [7] }), { instanceOf: RangeError, message: /\[7\] reaches outside the 6/ });
  t.throws(make({ offset: 1 }), { instanceOf: RangeError });
  t.throws(make({ strides: [-3, 1] }), { instanceOf: RangeError });
  t.throws(make({ strides: [4, 1] }), { instanceOf: RangeError });
  t.throws(make({ strides: [1, 0.5] }), { instanceOf: RangeError, message: /whole numbers of elements/ });
  t.throws(make({ strides: [1] }), { instanceOf: RangeError, message: /1 strides for 2 axes/ });
  t.throws(make({ offset: 0.5 }), { instanceOf: RangeError });
  t.throws(make({ shape: [-1] }), { code: "ERR_NPY_SHAPE" });
  t.throws(() => NdArray.from(data, [5]), { instanceOf: RangeError });
});

test("a reshape works one extent out, and refuses what does not fit or does not lie in C order", (t) => {
  const array = range(24, [2, 3, 4]);
  t.deepEqual(array.reshape([4, -1]).shape, [4, 6]);
  t.is(array.reshape([24]).data, array.data);
  t.deepEqual(
    array.slice(1).reshape([-1]).toNested(),
    Array.from({ length: 12 }, (_, i) => 12 + i),
  );
  for (const shape of [[5, 5], [-1, -1, 24], [-1, 0], [-24], [2.5, -1], [25]]) {
    t.throws(() => array.reshape(shape), { code: "ERR_SHAPE" }, `${shape}`);
  }
  t.throws(() => array.transpose().reshape([24]), { code: "ERR_SHAPE", message: /contiguous\(\)/ });
});

test("an array is iterated over its first axis, and one without axes is not", (t) => {
  t.deepEqual(
    [...range(6, [3, 2])].map((row) => row.toNested()),
    [
      [0, 1],
      [2, 3],
      [4, 5],
    ],
  );
  t.throws(() => [...NdArray.zeros("int8", [])], { instanceOf: TypeError });
  t.is(NdArray.zeros("int8", []).toNested(), 0);
});

test("view reads the same bytes as another type of the same size", (t) => {
  t.is(fromNested([1], "float32").view("int32").get(0), 0x3f800000);
  t.deepEqual(fromNested([0x3f80], "uint16").view("bfloat16").toNested(), [1]);
  t.throws(() => fromNested([1], "float32").view("float64"), { instanceOf: TypeError, message: /4 bytes .* 8/ });
});

test("data is the typed array of its dtype, in its type and at run time", (t) => {
  const zeros = <D extends keyof DTypeMap>(dtype: D): DTypeMap[D] => NdArray.zeros(dtype, [1]).data;
  const checked: [unknown, unknown][] = [
    [zeros("bool"), Uint8Array],
    [zeros("int8"), Int8Array],
    [zeros("int16"), Int16Array],
    [zeros("int32"), Int32Array],
    [zeros("int64"), BigInt64Array],
    [zeros("uint8"), Uint8Array],
    [zeros("uint16"), Uint16Array],
    [zeros("uint32"), Uint32Array],
    [zeros("uint64"), BigUint64Array],
    [zeros("float32"), Float32Array],
    [zeros("float64"), Float64Array],
    [zeros("complex64"), Float32Array],
    [zeros("complex128"), Float64Array],
    [zeros("datetime64[ns]"), BigInt64Array],
    [zeros("timedelta64[25s]"), BigInt64Array],
    [zeros("float128"), Uint8Array],
  ];
  for (const [data, expected] of checked) t.is((data as object).constructor as unknown, expected);
  expectTypeOf<NdArray<"bool">["data"]>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<NdArray<"int8">["data"]>().toEqualTypeOf<Int8Array>();
  expectTypeOf<NdArray<"int16">["data"]>().toEqualTypeOf<Int16Array>();
  expectTypeOf<NdArray<"int32">["data"]>().toEqualTypeOf<Int32Array>();
  expectTypeOf<NdArray<"int64">["data"]>().toEqualTypeOf<BigInt64Array>();
  expectTypeOf<NdArray<"uint8">["data"]>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<NdArray<"uint16">["data"]>().toEqualTypeOf<Uint16Array>();
  expectTypeOf<NdArray<"uint32">["data"]>().toEqualTypeOf<Uint32Array>();
  expectTypeOf<NdArray<"uint64">["data"]>().toEqualTypeOf<BigUint64Array>();
  expectTypeOf<NdArray<"float16">["data"]>().toEqualTypeOf<Float16Data>();
  expectTypeOf<NdArray<"bfloat16">["data"]>().toEqualTypeOf<Uint16Array>();
  expectTypeOf<NdArray<"float32">["data"]>().toEqualTypeOf<Float32Array>();
  expectTypeOf<NdArray<"float64">["data"]>().toEqualTypeOf<Float64Array>();
  expectTypeOf<NdArray<"float96" | "float128">["data"]>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<NdArray<"complex64">["data"]>().toEqualTypeOf<Float32Array>();
  expectTypeOf<NdArray<"complex128">["data"]>().toEqualTypeOf<Float64Array>();
  expectTypeOf<NdArray<"complex192" | "complex256">["data"]>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<NdArray<"datetime64" | "timedelta64">["data"]>().toEqualTypeOf<BigInt64Array>();
  expectTypeOf<NdArray<"datetime64[ns]">["data"]>().toEqualTypeOf<BigInt64Array>();
  expectTypeOf<NdArray<"timedelta64[25s]">["data"]>().toEqualTypeOf<BigInt64Array>();
  expectTypeOf<NdArray<"str">["data"]>().toEqualTypeOf<Uint32Array>();
  expectTypeOf<NdArray<"bytes" | "void" | "struct">["data"]>().toEqualTypeOf<Uint8Array>();
});

test("what get gives is typed by the dtype's literal", (t) => {
  expectTypeOf(NdArray.zeros("bool", [1]).get(0)).toEqualTypeOf<boolean>();
  expectTypeOf(NdArray.zeros("int64", [1]).get(0)).toEqualTypeOf<bigint>();
  expectTypeOf(NdArray.zeros("float16", [1]).get(0)).toEqualTypeOf<number>();
  expectTypeOf(NdArray.zeros("complex64", [1]).get(0)).toEqualTypeOf<Complex>();
  expectTypeOf(NdArray.zeros("datetime64[ns]", [1]).get(0)).toEqualTypeOf<bigint>();
  expectTypeOf<ReturnType<NdArray<"str">["get"]>>().toEqualTypeOf<string>();
  expectTypeOf(NdArray.zeros("complex64", [1]).at(0).data).toEqualTypeOf<Float32Array>();
  t.is(NdArray.zeros(elementType("U3"), [1]).get(0), "");
});

test("data of another type is refused by name, and a Buffer is bytes", (t) => {
  const data = new Float64Array(2) as never;
  t.throws(() => new NdArray({ dtype: "float32", shape: [2], data }), {
    instanceOf: TypeError,
    message: "the data of float32 is a Float32Array, not a Float64Array",
  });
  t.is(new NdArray({ dtype: "uint8", shape: [3], data: Buffer.from([1, 2, 3]) }).get(2), 3);
  t.is(new NdArray({ dtype: "float16", shape: [1], data: Uint16Array.of(0x3c00) }).get(0), 1);
});
