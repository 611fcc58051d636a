import { execFileSync } from "node:child_process";
import { type DType, dtypes, formatNpyHeader, npyDataOffset, parseNpyHeader } from "@npystream/codec";
import test from "ava";

interface Expected {
  readonly dtype: string;
  readonly order: "C" | "F";
  readonly shape: readonly number[];
  readonly header: string;
}

// Every dtype NumPy has here, both orders, rank 0 to 4 and zero-size: the first bytes of np.save, up to the data.
const program = `
import io, json
import numpy as np
out = []
shapes = [(), (0,), (1,), (7,), (10**9,), (3, 4), (0, 4), (4, 0), (2, 3, 4), (1, 2, 3, 4), (12345678901, 2)]
for name in ${JSON.stringify(dtypes)}:
    try:
        if np.dtype(name).kind not in 'biufc': continue
    except TypeError: continue
    for shape in shapes:
        for order in 'CF':
            a = np.lib.stride_tricks.as_strided(np.zeros(1, name), shape, (0,) * len(shape))
            d = {'descr': np.lib.format.dtype_to_descr(a.dtype), 'fortran_order': order == 'F', 'shape': shape}
            f = io.BytesIO()
            np.lib.format.write_array_header_1_0(f, d)
            out.append({'dtype': name, 'order': order, 'shape': shape, 'header': f.getvalue().hex()})
print(json.dumps(out))
`;

const expected: readonly Expected[] = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program], { encoding: "utf8", maxBuffer: 1 << 26 }),
);

test("headers are byte-identical to NumPy's for every numeric dtype, order and shape", (t) => {
  t.true(new Set(expected.map(({ dtype }) => dtype)).size >= 16);
  for (const { dtype, order, shape, header } of expected) {
    t.is(
      Buffer.from(formatNpyHeader({ dtype: dtype as DType, order, shape })).toString("hex"),
      header,
      `${dtype} ${shape}`,
    );
  }
});

test("NumPy's headers parse to what NumPy wrote", (t) => {
  for (const { dtype, order, shape, header } of expected) {
    const bytes = new Uint8Array(Buffer.from(header, "hex"));
    const parsed = parseNpyHeader(bytes);
    t.like(parsed, {
      dtype: dtype as DType,
      order,
      shape,
      version: "1.0",
      byteOrder: "little",
      dataOffset: bytes.length,
    });
    t.is(npyDataOffset(bytes.subarray(0, 12)), bytes.length);
  }
});

function header(text: string, version = [1, 0]): Uint8Array {
  const body = Buffer.from(`${text}\n`, version[0] === 3 ? "utf8" : "latin1");
  const length = Buffer.alloc(version[0] === 1 ? 2 : 4);
  if (version[0] === 1) length.writeUInt16LE(body.length);
  else length.writeUInt32LE(body.length);
  return new Uint8Array(Buffer.concat([Buffer.from("\x93NUMPY", "latin1"), Buffer.from(version), length, body]));
}

const dict = (descr: string, shape = "(2, 3)", order = "False"): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

for (const version of [
  [1, 0],
  [2, 0],
  [3, 0],
]) {
  test(`version ${version.join(".")} is read, in big-endian byte order too`, (t) => {
    t.like(parseNpyHeader(header(dict("'>f8'"), version)), {
      version: version.join("."),
      dtype: "float64",
      byteOrder: "big",
      byteLength: 48,
    });
  });
}

test("a shape of Python 2 long integers is read", (t) => {
  t.deepEqual(parseNpyHeader(header(dict("'<f8'", "(6L, 2L)"))).shape, [6, 2]);
});

