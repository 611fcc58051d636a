import { NdArray } from "@npystream/codec";
import test from "ava";
import { emptyText, rowText } from "../src/row-text.ts";

const counted = (shape: readonly number[]): NdArray =>
  NdArray.from(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  );
const nested = { rowSeparator: ",", brackets: true };
const text = (array: NdArray, layout = nested): string => [...rowText(array, String, layout)].join("");

test("rows of any rank are nested in C order", (t) => {
  for (const shape of [[1], [5], [2, 3], [3, 1], [1, 4], [2, 3, 4], [2, 1, 3, 2], [3, 2, 1, 1]]) {
    const array = counted(shape);
    t.deepEqual(JSON.parse(`[${text(array)}]`), array.toNested());
  }
});

test("a transposed view is written in its own index order", (t) => {
  const array = counted([2, 3, 4]).transpose();
  t.deepEqual(JSON.parse(`[${text(array)}]`), array.toNested());
});

test("rows without brackets are a flat line each", (t) => {
  t.is(text(counted([2, 2, 2]), { rowSeparator: "\n", brackets: false }), "0,1,2,3\n4,5,6,7");
  t.is(text(counted([3]), { rowSeparator: "\n", brackets: false }), "0\n1\n2");
});

test("pieces stay small, also within a long row", (t) => {
  const pieces = [...rowText(counted([1, 100_000]), String, nested)];
  t.true(pieces.length > 10);
  t.true(pieces.every((piece) => piece.length < 40_000));
});

test("a shape without elements is nested empty lists", (t) => {
  t.is([...emptyText([0])].join(""), "[]");
  t.is([...emptyText([2, 0])].join(""), "[[],[]]");
  t.is([...emptyText([0, 3])].join(""), "[]");
  t.is([...emptyText([1, 2, 0])].join(""), "[[[],[]]]");
});
