import { execFileSync } from "node:child_process";
import { elementType, parseNpyHeader } from "@npystream/codec";
import test from "ava";
import { formatTypeString, parseTypeString } from "../src/type-string.ts";
import { npy } from "./npy-bytes.ts";

test("a dtype string is one that np.dtype takes, with NumPy's name, size and form", (t) => {
  const strings =
    "f4 =f4 |i4 float32 ? b1 |b1 V0 S U V a5 c float complex int str bytes void l q p L Q e g F D G M8 m8 M8[25s] m8[7D] datetime64[ns] timedelta64[3h] datetime64 longdouble half single double bool_ int_ U03 S5 >U5 intc ulonglong M m <?".split(
      " ",
    );
  const expected: [string, number][] = JSON.parse(
    execFileSync(
      "python3",
      [
        "-W",
        "ignore",
        "-c",
        `import json, sys, numpy as np\nprint(json.dumps([[np.dtype(s).newbyteorder('=').str, np.dtype(s).itemsize] for s in json.loads(sys.argv[1])]))`,
        JSON.stringify(strings),
      ],
      { encoding: "utf8" },
    ),
  );
  for (const [i, text] of strings.entries()) {
    const { descr, itemSize } = elementType(text);
    t.deepEqual([descr, itemSize], expected[i], text);
  }
});

const refuses = test.macro({
  title: (_, text: string, code: string) => `${JSON.stringify(text.slice(0, 40))} is ${code}`,
  exec(t, text: string, code: string) {
    const error = t.throws(() => parseTypeString(text), { code });
    t.true((error?.message.length ?? 0) < 300);
  },
});
for (const text of ["O", "|O", "|O8", "object", "object_"]) test(refuses, text, "ERR_NPY_OBJECT");
for (const text of [
  "",
  "<",
  "f3",
  "i16",
  "<<f4",
  "f4 ",
  "float33",
  "M8[fortnight]",
  "M8[0s]",
  "M8[99999999999s]",
  "M8[2147483648s]",
  "M8[s",
  "M8[[s]]",
  "m8[]]",
  "S-1",
  "S1.5",
  "S2147483648",
  "U536870912",
  "U999999999999",
  "c5",
  "bytes5",
  "x".repeat(1 << 20),
]) {
  test(refuses, text, "ERR_NPY_DTYPE");
}

test("the byte order is that of the mark, and the machine's where there is none or elements have none", (t) => {
  for (const [text, byteOrder] of [
    [">f4", "big"],
    ["<f4", "little"],
    ["=f4", "little"],
    ["f4", "little"],
    [">u1", "little"],
    [">S5", "little"],
    [">V5", "little"],
    [">U5", "big"],
    [">M8[ns]", "big"],
    [">c16", "big"],
    [">?", "little"],
  ] as const) {
    t.is(parseTypeString(text).byteOrder, byteOrder, text);
  }
});

test("a complex number is swapped by its halves, text by its characters", (t) => {
  const swaps = (descr: string): unknown => {
    return parseNpyHeader(npy(`{'descr': '${descr}', 'fortran_order': False, 'shape': (1,), }`)).swaps;
  };
  t.deepEqual(swaps(">c16"), [{ offset: 0, unit: 8, count: 2 }]);
  t.deepEqual(swaps(">U5"), [{ offset: 0, unit: 4, count: 5 }]);
  t.deepEqual(swaps(">f16"), [{ offset: 0, unit: 16, count: 1 }]);
  t.deepEqual(swaps(">U0"), []);
  t.deepEqual(swaps(">S5"), []);
  t.deepEqual(swaps("<f8"), []);
});

test("what is formatted parses to the same", (t) => {
  for (const text of ["|b1", "|i1", "<u8", "<f2", "<c32", "|S0", "<U7", "|V3", "<M8[25s]", "<m8", "<M8[as]"]) {
    const { dtype, itemSize, unit } = parseTypeString(text);
    t.is(formatTypeString(dtype, itemSize, unit), text);
  }
  t.is(formatTypeString("bfloat16", 2, undefined), "<V2");
});
