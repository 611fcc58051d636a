import { execFileSync } from "node:child_process";
import {
  type DType,
  elementType,
  float16ToNumber,
  numberToFloat16,
  scalarAt,
  swapBytes,
  viewData,
} from "@npystream/codec";
import test from "ava";

function numpy(program: string): unknown {
  return JSON.parse(
    execFileSync("python3", ["-c", `import json\nimport numpy as np\n${program}`], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    }),
  );
}

test("every float16 bit pattern converts to the double NumPy has for it", (t) => {
  const expected = numpy(
    "v=np.arange(65536,dtype='u2').view('f2').astype('f8')\nprint(json.dumps([repr(float(x)) for x in v]))",
  ) as string[];
  const names: Record<string, number> = {
    nan: Number.NaN,
    inf: Number.POSITIVE_INFINITY,
    "-inf": Number.NEGATIVE_INFINITY,
  };
  for (let bits = 0; bits < 65_536; bits++) {
    const text = expected[bits] ?? "";
    const value = names[text] ?? Number(text);
    if (!Object.is(float16ToNumber(bits), value)) t.fail(`bits ${bits}: ${float16ToNumber(bits)}, NumPy has ${text}`);
  }
  t.pass();
});

test("numbers round to the float16 that NumPy rounds them to", (t) => {
  const result = numpy(
    "r=np.random.default_rng(1)\nv=np.concatenate([r.standard_normal(3000)*10.0**r.integers(-9,6,3000),[0.0,-0.0,65504,65519.99,65520,2.0**-24,2.0**-25,2.0**-25*1.01,2.0**-14,2049,2051]])\nprint(json.dumps({'v':v.tolist(),'b':v.astype('f2').view('u2').tolist()}))",
  ) as { v: number[]; b: number[] };
  // JSON has no negative zero in JavaScript's parser's view of "-0.0": it keeps it, and so does this comparison.
  t.deepEqual(result.v.map(numberToFloat16), result.b);
});

const extended: readonly DType[] = ["float128", "complex256"];
for (const dtype of extended) {
  test(`${dtype} gives the double NumPy rounds it to`, (t) => {
    const result = numpy(
      `r=np.random.default_rng(2)\nv=(r.standard_normal(400)*10.0**r.integers(-320,300,400)).astype('${dtype}')/3\nw=v.astype('c16')\nprint(json.dumps({'hex':v.tobytes().hex(),'re':w.real.tolist(),'im':w.imag.tolist()}))`,
    ) as { hex: string; re: number[]; im: number[] };
    const data = viewData(dtype, new Uint8Array(Buffer.from(result.hex, "hex"))) as Uint8Array;
    for (let i = 0; i < 400; i++) {
      const value = scalarAt(elementType(dtype), data, i) as number | { re: number; im: number };
      t.deepEqual(typeof value === "number" ? { re: value, im: 0 } : value, {
        re: result.re[i] ?? 0,
        im: result.im[i] ?? 0,
      });
    }
  });
}

test("a byte swap leaves its input alone and undoes itself", (t) => {
  for (const unit of [1, 2, 4, 8, 12, 16]) {
    const input = Uint8Array.from({ length: 48 }, (_, i) => i);
    const swapped = swapBytes(input, unit);
    t.is(swapped[0], unit - 1);
    t.deepEqual(swapBytes(swapped, unit), input);
    t.is(input[1], 1);
  }
});
