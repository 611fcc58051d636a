import { dtypes, elementType, isDType, NdArray, parseNpyHeader } from "@npystream/codec";
import test from "ava";
import { npy } from "./npy-bytes.ts";

test("a dtype, its type string and an element type of it name the same", (t) => {
  const type = elementType("float32");
  t.deepEqual(elementType("<f4"), type);
  t.is(elementType(type), type);
  t.is(elementType("float32"), type, "names are looked up once");
  t.deepEqual(elementType(">f4"), type, "the byte order is the machine's");
  t.true(Object.isFrozen(type));
});

test("a name of a dtype is told from other strings that name one", (t) => {
  t.true(isDType("datetime64[25s]"));
  t.false(isDType("datetime64[1s]"), "NumPy's name for it is datetime64[s]");
  t.false(isDType("<f4"));
  t.false(isDType("float33"));
  for (const dtype of dtypes) t.true(isDType(dtype), dtype);
  for (const other of [7, null, undefined, ["a"], "toString", "object"]) t.false(isDType(other));
});

test("element types count the entries of data: components, code points, bytes", (t) => {
  const strides = (like: string): [number, number] => [elementType(like).itemSize, elementType(like).stride];
  t.deepEqual(strides("complex64"), [8, 2]);
  t.deepEqual(strides("U5"), [20, 5]);
  t.deepEqual(strides("S5"), [5, 5]);
  t.deepEqual(strides("float128"), [16, 16]);
  t.deepEqual(strides("bfloat16"), [2, 1]);
  t.deepEqual(strides("M8[ns]"), [8, 1]);
});

test("pickled objects are refused at any depth", (t) => {
  t.throws(() => elementType([["a", "O"]]), { code: "ERR_NPY_OBJECT" });
  t.throws(() => elementType([["a", [["b", "|O"]]]]), { code: "ERR_NPY_OBJECT" });
  t.throws(() => NdArray.zeros("object" as never, [1]), { code: "ERR_NPY_OBJECT" });
  const dict = "{'descr': [('a', [('b', '|O8', (2,))])], 'fortran_order': False, 'shape': (1,), }";
  t.throws(() => parseNpyHeader(npy(dict)), { code: "ERR_NPY_OBJECT" });
});

test("a sub-array of more axes than NumPy has is refused", (t) => {
  const dict = `{'descr': [('r', '|u1', (${"1, ".repeat(65)}))], 'fortran_order': False, 'shape': (), }`;
  t.throws(() => parseNpyHeader(npy(dict)), { code: "ERR_LIMIT_RANK" });
});

const refuses = test.macro({
  title: (_, descr: string) => `descr ${descr} is ERR_NPY_DTYPE, and the message says what was expected and found`,
  exec(t, descr: string, message: RegExp) {
    const dict = `{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }`;
    t.throws(() => parseNpyHeader(npy(dict)), { code: "ERR_NPY_DTYPE", message });
  },
});
test(refuses, "7", /type string or a list of fields, not an int/);
test(refuses, "None", /not None/);
test(refuses, "{'names': ['a'], 'formats': ['<f4']}", /not a dict/);
test(refuses, "['<f4']", /a field of descr is a tuple of 2 or 3, not a str/);
test(refuses, "[('a',)]", /not a tuple of 1/);
test(refuses, "[('a', '<f4', (1,), 2)]", /not a tuple of 4/);
test(refuses, "[(True, '<f4')]", /name of a field .* not a bool/);
test(refuses, "[(('a', 'b', 'c'), '<f4')]", /not a tuple of 3/);
test(refuses, "[('a', '<f4', (-1,))]", /holds -1: an extent is an int from 0/);
test(refuses, "[('a', '<f4', ('x',))]", /holds a str/);
test(refuses, "[('a', ('<f4',))]", /a tuple of 2, not a tuple of 1/);
test(refuses, "('<f4', (2,), 3)", /a tuple of 2, not a tuple of 3/);
