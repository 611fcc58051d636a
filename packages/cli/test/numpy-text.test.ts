import { execFileSync } from "node:child_process";
import { fromNested } from "@npystream/codec";
import test from "ava";
import { formatNumpy } from "../src/numpy-text.ts";

// Values keep clear of 1e3 to 1e8, where releases of NumPy differ in when float16 and float32 turn to an exponent.
const program = `
import json
import numpy as np
random = np.random.default_rng(5)
special = [0.1, -2.5, np.nan, np.inf]
cases = [
    np.arange(12).reshape(3, 4) - 5,
    np.array([True, False]),
    np.array([[True], [True]]),
    np.array([2**64 - 1, 0], np.uint64),
    np.arange(-40, 40, dtype=np.int8).reshape(2, 2, 20),
    random.standard_normal(30),
    random.standard_normal((4, 5)).astype(np.float32),
    random.standard_normal(7).astype(np.float16),
    np.array([1.0, 2.0, 3.0]),
    np.array([0.0, -0.0]),
    np.array([1, 0.5, 0.25]),
    np.array([1 / 512, 3 / 512, 1.5]),
    np.array([1e-9, 1.0]),
    np.array([1e100, -1e-100, 0.0]),
    np.array([1e10, 2.5e10, 123456789012345.0]),
    np.array([0.1234567890123, 999.0]),
    np.array([1.00390625 * 2.0**-30, 2.0**40]),
    np.array(special),
    np.array([np.nan, np.nan]),
    np.array([np.inf, -np.inf]),
    np.array([np.nan, 1e20, -1.0]),
    np.array([1 + 2j, -0.5 - 0.25j, 3j]),
    np.array([1e10 + 1j, 2 - 1e-10j]),
    np.array([complex(np.nan, 1), complex(np.inf, -np.inf), 1 + 1j]),
    random.standard_normal((3, 2)).astype(np.complex64),
    np.zeros((0, 3)),
    np.zeros((2, 3, 0), np.int32),
    np.arange(1000),
    np.arange(1001),
    np.arange(3000).reshape(30, 100),
    random.standard_normal((7, 7, 7, 7)),
    random.standard_normal((2, 600)),
    np.arange(2000).reshape(2, 1, 1000),
    np.array([[[5]]]),
]

def value(v):
    if v.dtype.kind == "c":
        return {"re": value(v.real), "im": value(v.imag)}
    return str(v) if v.dtype.kind in "iu" else repr(float(v)) if v.dtype.kind == "f" else bool(v)

def edges(a, cut):
    if a.ndim == 0:
        return value(a)
    keep = list(range(len(a)))
    if cut and len(a) > 6:
        keep = keep[:3] + keep[-3:]
    return [edges(a[i], cut) for i in keep]

out = []
for array in cases:
    for columns in (30, 75, 120):
        np.set_printoptions(linewidth=columns)
        values = edges(array, array.size > 1000)
        out.append({"dtype": array.dtype.name, "shape": array.shape, "columns": columns, "values": values, "text": str(array)})
print(json.dumps(out))
`;
interface Case {
  readonly dtype: string;
  readonly shape: number[];
  readonly columns: number;
  readonly values: unknown;
  readonly text: string;
}
const cases: Case[] = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program], { encoding: "utf8", maxBuffer: 1 << 26 }),
);

/** Turns what JSON could not hold back into values. */
function revive(value: unknown, dtype: string): unknown {
  if (Array.isArray(value)) return value.map((entry) => revive(entry, dtype));
  if (typeof value === "string") return /int/.test(dtype) ? BigInt(value) : Number(value.replace("inf", "Infinity"));
  if (typeof value !== "object" || value === null) return value;
  const { re, im } = value as { re: string; im: string };
  return { re: revive(re, dtype), im: revive(im, dtype) };
}

test("arrays are printed as NumPy prints them, whatever the width", (t) => {
  t.true(cases.length > 90);
  for (const { dtype, shape, columns, values, text } of cases) {
    const array = fromNested(revive(values, dtype) as never, dtype);
    const printed = formatNumpy({ type: array.type, shape, values: array.toNested(), columns });
    t.is(printed, text, `${dtype} [${shape.join(", ")}] in ${columns} columns`);
  }
});
