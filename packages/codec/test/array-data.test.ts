import { createData, dtypes, elementType, viewData } from "@npystream/codec";
import test from "ava";

test("data of every dtype is allocated as zeros of its size", (t) => {
  for (const dtype of dtypes) {
    const { itemSize } = elementType(dtype === "struct" ? [["a", "f8"]] : dtype);
    t.is(
      createData(dtype === "struct" ? (elementType([["a", "f8"]]) as never) : dtype, 3).byteLength,
      3 * itemSize,
      dtype,
    );
  }
  t.is(createData(elementType("U5"), 2).length, 10);
  t.is(createData("complex128", 2).length, 4);
});

test("bytes that are aligned for the type are viewed, others are copied", (t) => {
  const bytes = Uint8Array.from({ length: 24 }, (_, i) => i);
  const view = viewData("float64", bytes.subarray(8));
  t.is(view.buffer, bytes.buffer);
  t.is(view.byteOffset, 8);
  const copy = viewData("int32", bytes.subarray(2, 10));
  t.not(copy.buffer, bytes.buffer);
  t.deepEqual(new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength), bytes.slice(2, 10));
  t.is(viewData("uint8", bytes.subarray(3)).buffer, bytes.buffer);
  t.is(viewData(elementType("U1"), bytes.subarray(4, 8)).buffer, bytes.buffer);
});

test("bytes that are no whole number of elements are refused", (t) => {
  t.throws(() => viewData("float64", new Uint8Array(12)), {
    instanceOf: RangeError,
    message: /12 bytes .* float64 .*8/,
  });
  t.throws(() => viewData("complex64", new Uint8Array(12)), { instanceOf: RangeError });
  t.throws(() => viewData(elementType("V0"), new Uint8Array(1)), { instanceOf: RangeError });
  t.is(viewData(elementType("V0"), new Uint8Array(0)).length, 0);
});
