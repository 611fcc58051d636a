import { execFileSync } from "node:child_process";
import { decodeNpy, elementType, fromNested, NdArray } from "@npystream/codec";
import test from "ava";

const program = `
import io, json
import numpy as np
def npy(a):
    f = io.BytesIO(); np.save(f, a); return f.getvalue().hex()
rng = np.random.default_rng(9)
out = {}
for name, dtype in {
    'packed': [('a', 'i4'), ('b', 'f8'), ('c', 'i4', (2,)), ('s', 'S3')],
    'aligned': np.dtype([('a', 'i4'), ('b', 'f8'), ('c', 'i4', (2,)), ('s', 'S3')], align=True),
    'titled': [(('Title', 'a'), 'i4'), ('b', 'f8'), ('c', 'i4', (2,)), ('s', 'S3')],
}.items():
    x = np.zeros((4, 3), dtype)
    x['a'] = rng.integers(-100, 100, (4, 3)); x['b'] = rng.standard_normal((4, 3)); x['c'] = rng.integers(-9, 9, (4, 3, 2)); x['s'] = b'ab'
    v = x[::-2, 1:]
    out[name] = {'npy': npy(x), 'fields': {k: [x[k].tolist(), v[k].tolist()] for k in 'abc'}}
print(json.dumps(out))
`;
interface Case {
  readonly npy: string;
  readonly fields: Readonly<Record<string, [whole: unknown, view: unknown]>>;
}
const cases: Readonly<Record<string, Case>> = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program], { encoding: "utf8" }),
);

function decode(name: string): NdArray {
  return decodeNpy(new Uint8Array(Buffer.from(cases[name]?.npy ?? "", "hex")));
}

for (const name of Object.keys(cases)) {
  test(`fields of ${name} records are NumPy's, of the whole array and of a view of it`, (t) => {
    const array = decode(name);
    for (const [field, [whole, view]] of Object.entries(cases[name]?.fields ?? {})) {
      t.deepEqual(array.field(field).toNested() as unknown, whole);
      t.deepEqual(array.slice({ step: -2 }, { start: 1 }).field(field).toNested() as unknown, view);
    }
  });
}

test("a field is a view where it is aligned and records are a whole number of its elements apart, else a copy", (t) => {
  const aligned = decode("aligned");
  const packed = decode("packed");
  t.deepEqual(
    ["a", "b", "c"].map((field) => [aligned.isFieldInPlace(field), packed.isFieldInPlace(field)]),
    [
      [true, false],
      [true, false],
      [true, false],
    ],
  );
  for (const array of [aligned, packed]) {
    for (const field of ["a", "b", "c"]) {
      t.is(array.field(field).data.buffer === array.data.buffer, array.isFieldInPlace(field), field);
    }
  }
});

test("a field is found by its title too, and a missing one names those there are", (t) => {
  t.deepEqual(decode("titled").field("Title").toNested(), decode("titled").field("a").toNested());
  t.throws(() => decode("packed").field("z"), { instanceOf: TypeError, message: /"a", "b", "c", "s"/ });
  t.throws(() => NdArray.zeros("int8", [1]).field("a"), { instanceOf: TypeError });
});

test("fields of arrays without records, and views of fields that end inside a record, are given", (t) => {
  const records = fromNested(
    [],
    [
      ["a", "f8"],
      ["b", "f4"],
    ],
  );
  t.deepEqual(records.field("b").shape, [0]);
  const type = [
    ["x", "V2"],
    ["v", "V4"],
    ["y", "V2"],
  ] as const;
  const array = fromNested([{ x: new Uint8Array(2), v: Uint8Array.of(0, 0, 128, 63), y: new Uint8Array(2) }], type);
  t.deepEqual(array.field("v").view("float32").toNested(), [1]);
});

test("a field of a struct in a struct, and a field that is a struct, are given with the right offsets", (t) => {
  const inner = [
    ["x", "u1"],
    ["y", "<f4"],
  ] as const;
  const type = [
    ["a", inner],
    ["b", inner, [2]],
  ] as const;
  const record = {
    a: { x: 1, y: 0.5 },
    b: [
      { x: 2, y: 1.5 },
      { x: 3, y: 2.5 },
    ],
  };
  const array = fromNested([record, record], type);
  t.deepEqual(array.field("b").toNested() as unknown, [record.b, record.b]);
  t.deepEqual(array.field("a").field("y").toNested(), [0.5, 0.5]);
  t.deepEqual(array.field("b").field("x").toNested(), [
    [2, 3],
    [2, 3],
  ]);
});

test("a field without bytes is there at once, however many records a header declares", (t) => {
  const array = new NdArray({ dtype: elementType([["a", "V0"]]), shape: [2 ** 53 - 1], data: new Uint8Array(0) });
  t.deepEqual(array.field("a").shape, [2 ** 53 - 1]);
});
