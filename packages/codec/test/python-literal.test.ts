import { PythonTuple, parsePythonLiteral } from "@npystream/codec";
import test from "ava";

const parse = (text: string, python2 = false) => parsePythonLiteral(text, { depth: 32, python2 });

test("a header's dict becomes a Map with tuples told from lists", (t) => {
  const header = parse(
    "{'descr': [('a', '<i4'), (u'b', \"<f8\", (2,))], 'fortran_order': False, 'shape': (3, 0x4), }\n",
  );
  t.deepEqual(
    header,
    new Map<string, unknown>([
      ["descr", [new PythonTuple(["a", "<i4"]), new PythonTuple(["b", "<f8", new PythonTuple([2n])])]],
      ["fortran_order", false],
      ["shape", new PythonTuple([3n, 4n])],
    ]) as never,
  );
});

test("string escapes are read as Python reads them", (t) => {
  t.is(parse(String.raw`'a\'\x41\u00e9\101\q'`), String.raw`a'AéA\q`);
  t.is(parse(String.raw`r'\x41'`), String.raw`\x41`);
});

test("Python 2 long integers are taken only where asked for", (t) => {
  t.deepEqual(parse("(6L,)", true), new PythonTuple([6n]));
  t.throws(() => parse("(6L,)"), { code: "ERR_NPY_HEADER" });
});

const refused = test.macro({
  exec: (t, text: string) => {
    t.throws(() => parse(text), { code: "ERR_NPY_HEADER" });
  },
  title: (_, text) => `refuses ${JSON.stringify(text)} with ERR_NPY_HEADER`,
});
for (const text of [
  "",
  "{",
  "}",
  "{1: 2}",
  "{'a'}",
  "(1 2)",
  "os.system('x')",
  "'a",
  "1.5",
  "(,)",
  "[1,,2]",
  "1 2",
  "{[]: 1}",
]) {
  test(refused, text);
}

test("brackets past the depth are ERR_LIMIT_DEPTH", (t) => {
  t.throws(() => parse("(".repeat(1_000_000)), { code: "ERR_LIMIT_DEPTH" });
});

test("leading zeros are refused for Python 2 too, where they are octal", (t) => {
  for (const text of ["(010,)", "(02L,)"]) t.throws(() => parse(text, true), { code: "ERR_NPY_HEADER" }, text);
  t.deepEqual(parse("(0, 00)"), new PythonTuple([0n, 0n]));
});
