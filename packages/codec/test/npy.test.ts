import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeNpy, encodeNpy, NdArray, NpyParser } from "@npystream/codec";
import test from "ava";
import { npy } from "./npy-bytes.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-npy-"));
test.after.always(() => rmSync(folder, { recursive: true }));

// NumPy writes every dtype x shape x order, and the same array in the other byte order beside it.
const program = `
import json, sys
import numpy as np
rng = np.random.default_rng(7)
names = [n for n in ['bool','int8','int16','int32','int64','uint8','uint16','uint32','uint64','float16','float32','float64','float128','complex64','complex128','complex256'] if n == 'bool' or hasattr(np, n)]
out = []
for name in names:
    for shape in [(), (0,), (1,), (5,), (3, 4), (4, 0), (2, 3, 4), (2, 3, 1, 4)]:
        for order in 'CF':
            a = np.asarray((rng.standard_normal(shape) * 50).astype(np.int64 if name[0] in 'iu' else 'f8').astype(name), order=order)
            path = f'{sys.argv[1]}/{len(out)}.npy'
            np.save(path, a)
            np.save(path + '.swapped.npy', a.astype(a.dtype.newbyteorder()))
            wide = a.astype('c16') if a.dtype.kind == 'c' else a.astype('f8') if a.dtype.kind == 'f' else a
            v = np.stack([wide.real, wide.imag], -1).tolist() if a.dtype.kind == 'c' else wide.tolist()
            out.append({'path': path, 'name': name, 'shape': shape, 'values': v})
print(json.dumps(out))
`;
interface Case {
  readonly path: string;
  readonly name: string;
  readonly shape: number[];
  readonly values: unknown;
}
const cases: Case[] = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program, folder], { encoding: "utf8", maxBuffer: 1 << 26 }),
);

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "object" && value !== null && "re" in value && "im" in value) return [value.re, value.im];
  return value;
}

test("files of every numeric dtype, shape and order decode to NumPy's values, in both byte orders", (t) => {
  t.true(cases.length >= 240);
  for (const { path, name, shape, values } of cases) {
    for (const file of [path, `${path}.swapped.npy`]) {
      const array = decodeNpy(readFileSync(file), { strict: true });
      t.is(array.dtype, name as never);
      t.deepEqual([...array.shape], shape);
      t.deepEqual(plain(array.toNested()), values, `${file} ${name} ${shape}`);
    }
  }
});

test("what is decoded and encoded again is byte-identical to np.save", (t) => {
  for (const { path } of cases) {
    const bytes = readFileSync(path);
    t.true(bytes.equals(encodeNpy(decodeNpy(bytes))), path);
  }
});

test("bytes that a file lacks are ERR_NPY_TRUNCATED, bytes too many ERR_NPY_TRAILING where asked", (t) => {
  const bytes = encodeNpy(NdArray.from(new Float32Array(6), [2, 3]));
  t.throws(() => decodeNpy(bytes.subarray(0, -1)), { code: "ERR_NPY_TRUNCATED" });
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  t.is(decodeNpy(longer).size, 6);
  t.throws(() => decodeNpy(longer, { strict: true }), { code: "ERR_NPY_TRAILING" });
});

test("a view without elements that begins past its data is encoded", (t) => {
  const view = NdArray.zeros("float64", [4, 0]).slice({ start: 3 });
  t.deepEqual(decodeNpy(encodeNpy(view)).shape, [1, 0]);
});

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
