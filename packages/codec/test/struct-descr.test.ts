import { execFileSync } from "node:child_process";
import { type Descr, elementType, NdArray, parseNpyHeader } from "@npystream/codec";
import test from "ava";
import { npy } from "./npy-bytes.ts";

// Offsets, sizes and titles of NumPy's own types, and the descr that it writes for them.
const program = `
import json
import numpy as np
types = [
    [('a', 'i1'), ('b', '<f8')],
    np.dtype([('a', 'i1'), ('b', '<f8'), ('c', 'U3')], align=True),
    np.dtype({'names': ['x', 'y'], 'formats': ['i2', 'f4'], 'offsets': [3, 10], 'itemsize': 20}),
    [(('Title', 'a'), '<i4'), ('b', '<f4', (2, 3))],
    [('p', [('x', '<f4'), ('y', [('z', 'S5')], (2,))]), ('q', '<M8[ns]')],
    np.dtype({'names': [], 'formats': [], 'itemsize': 8}),
    [('größe', '<i2'), ('π', '|V4')],
]
def fields(d):
    return [[n, d.fields[n][1], d.fields[n][0].base.itemsize, list(d.fields[n][0].shape), fields(d.fields[n][0].base)] for n in d.names or []]
print(json.dumps([{'descr': d.descr, 'itemSize': d.itemsize, 'fields': fields(d)} for d in map(np.dtype, types)]))
`;
interface Case {
  readonly descr: Descr;
  readonly itemSize: number;
  readonly fields: unknown;
}
const cases: Case[] = JSON.parse(execFileSync("python3", ["-W", "ignore", "-c", program], { encoding: "utf8" }));

function fieldsOf(descr: Descr): unknown {
  return (elementType(descr).fields ?? []).map(({ name, offset, type, shape }) => {
    return [name, offset, type.itemSize, [...shape], fieldsOf(type.descr)];
  });
}

for (const { descr, itemSize, fields } of cases) {
  test(`the fields of ${JSON.stringify(descr)} lie where NumPy has them`, (t) => {
    const type = elementType(descr);
    t.is(type.itemSize, itemSize);
    t.deepEqual(type.descr, descr);
    t.deepEqual(fieldsOf(descr), fields);
  });
}

test("parts of a record in the other byte order are found, those of a run as one", (t) => {
  const record = "[('a', '>i2'), ('b', '|S3'), ('c', '>f8', (2, 2)), ('d', '>c8'), ('e', '<i4')]";
  const header = parseNpyHeader(npy(`{'descr': ${record}, 'fortran_order': False, 'shape': (1,), }`));
  t.is(header.byteOrder, "mixed");
  t.deepEqual(header.swaps, [
    { offset: 0, unit: 2, count: 1 },
    { offset: 5, unit: 8, count: 4 },
    { offset: 37, unit: 4, count: 2 },
  ]);
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

test("a record has at most 2^31 - 1 bytes, and every name and title once", (t) => {
  const big = [
    ["a", "V2147483647"],
    ["b", "i1"],
  ] as const;
  t.throws(() => elementType(big), { code: "ERR_NPY_DTYPE", message: /at most 2\^31 - 1 bytes, not 2147483648/ });
  for (const names of [
    ["a", "a"],
    [["b", "a"], "b"],
    [["a", "a"], "c"],
  ] as const) {
    const fields = names.map((name) => [name, "i4"] as const) as unknown as Descr;
    t.throws(() => elementType(fields), { code: "ERR_NPY_DTYPE", message: /two fields are named/ }, `${names}`);
  }
});

// What NumPy reads and does not write in this form: what descr_to_dtype makes of it, and writes of that.
const readOnlyProgram = `
import json
from numpy.lib import format
print(json.dumps([{'read': repr(d), 'names': list(t.names), 'offsets': [t.fields[n][1] for n in t.names], 'itemSize': t.itemsize, 'descr': t.descr}
  for d in [
    [('', '<f4', (2,)), ('a', '<i4')],
    [('a', '<i4'), ('', '|V4', (2,))],
    [('', [('x', '>i4')], (2,)), ('a', '<i4')],
    [(('t', ''), '|V4'), ('a', '<i4')],
  ] for t in [format.descr_to_dtype(d)]]))
`;
const readOnly: readonly {
  readonly read: string;
  readonly names: readonly string[];
  readonly offsets: readonly number[];
  readonly itemSize: number;
  readonly descr: Descr;
}[] = JSON.parse(execFileSync("python3", ["-c", readOnlyProgram], { encoding: "utf8" }));

for (const { read, names, offsets, itemSize, descr } of readOnly) {
  test(`what has no name in ${read} is padding where it is for NumPy`, (t) => {
    const { type, byteOrder } = parseNpyHeader(npy(`{'descr': ${read}, 'fortran_order': False, 'shape': (1,), }`));
    t.deepEqual(type.fields?.map(({ name }) => name) as readonly string[], names);
    t.deepEqual(type.fields?.map(({ offset }) => offset) as readonly number[], offsets);
    t.is(type.itemSize, itemSize);
    t.is(JSON.stringify(type.descr), JSON.stringify(descr));
    t.is(byteOrder, "little");
  });
}

test("a sub-array without bytes is no longer than a record could be meant to have it", (t) => {
  const inner = [["a", "V0", [1000]]] as const;
  for (const descr of [[["a", "V0", [2 ** 40]]], [["a", "f4", [2 ** 30, 0]]], [["a", inner, [1000]]]] as const) {
    const message = /a sub-array without bytes has at most 1024 entries/;
    t.throws(() => elementType(descr), { code: "ERR_NPY_DTYPE", message }, JSON.stringify(descr));
  }
  t.deepEqual(new NdArray({ dtype: elementType([["a", "f4", [2, 0]]]), shape: [], data: new Uint8Array(0) }).get(), {
    a: [[], []],
  });
});
