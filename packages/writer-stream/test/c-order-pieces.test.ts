import { arrayBytes, NdArray } from "@npystream/codec";
import test from "ava";
import { cOrderPieces } from "../src/c-order-pieces.ts";

const base = NdArray.from(
  Int16Array.from({ length: 7 * 5 * 6 }, (_, i) => i),
  [7, 5, 6],
);

test("an array in C order is one view of its own bytes, however large", (t) => {
  const [piece, ...more] = cOrderPieces(base, 10);
  t.is(piece?.buffer, base.data.buffer);
  t.is(piece?.length, base.byteLength);
  t.is(more.length, 0);
});

test("any other array comes in copies of at most the piece, which join to its bytes", (t) => {
  for (const array of [
    base.transpose(),
    base.slice({}, { step: 2 }, { step: -1 }),
    base.transpose().slice({ start: 1 }),
  ]) {
    for (const pieceBytes of [2, 24, 100, 101, 10_000]) {
      const pieces = [...cOrderPieces(array, pieceBytes)];
      t.true(pieces.every(({ length }) => length <= pieceBytes || length === array.byteLength));
      t.deepEqual(new Uint8Array(Buffer.concat(pieces)), new Uint8Array(arrayBytes(array)));
    }
  }
});

test("an array without elements has no pieces, wherever in its data it begins", (t) => {
  const empty = NdArray.zeros("float64", [4, 0]);
  for (const array of [empty, empty.slice({ start: 3 }), NdArray.zeros("float64", [3, 0, 2]).transpose()]) {
    t.deepEqual([...cOrderPieces(array)], []);
  }
});
