import { formatNpyHeader } from "@npystream/codec";
import test from "ava";
import { parsePlainHeader } from "../src/plain-header.ts";
import { PythonTuple, parsePythonLiteral } from "../src/python-literal.ts";

const text = (shape: string, descr = "'<f4'", order = "False"): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }   \n`;

/** What any Python literal says, in the form of the plain one. */
function byLiteral(header: string): unknown {
  const value = parsePythonLiteral(header, { depth: 32, python2: true });
  if (!(value instanceof Map)) return undefined;
  const shape = value.get("shape");
  return {
    descr: value.get("descr"),
    fortranOrder: value.get("fortran_order"),
    shape: shape instanceof PythonTuple ? shape.items : shape,
    subShape: [],
  };
}

test("headers of NumPy's form say what they say as Python literals", (t) => {
  const shapes = ["()", "(0,)", "(3,)", "(3, 4)", "(10, 0, 999999999999999)", "(3,4)", "(3, )", "(3, 4, )"];
  for (const header of shapes.flatMap((shape) => [text(shape), text(shape, "'|S5'", "True")])) {
    const plain = parsePlainHeader(header);
    t.truthy(plain, header);
    t.deepEqual(plain, byLiteral(header) as typeof plain, header);
  }
});

test("what formatNpyHeader writes for types without fields is of the plain form", (t) => {
  for (const dtype of ["bool", "float32", "complex128", "datetime64[25s]", "<U5", "V0"] as const) {
    for (const shape of [[], [7], [2, 3, 4]]) {
      const bytes = formatNpyHeader({ dtype, shape, order: "F" });
      t.deepEqual(
        parsePlainHeader(String.fromCharCode(...bytes.subarray(10)))?.shape,
        shape.map((extent) => BigInt(extent)),
      );
    }
  }
});

test("every other form is left to the parser of literals, wrong or not", (t) => {
  const others = [
    text("(3)"),
    text("(03,)"),
    text("(1_0,)"),
    text("(3L,)"),
    text("(-3,)"),
    text("(,)"),
    text("(3,,)"),
    text("(3 ,)"),
    text("(3, 4,)"),
    text("[3]"),
    text("(1000000000000000,)"),
    text("(3,)", "[('a', '<f4')]"),
    text("(3,)", "'<\\x66\\x34'"),
    text("(3,)", "'<f4\n'"),
    text("(3,)", "'<f4"),
    text("(3,)", "'<f4'", "false"),
    text("(3,)").replace(", }", "}"),
    text("(3,)").replace("   \n", "  x\n"),
    text("(3,)").trimEnd(),
    `${text("(3,)")}x`,
    "",
  ];
  for (const header of others) t.is(parsePlainHeader(header), undefined, header);
});
