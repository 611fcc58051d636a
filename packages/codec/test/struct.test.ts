import { execFileSync } from "node:child_process";
import {
  NdArray as Arrays,
  decodeNpy,
  elementType,
  encodeNpy,
  fromNested,
  isDType,
  type NdArray,
} from "@npystream/codec";
import test from "ava";
import { expectTypeOf } from "expect-type";

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
  t.throws(() => Arrays.zeros("int8", [1]).field("a"), { instanceOf: TypeError });
});

test("records are made of objects, and a record that lacks a field or fits none is refused", (t) => {
  const type = [
    ["id", "<i8"],
    ["name", "U4"],
    ["m", "f4", [2, 2]],
  ] as const;
  const records = [
    {
      id: 1n,
      name: "one",
      m: [
        [1, 2],
        [3, 4],
      ],
    },
    {
      id: -1n,
      name: "日本",
      m: [
        [0, 0],
        [0, 0.5],
      ],
    },
  ];
  const array = fromNested(records, type);
  t.deepEqual(array.toNested() as unknown, records);
  t.deepEqual(decodeNpy(encodeNpy(array)).toNested() as unknown, records);
  t.throws(() => fromNested([{ id: 1 }], type), { instanceOf: TypeError, message: /lacks field "name"/ });
  t.throws(() => fromNested([{ id: 1, name: "x", m: [1] }], type), { instanceOf: RangeError });
  t.throws(() => fromNested([7], type), { instanceOf: TypeError });
});

test("what NumPy refuses as a record is refused", (t) => {
  for (const [descr, code] of [
    [
      [
        ["a", "i4"],
        ["a", "f4"],
      ],
      "ERR_NPY_DTYPE",
    ],
    [[["a", "O"]], "ERR_NPY_OBJECT"],
    [[["a", [["b", "|O"]]]], "ERR_NPY_OBJECT"],
    [
      [
        ["a", "V2147483647"],
        ["b", "i1"],
      ],
      "ERR_NPY_DTYPE",
    ],
    ["M8[fortnight]", "ERR_NPY_DTYPE"],
    ["M8[0s]", "ERR_NPY_DTYPE"],
    ["i3", "ERR_NPY_DTYPE"],
    ["U999999999999", "ERR_NPY_DTYPE"],
  ] as const) {
    t.throws(() => elementType(descr), { code }, JSON.stringify(descr));
  }
});

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
  t.true(isDType("datetime64[25s]"));
  t.false(isDType("datetime64[1s]"), "NumPy's name for it is datetime64[s]");
  t.false(isDType("<f4"));
  t.false(isDType("float33"));
});

test("data is typed by the dtype's literal", (t) => {
  expectTypeOf<NdArray<"float32">["data"]>().toEqualTypeOf<Float32Array>();
  expectTypeOf<NdArray<"datetime64[ns]">["data"]>().toEqualTypeOf<BigInt64Array>();
  expectTypeOf<NdArray<"str">["data"]>().toEqualTypeOf<Uint32Array>();
  expectTypeOf(Arrays.zeros("int64", [1]).get(0)).toEqualTypeOf<bigint>();
  expectTypeOf(Arrays.zeros("complex64", [1]).at(0).data).toEqualTypeOf<Float32Array>();
  t.pass();
});
