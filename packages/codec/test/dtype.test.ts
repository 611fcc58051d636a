import { execFileSync } from "node:child_process";
import { dtypeInfo, dtypeOf, dtypes } from "@npystream/codec";
import test from "ava";

const expected: Record<string, [kind: string, itemSize: number]> = JSON.parse(
  execFileSync(
    "python3",
    [
      "-c",
      "import json, sys, numpy as np\nprint(json.dumps({n: [np.dtype(n).kind, np.dtype(n).itemsize] for n in json.loads(sys.argv[1]) if n in ('str', 'bytes', 'void') or hasattr(np, n)}))",
      JSON.stringify(dtypes),
    ],
    { encoding: "utf8" },
  ),
);

test("kind and item size of every dtype are NumPy's", (t) => {
  t.true(Object.keys(expected).length >= 20);
  for (const dtype of dtypes) {
    const { kind, itemSize } = dtypeInfo(dtype);
    if (expected[dtype] !== undefined) t.deepEqual([kind, itemSize], expected[dtype], dtype);
  }
  t.is(dtypeInfo("datetime64[25s]").kind, "M");
  t.is(dtypeInfo("complex64").components, 2);
});

test("a name that is no dtype is refused with those there are", (t) => {
  for (const name of ["float33", "toString", "__proto__", "", 7, null]) {
    t.throws(() => dtypeInfo(name as never), { instanceOf: TypeError, message: /unknown dtype .*; one of bool, int8/ });
  }
});

test("a typed array names its dtype, subclasses that of what they extend", (t) => {
  t.is(dtypeOf(new Float32Array(0)), "float32");
  t.is(dtypeOf(new Uint8ClampedArray(0)), "uint8");
  t.is(dtypeOf(Buffer.alloc(0)), "uint8");
  t.is(dtypeOf(new BigInt64Array(0)), "int64");
  for (const other of [[], new DataView(new ArrayBuffer(8)), null, undefined, {}]) {
    t.throws(() => dtypeOf(other as never), { instanceOf: TypeError, message: /expected a typed array/ });
  }
});
