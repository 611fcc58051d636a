import { execFileSync } from "node:child_process";
import { type DType, elementType, scalarAt, setScalar, viewData } from "@npystream/codec";
import test from "ava";

function numpy(program: string): unknown {
  return JSON.parse(
    execFileSync("python3", ["-c", `import json\nimport numpy as np\n${program}`], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    }),
  );
}

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

test("every kind of 80-bit number is the double nearest to it, and every double comes back exactly", (t) => {
  const type = elementType("float128");
  const of = (significand: bigint, high: number): number => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, significand, true);
    view.setUint16(8, high, true);
    return scalarAt(type, bytes as never, 0) as number;
  };
  const one = 1n << 63n;
  t.is(of(one, 0x3fff), 1);
  t.is(of(one, 0xbfff), -1);
  t.is(of(0n, 0), 0);
  t.true(Object.is(of(0n, 0x8000), -0));
  t.is(of(one, 0x7fff), Number.POSITIVE_INFINITY);
  t.is(of(one, 0xffff), Number.NEGATIVE_INFINITY);
  t.is(of(one | (1n << 62n), 0x7fff), Number.NaN);
  t.is(of(one, 0x7ffe), Number.POSITIVE_INFINITY, "past the exponents of a double");
  t.is(of(one, 1), 0, "below them");
  t.is(of((1n << 64n) - 1n, 0x3fff), 2, "rounded up");
  t.is(of(one | (1n << 10n), 0x3fff), 1, "a tie goes to the even one");
  const data = new Uint8Array(16);
  for (const value of [
    0,
    -0,
    1,
    -2.5,
    Math.PI,
    2 ** -1074,
    -(2 ** -1030),
    Number.MAX_VALUE,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
  ]) {
    setScalar(type, data as never, 0, value);
    t.true(Object.is(scalarAt(type, data as never, 0), value), `${value}`);
  }
});
