import { elementType, float16ToNumber, NdArray } from "@npystream/codec";
import test from "ava";
import { type ArrayInput, arrayOf, holds, isBytes, isFlatArray, isNdArray, isSameType } from "../src/array-input.ts";

test("an array is taken as it is, a typed array as a view, lists as they nest", (t) => {
  const array = NdArray.zeros("int8", [2, 2]);
  t.is(arrayOf(array), array);
  t.is(arrayOf(array, "int8"), array);
  const flat = Float32Array.of(1, 2);
  t.is(arrayOf(flat).data.buffer, flat.buffer);
  t.like(arrayOf([[1, 2]]), { dtype: "float64", shape: [1, 2] });
  for (const [values, dtype] of [
    [[1n], "int64"],
    [[true], "bool"],
    [[{ re: 1, im: 2 }], "complex128"],
    [[], "float64"],
  ] as const) {
    t.is(arrayOf(values as unknown as ArrayInput).dtype, dtype);
  }
});

test("bytes are those of any type, and must be whole elements", (t) => {
  const bytes = new Uint8Array(Float64Array.of(1.5, -2).buffer);
  t.deepEqual(arrayOf(bytes, "float64").toNested(), [1.5, -2]);
  t.deepEqual(arrayOf(new Uint8Array([0, ...bytes]).subarray(1), "float64").toNested(), [1.5, -2]);
  t.throws(() => arrayOf(bytes.subarray(1), "float64"), { code: "ERR_WRITE_SHAPE" });
  t.throws(() => arrayOf(Float32Array.of(1), "float64"), { code: "ERR_WRITE_DTYPE", message: /nothing is cast/ });
  t.throws(() => arrayOf(NdArray.zeros("int8", [1]), "uint8"), { code: "ERR_WRITE_DTYPE" });
});

test("a number becomes the nearest that a float has, past its largest infinity; an integer that does not fit is refused", (t) => {
  t.deepEqual(arrayOf([1e300, -1e300, 0.1], "float32").toNested(), [Infinity, -Infinity, Math.fround(0.1)]);
  t.deepEqual(arrayOf([70_000, 65_504], "float16").toNested(), [Infinity, float16ToNumber(0x7bff)]);
  t.throws(() => arrayOf([300], "uint8"), { code: "ERR_WRITE_DTYPE" });
  t.throws(() => arrayOf([1.5], "int32"), { code: "ERR_WRITE_DTYPE" });
});

test("a value that tells no dtype is refused with a way out", (t) => {
  for (const [value, message] of [
    ["text", /'U12'/],
    [new Date(), /datetime64\[ms\]/],
    [[Float32Array.of(1)], /NdArray\.from/],
    [{ name: "Ada" }, /a record has a dtype/],
    [null, /no value/],
  ] as const) {
    t.throws(() => arrayOf(value as unknown as ArrayInput), { code: "ERR_WRITE_DTYPE", message });
  }
});

test("kinds of input are told apart", (t) => {
  t.true(isNdArray(NdArray.zeros("int8", [])) && !isNdArray([]) && !isNdArray(null));
  t.true(isFlatArray(new Uint8ClampedArray(1)) && !isFlatArray(new DataView(new ArrayBuffer(1))) && !isFlatArray([1]));
  t.true(isBytes(new Uint8ClampedArray(1)) && isBytes(Buffer.alloc(1)) && !isBytes(new Int8Array(1)));
  t.true(holds(new Uint16Array(1), elementType("float16")) && holds(new Float64Array(2), elementType("complex128")));
  t.false(holds(new Float32Array(1), elementType("float64")));
  t.true(isSameType(elementType("U5"), elementType("<U5")) && !isSameType(elementType("U5"), elementType("U6")));
});
