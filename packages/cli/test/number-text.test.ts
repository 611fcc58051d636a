import { execFileSync } from "node:child_process";
import test from "ava";
import fc from "fast-check";
import { doubleText, shortestDouble } from "../src/number-text.ts";

test("a double's text gives the same double and is a float in Python", (t) => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = doubleText(value);
      return Object.is(JSON.parse(text), value) && /[.e]/.test(text);
    }),
  );
  t.deepEqual([0, -0, 1, -3, 0.1, 1e21, 1e20, 5e-324].map(doubleText), [
    "0.0",
    "-0.0",
    "1.0",
    "-3.0",
    "0.1",
    "1e+21",
    "100000000000000000000.0",
    "5e-324",
  ]);
});

test("the shortest float32 and float16 are NumPy's, subnormals included", (t) => {
  const program = `
import json
import numpy as np
bits16 = np.arange(0, 0x7c00, 7, dtype=np.uint16)
random = np.random.default_rng(3)
bits32 = np.concatenate([np.arange(1, 300), random.integers(1, 0x7f800000, 3000)]).astype(np.uint32)
print(json.dumps([[float(v), float(str(v))] for v in bits16.view(np.float16)]))
print(json.dumps([[float(v), float(str(v))] for v in bits32.view(np.float32)]))`;
  const lines = execFileSync("python3", ["-c", program], { encoding: "utf8" }).trim().split("\n");
  for (const [index, itemSize] of [2, 4].entries()) {
    const pairs: [number, number][] = JSON.parse(lines[index] ?? "");
    t.true(pairs.length > 1000);
    for (const [value, short] of pairs) t.is(shortestDouble(value, itemSize), short);
  }
});

test("a double is its own shortest, and so are zeros and what is not finite", (t) => {
  t.is(shortestDouble(0.1 + 0.2, 8), 0.1 + 0.2);
  t.is(shortestDouble(-0, 4), -0);
  t.is(shortestDouble(Number.NaN, 4), Number.NaN);
});