const refused = test.macro({
  exec: (t, bytes: Uint8Array, code: string) => {
    const error = t.throws(() => parseNpyHeader(bytes), { code });
    t.false((error?.message ?? "").includes("\n"));
  },
  title: (name, _, code) => `refuses ${name} with ${code}`,
});
test("text", refused, new TextEncoder().encode("hello, this is text"), "ERR_NPY_MAGIC");
test("version 1.1", refused, header(dict("'<f4'"), [1, 1]), "ERR_NPY_VERSION");
test("version 4.0", refused, header(dict("'<f4'"), [4, 0]), "ERR_NPY_VERSION");
test("an empty file", refused, new Uint8Array(0), "ERR_NPY_TRUNCATED");
test("a cut header", refused, header(dict("'<f4'")).subarray(0, 30), "ERR_NPY_TRUNCATED");
test("a call in the header", refused, header("__import__('os').system('true')"), "ERR_NPY_HEADER");
test("a missing key", refused, header("{'descr': '<f4', 'shape': (1,)}"), "ERR_NPY_HEADER");
test("pickled objects", refused, header(dict("'|O'")), "ERR_NPY_OBJECT");
test("an unknown dtype", refused, header(dict("'<q9'")), "ERR_NPY_DTYPE");
test("a negative extent", refused, header(dict("'<f4'", "(-1,)")), "ERR_NPY_SHAPE");
test("a shape past 2^53 bytes", refused, header(dict("'<f4'", "(4294967296, 4294967296)")), "ERR_NPY_SHAPE");
test("a boolean extent", refused, header(dict("'<f4'", "(True,)")), "ERR_NPY_SHAPE");
test("65 axes", refused, header(dict("'<f4'", `(${"1, ".repeat(65)})`)), "ERR_LIMIT_RANK");
test("a 2 MiB header", refused, header(dict("'<f4'") + " ".repeat(2 << 20), [2, 0]), "ERR_LIMIT_HEADER");

test("a key that stands twice is refused", (t) => {
  const twice = "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }";
  t.throws(() => parseNpyHeader(header(twice)), { code: "ERR_NPY_HEADER", message: /descr.* twice/ });
});

test("an array of more axes than NumPy has is not written", (t) => {
  t.throws(() => formatNpyHeader({ dtype: "int8", shape: Array(65).fill(1) }), { code: "ERR_LIMIT_RANK" });
});

const says = test.macro({
  title: (_, text: string) => `the message for ${text} says what was expected and found`,
  exec(t, text: string, code: string, message: RegExp) {
    t.throws(() => parseNpyHeader(header(text)), { code, message });
  },
});
test(says, "['<f4', False, (3,)]", "ERR_NPY_HEADER", /is a dict, not a list/);
test(says, dict("'<f4'", "(3,)", "0"), "ERR_NPY_HEADER", /fortran_order is True or False, not an int/);
test(says, dict("'<f4'", "[3]"), "ERR_NPY_SHAPE", /shape is a tuple of int, not a list/);
test(says, dict("'<f4'", "(3, None)"), "ERR_NPY_SHAPE", /an extent is an int, not None/);
test(says, dict("'<f4'", "(3, -7)"), "ERR_NPY_SHAPE", /holds -7/);

const MIB = 1 << 20;
const hostile: Readonly<Record<string, string>> = {
  "opening brackets": "(".repeat(MIB),
  "closed brackets": "[],".repeat(MIB / 3),
  "nested brackets": `${"(".repeat(30)}${")".repeat(30)},`.repeat(MIB / 61),
  dicts: "{},".repeat(MIB / 3),
  quotes: "'".repeat(MIB),
  "empty strings": `["",${"'',".repeat(MIB / 3)}`,
  escapes: `'${"\\n".repeat(MIB / 2)}`,
  backslashes: `r'${"\\".repeat(MIB)}`,
  digits: "1".repeat(MIB),
  "digits in a shape": dict("'<f4'", `(${"9".repeat(MIB)},)`),
  extents: dict("'<f4'", `(${"1,".repeat(MIB / 2)})`),
  underscores: "1_".repeat(MIB / 2),
  signs: "-".repeat(MIB),
  commas: `(${",".repeat(MIB)}`,
  spaces: " ".repeat(MIB),
  letters: "u".repeat(MIB),
  keys: `{${Array.from({ length: 60_000 }, (_, i) => `'${i}': 1`).join(", ")}}`,
  fields: dict(`[${Array.from({ length: 50_000 }, (_, i) => `('${i}', '<f4')`).join(", ")}`),
  "a type string": dict(`'<M8[${"1".repeat(MIB)}'`),
};

const isLinear = test.macro({
  title: (_, what: string) => `1 MiB of ${what} is refused in a time that grows with its length`,
  exec(t, what: string) {
    const bytes = header((hostile[what] ?? "").slice(0, MIB - 1), [2, 0]);
    const before = process.cpuUsage();
    const error = t.throws(() => parseNpyHeader(bytes));
    const { user } = process.cpuUsage(before);
    t.regex(String((error as { code?: unknown }).code), /^ERR_(NPY|LIMIT)_/);
    // About 0.3 s at the most; a parser that went back to the start for each character would take hours.
    t.true(user < 20e6, `${user / 1e6} s of processor time`);
  },
});
for (const what of Object.keys(hostile)) test(isLinear, what);
