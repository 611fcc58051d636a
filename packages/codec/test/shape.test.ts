import { execFileSync } from "node:child_process";
import { defaultLimits, shapeSize, stridesOf } from "@npystream/codec";
import test from "ava";
import { checkShape } from "../src/shape.ts";

const shapes = [[], [3], [3, 4], [4, 1, 2], [0, 3], [3, 0, 2], [2, 3, 4, 5]];
const expected: { size: number; C: number[]; F: number[] }[] = JSON.parse(
  execFileSync(
    "python3",
    [
      "-c",
      "import json, sys, numpy as np\nprint(json.dumps([{'size': np.empty(s, 'i1').size, **{o: np.empty(s, 'i1', o).strides for o in 'CF'}} for s in json.loads(sys.argv[1])]))",
      JSON.stringify(shapes),
    ],
    { encoding: "utf8" },
  ),
);

test("size and strides of a shape are NumPy's", (t) => {
  for (const [i, shape] of shapes.entries()) {
    t.is(shapeSize(shape), expected[i]?.size ?? -1);
    // Strides of an array without elements reach nothing: NumPy sets them all alike.
    if (!shape.includes(0)) {
      t.deepEqual(stridesOf(shape, "C"), expected[i]?.C ?? [], `${shape}`);
      t.deepEqual(stridesOf(shape, "F"), expected[i]?.F ?? [], `${shape}`);
    }
  }
});

test("a product is exact up to 2^53 - 1 bytes and refused beyond", (t) => {
  t.is(shapeSize([2 ** 26, 2 ** 26]), 2 ** 52);
  t.is(shapeSize([Number.MAX_SAFE_INTEGER]), Number.MAX_SAFE_INTEGER);
  // 2^53 - 1 is 6361 * 69431 * 20394401.
  t.is(shapeSize([6361, 69_431, 20_394_401]), Number.MAX_SAFE_INTEGER);
  for (const [shape, itemSize] of [
    [[2 ** 27, 2 ** 26], 1],
    [[2 ** 52], 2],
    [[2 ** 40, 2 ** 40, 2 ** 40, 2 ** 40], 1],
    [[2 ** 32, 2 ** 32, 0], 8],
    [[2 ** 32, 2 ** 32], 0],
  ] as const) {
    t.throws(() => shapeSize(shape, itemSize), { code: "ERR_NPY_SHAPE", message: /2\^53 - 1/ }, `${shape}`);
  }
});

test("an extent is a whole number from 0", (t) => {
  for (const extent of [-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
    t.throws(() => shapeSize([2, extent]), { code: "ERR_NPY_SHAPE", message: /whole number/ });
  }
});

test("the extents of a header are held against the limits", (t) => {
  t.deepEqual(checkShape([3n, 0n], defaultLimits), [3, 0]);
  t.deepEqual(checkShape(Array(64).fill(1n), defaultLimits), Array(64).fill(1));
  t.throws(() => checkShape(Array(65).fill(1n), defaultLimits), { code: "ERR_LIMIT_RANK", message: /65 .* 64/ });
  t.throws(() => checkShape([1n, 1n], { ...defaultLimits, rank: 1 }), { code: "ERR_LIMIT_RANK" });
  for (const extent of [-1n, 2n ** 53n, 10n ** 300n]) {
    t.throws(() => checkShape([extent], defaultLimits), { code: "ERR_NPY_SHAPE" });
  }
});
