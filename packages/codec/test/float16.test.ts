import { execFileSync } from "node:child_process";
import { float16ToNumber, NdArray, numberToFloat16 } from "@npystream/codec";
import test from "ava";
import { widenFloat16 } from "../src/float16.ts";

function numpy(program: string): unknown {
  return JSON.parse(
    execFileSync("python3", ["-W", "ignore", "-c", `import json\nimport numpy as np\n${program}`], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    }),
  );
}

/** Arrays of these lengths take the plain loop, and the kernel with a piece that is not full. */
const LENGTHS = [1, 100, 255, 256, 300, 16_383, 16_384, 16_385, 40_000];

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

test("every float16 bit pattern widens to NumPy's float32, NaN with its sign and payload, in vectors and without", (t) => {
  // The lowest bit of a NaN's exponent side says quiet: processors set it, so that both sides are compared with it set.
  const hex = numpy(
    "v=np.arange(65536,dtype='u2').view('f2').astype('f4').view('u4')\nv[(v&0x7fffffff)>0x7f800000]|=0x400000\nprint(json.dumps(v.tobytes().hex()))",
  ) as string;
  const bytes = new Uint8Array(Buffer.from(hex, "hex"));
  const expected = new Uint32Array(bytes.buffer);
  const halves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
  const quiet = (bits: number): number => ((bits & 0x7fffffff) > 0x7f800000 ? (bits | 0x400000) >>> 0 : bits);
  for (const step of [65_536, 128]) {
    const singles = new Uint32Array(65_536);
    for (let at = 0; at < 65_536; at += step) {
      widenFloat16(halves.subarray(at, at + step), singles.subarray(at, at + step));
    }
    t.deepEqual(singles.map(quiet), expected);
  }
});

test("float32 narrows to NumPy's float16 at every tie and edge, in vectors and without", (t) => {
  // Each float16, what is half way to the next, and the float32 beside that: all that rounding has to decide.
  const { singles, halves } = numpy(`
h=np.arange(0x7c01,dtype='u2').view('f2').astype('f8')
h[-1]=65536.0
m=((h[:-1]+h[1:])/2).astype('f4')
v=np.concatenate([h.astype('f4'),m,np.nextafter(m,np.float32(0)),np.nextafter(m,np.float32(np.inf)),np.float32([1e-45,3e38,np.inf])])
v=np.concatenate([v,-v])
print(json.dumps({'singles':v.tobytes().hex(),'halves':v.astype('f2').tobytes().hex()}))
`) as { singles: string; halves: string };
  const array = NdArray.from<"float32">(new Float32Array(new Uint8Array(Buffer.from(singles, "hex")).buffer));
  const bits = (part: NdArray): Uint8Array => {
    const { data } = part.astype("float16");
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  };
  const expected = new Uint8Array(Buffer.from(halves, "hex"));
  t.deepEqual(bits(array), expected);
  for (let at = 0; at < array.length; at += 200) {
    const end = Math.min(at + 200, array.length);
    t.deepEqual(bits(array.slice({ start: at, stop: end })), expected.subarray(2 * at, 2 * end));
  }
  t.deepEqual(bits(NdArray.from(new Float32Array(300).fill(Number.NaN))).subarray(0, 2), Uint8Array.of(0, 0x7e));
});

test("arrays of any length and offset convert alike", (t) => {
  const all = NdArray.from<"float32">(Float32Array.from({ length: 40_001 }, (_, i) => (i - 20_000) / 7));
  for (const length of LENGTHS) {
    const part = all.slice({ start: 1, stop: 1 + length });
    const expected = Uint16Array.from({ length }, (_, i) => numberToFloat16(part.get(i) as number));
    const halves = part.astype("float16");
    t.deepEqual(new Uint16Array(halves.data.buffer, halves.data.byteOffset, length), expected);
    t.deepEqual(halves.astype("float32").data, Float32Array.from(expected, float16ToNumber));
    t.deepEqual(halves.astype("float64").data, Float64Array.from(expected, float16ToNumber));
  }
});
