import { execFileSync } from "node:child_process";
import { type DType, dtypes, encodeNpy, fromNested } from "@npystream/codec";
import test from "ava";

const program = `
import io, json
import numpy as np
out = {}
for name in ${JSON.stringify(dtypes)}:
    try:
        if np.dtype(name).kind not in 'biufc': continue
    except TypeError: continue
    kind = np.dtype(name).kind
    values = [[True, False, True], [False, False, True]] if kind == 'b' else [[0, 1, 2], [3, 100, 127]]
    if kind in 'fc': values = [[0.0, -0.0, 1.5], [-2.0 ** -20, 3e4, 5e-324 if name != 'float16' else 6e-8]]
    f = io.BytesIO()
    with np.errstate(all='ignore'):
        array = np.array(values, name)
        # NumPy leaves whatever was in memory in the padding of an 80-bit number.
        if name in ('float128', 'complex256'): array.view('u1').reshape(-1, 16)[:, 10:] = 0
        np.save(f, array)
    out[name] = {'values': values, 'hex': f.getvalue().hex()}
print(json.dumps(out))
`;
const expected: Record<string, { values: unknown[][]; hex: string }> = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program], { encoding: "utf8" }),
);

for (const [dtype, { values, hex }] of Object.entries(expected)) {
  test(`nested lists become the ${dtype} array that np.array makes of them`, (t) => {
    t.is(Buffer.from(encodeNpy(fromNested(values, dtype as DType))).toString("hex"), hex);
  });
}

test("what toNested gives makes the same array again", (t) => {
  const array = fromNested([{ re: 1, im: -2 }, 3], "complex64");
  t.deepEqual(array.toNested(), [
    { re: 1, im: -2 },
    { re: 3, im: 0 },
  ]);
  t.deepEqual(fromNested([[], []], "int8").shape, [2, 0]);
  t.is(fromNested(7n, "int64").get(), 7n);
});

const refuses = test.macro({
  title: (_, values: unknown, dtype: DType) => `${JSON.stringify(values)} is no ${dtype} array`,
  exec(
    t,
    values: unknown[],
    dtype: DType,
    expectation: { code?: string; instanceOf?: typeof RangeError; message?: RegExp },
  ) {
    t.throws(() => fromNested(values, dtype), expectation);
  },
});
test(refuses, [[1, 2], [3]], "int8", { code: "ERR_SHAPE", message: /at \[1\]/ });
test(refuses, [[1], 2], "int8", { code: "ERR_SHAPE" });
test(refuses, [1, [2]], "int8", { code: "ERR_SHAPE" });
test(refuses, [1, 128], "int8", { instanceOf: RangeError, message: /at \[1\]: 128/ });
test(refuses, [0.5], "int32", { instanceOf: RangeError });
test(refuses, ["1"], "float32", { instanceOf: TypeError });
test(refuses, [1], "bool", { instanceOf: TypeError });
test(refuses, [-1], "uint64", { instanceOf: RangeError });
