import { execFileSync } from "node:child_process";
import {
  decodeNpy,
  decodeNpz,
  encodeNpz,
  formatNpyHeader,
  fromNested,
  NdArray,
  NpyParser,
  parseNpyHeader,
} from "@npystream/codec";
import test from "ava";

/** A `.npy` of version 1.0 with this dict and data. */
function npy(dict: string, data = new Uint8Array(0)): Uint8Array {
  const text = Buffer.from(`${dict}\n`, "latin1");
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return new Uint8Array(Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, text, data]));
}

function python(program: string): Uint8Array {
  const hex = execFileSync(
    "python3",
    ["-c", `import io, zipfile, numpy as np\nf = io.BytesIO()\n${program}\nprint(f.getvalue().hex())`],
    {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  );
  return new Uint8Array(Buffer.from(hex.trim(), "hex"));
}

test("elements of no bytes cost nothing, however many are declared", (t) => {
  const bytes = npy("{'descr': '|V0', 'fortran_order': True, 'shape': (1048576, 1048576), }");
  const array = decodeNpy(bytes);
  t.is(array.size, 2 ** 40);
  t.is(array.contiguous().size, 2 ** 40);
  const parser = new NpyParser();
  t.deepEqual(
    [...parser.push(bytes)].map(({ kind }) => kind),
    ["header", "rows", "end"],
  );
});

test("a short header cannot ask for millions of swaps", (t) => {
  const record = "[('a', '>i2'), ('b', '|u1')]";
  for (const count of [70_000, 500_000]) {
    const dict = `{'descr': [('r', ${record}, (${count},))], 'fortran_order': False, 'shape': (1,), }`;
    t.throws(() => parseNpyHeader(npy(dict)), { code: "ERR_NPY_DTYPE" });
  }
  const fields = Array.from({ length: 400 }, (_, i) => `('r${i}', ${record}, (1000,))`).join(", ");
  t.throws(() => parseNpyHeader(npy(`{'descr': [${fields}], 'fortran_order': False, 'shape': (1,), }`)), {
    code: "ERR_NPY_DTYPE",
  });
});

test("a sub-array of more axes than NumPy has is refused", (t) => {
  const dict = `{'descr': [('r', '|u1', (${"1, ".repeat(65)}))], 'fortran_order': False, 'shape': (), }`;
  t.throws(() => parseNpyHeader(npy(dict)), { code: "ERR_LIMIT_RANK" });
  t.throws(() => formatNpyHeader({ dtype: "int8", shape: Array(65).fill(1) }), { code: "ERR_LIMIT_RANK" });
});

test("a sub-array at the top lies in C order whatever the array's order", (t) => {
  const data = Uint8Array.of(0, 1, 10, 11, 20, 21);
  const array = decodeNpy(npy("{'descr': ('|u1', (2,)), 'fortran_order': True, 'shape': (3,), }", data));
  t.deepEqual(array.toNested(), [
    [0, 1],
    [10, 11],
    [20, 21],
  ]);
  const dict = "{'descr': ('|u1', (2,)), 'fortran_order': True, 'shape': (3, 1), }";
  t.throws(() => decodeNpy(npy(dict, data)), { code: "ERR_NPY_DTYPE" });
});

test("a key or a name that stands twice is refused", (t) => {
  const dict = "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }";
  t.throws(() => parseNpyHeader(npy(dict)), { code: "ERR_NPY_HEADER", message: /descr.* twice/ });
  const titled = "{'descr': [(('b', 'a'), '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,), }";
  t.throws(() => parseNpyHeader(npy(titled)), { code: "ERR_NPY_DTYPE" });
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

test("any byte of a bool but 0 is 1 when it is cast, as NumPy has it", (t) => {
  const array = new NdArray({ dtype: "bool", shape: [3], data: Uint8Array.of(0, 2, 255) });
  t.deepEqual(array.astype("int8").toNested(), [0, 1, 1]);
  t.deepEqual(array.astype("float32").toNested(), [0, 1, 1]);
});

test("a cast to the same type of a view is in C order too", (t) => {
  const view = fromNested(
    [
      [1, 2],
      [3, 4],
    ],
    "float32",
  ).transpose();
  t.true(view.astype("float32").isContiguous);
  t.deepEqual([...view.astype("float32").data], [1, 3, 2, 4]);
});

test("a member that inflates past its own header is refused before it is inflated", (t) => {
  const bomb = python(
    "x = io.BytesIO(); np.save(x, np.arange(4)); x.write(bytes(50_000_000))\nz = zipfile.ZipFile(f, 'w', zipfile.ZIP_DEFLATED); z.writestr('x.npy', x.getvalue()); z.writestr('note.txt', bytes(50_000_000)); z.close()",
  );
  t.true(bomb.length < 200_000);
  const before = process.memoryUsage().arrayBuffers;
  t.throws(() => decodeNpz(bomb), { code: "ERR_NPZ_SIZE" });
  t.true(process.memoryUsage().arrayBuffers - before < 16 << 20);
});

test("members that are compressed otherwise are refused, notes among them passed over", (t) => {
  const note = python(
    "x = io.BytesIO(); np.save(x, np.arange(4))\nz = zipfile.ZipFile(f, 'w'); z.writestr('x.npy', x.getvalue()); z.writestr('note.txt', 'hello', zipfile.ZIP_LZMA); z.close()",
  );
  t.is(decodeNpz(note)["x"]?.length, 4);
  const array = python(
    "x = io.BytesIO(); np.save(x, np.arange(4))\nz = zipfile.ZipFile(f, 'w'); z.writestr('x.npy', x.getvalue(), zipfile.ZIP_BZIP2); z.close()",
  );
  t.throws(() => decodeNpz(array), { code: "ERR_NPZ_METHOD" });
});

test("a local header of another member, or one that reaches into the next, is refused", (t) => {
  const bytes = encodeNpz({ a: fromNested([1, 2], "int8"), b: fromNested([3], "int8") });
  const renamed = bytes.slice();
  renamed[30] = 0x62;
  t.throws(() => decodeNpz(renamed), { code: "ERR_NPZ_DIRECTORY" });
  const longer = bytes.slice();
  new DataView(longer.buffer).setUint16(28, 4000, true);
  t.throws(() => decodeNpz(longer), { code: "ERR_NPZ_DIRECTORY" });
});

test("a directory that goes on behind its members is refused", (t) => {
  const bytes = encodeNpz({ a: fromNested([1], "int8"), b: fromNested([3], "int8") });
  const view = new DataView(bytes.buffer);
  view.setUint16(bytes.length - 12, 1, true);
  t.throws(() => decodeNpz(bytes), { code: "ERR_NPZ_DIRECTORY", message: /goes on/ });
});

test("names that no archive can hold are refused when it is written", (t) => {
  t.throws(() => encodeNpz({ "a\0b": fromNested([1], "int8") }), { instanceOf: TypeError });
  t.throws(() => encodeNpz({ ["x".repeat(70_000)]: fromNested([1], "int8") }), { instanceOf: TypeError });
});
