import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DTypeLike, type Order, viewData } from "@npystream/codec";
import test from "ava";
import { createMappedNpy, mapNpy } from "../src/index.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("create-mapped");
const file = (name: string): string => join(folder, `${name}.npy`);

interface Case {
  readonly dtype: DTypeLike;
  readonly shape: readonly number[];
  readonly order?: Order;
}

const cases: Readonly<Record<string, Case>> = {
  plain: { dtype: "float32", shape: [7, 3] },
  fortran: { dtype: "int64", shape: [3, 4], order: "F" },
  empty: { dtype: "float64", shape: [0, 5] },
  scalar: { dtype: "int16", shape: [] },
  text: { dtype: "<U5", shape: [2] },
  struct: {
    dtype: [
      ["a", "<i4"],
      ["b", "<f8", [2]],
    ],
    shape: [3],
  },
  date: { dtype: "datetime64[ns]", shape: [4] },
};

numpy(
  `
for name, case in json.loads(sys.argv[2]).items():
  dtype = [tuple(f[:2] + [tuple(f[2])] if len(f) > 2 else f) for f in case['dtype']] if isinstance(case['dtype'], list) else case['dtype']
  np.lib.format.open_memmap(f'{sys.argv[1]}/numpy-{name}.npy', 'w+', dtype, tuple(case['shape']), fortran_order=case.get('order') == 'F')
`,
  folder,
  JSON.stringify(cases),
);

const sameBytes = test.macro({
  title: (_, name: string) => `the file made for ${name} is open_memmap's byte for byte`,
  exec(t, name: string) {
    const options = cases[name];
    if (options === undefined) throw new TypeError(`no case ${name}`);
    using array = createMappedNpy(file(name), options);
    t.deepEqual(array.shape, options.shape);
    t.is(array.mode, "r+");
    t.is(array.path, file(name));
    t.deepEqual(readFileSync(file(name)), readFileSync(file(`numpy-${name}`)));
  },
});

for (const name of Object.keys(cases)) test.serial(sameBytes, name);

test.serial("what is written in any order is there for NumPy after a flush", (t) => {
  const array = createMappedNpy(file("written"), { dtype: "float64", shape: [1000, 4] });
  array.data.set([1.5, 2.5], 999 * 4);
  array.at(10).data.fill(7, 10 * 4, 10 * 4 + 2);
  array.flush();
  const row = (i: number): number[] => [...array.data.subarray(i * 4, i * 4 + 4)];
  t.deepEqual(
    numpy(
      "x = np.load(sys.argv[1]); print(json.dumps([x.shape, x[999].tolist(), x[10].tolist(), float(x.sum())]))",
      file("written"),
    ),
    [[1000, 4], row(999), row(10), 18],
  );
  t.is(openDescriptors(folder), 0);
});

test.serial("a file that is not written takes no room on disk", (t) => {
  using array = createMappedNpy(file("sparse"), { dtype: "uint8", shape: [3 * 2 ** 30] });
  array.data[2 ** 31] = 1;
  const { size, blocks } = statSync(file("sparse"));
  t.is(size, 3 * 2 ** 30 + 128);
  t.true(blocks * 512 < 1 << 20);
});

test.serial("a file that exists is ERR_WRITE_EXISTS and stays as it is", (t) => {
  writeFileSync(file("there"), "something");
  const error = t.throws(() => createMappedNpy(file("there"), { dtype: "uint8", shape: [3] }), {
    code: "ERR_WRITE_EXISTS",
  });
  t.like(error, { path: file("there") });
  t.is(readFileSync(file("there"), "utf8"), "something");
});

test.serial("a file is replaced where asked, with its permissions, and who has it mapped keeps the old one", (t) => {
  const first = createMappedNpy(file("replaced"), { dtype: "uint8", shape: [3] });
  first.data.set([1, 2, 3]);
  chmodSync(file("replaced"), 0o640);
  symlinkSync(file("replaced"), file("link"));
  const second = createMappedNpy(file("link"), { dtype: "int16", shape: [2], overwrite: true });
  second.data.set([8, 9]);
  t.deepEqual([...first.data], [1, 2, 3]);
  const found = mapNpy(file("replaced"));
  t.deepEqual([...viewData("int16", new Uint8Array(found.data.buffer, found.data.byteOffset, 4))], [8, 9]);
  t.is(statSync(file("replaced")).mode & 0o777, 0o640);
  t.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith(".partial")),
    [],
  );
});

test.serial("a file that cannot be made leaves nothing behind", (t) => {
  const before = readdirSync(folder);
  t.throws(() => createMappedNpy(file("never"), { dtype: "uint8", shape: [2 ** 53 - 200] }), {
    message: /larger|large|more than|ERR|EFBIG|EINVAL|too/i,
  });
  t.throws(() => createMappedNpy(file("never"), { dtype: "float64", shape: [-1] }), { code: "ERR_NPY_SHAPE" });
  t.throws(() => createMappedNpy(join(folder, "no", "x.npy"), { dtype: "uint8", shape: [1] }), { code: "ENOENT" });
  t.throws(() => createMappedNpy(file("never"), { dtype: "uint8", shape: [1], order: "K" as "C" }), {
    instanceOf: RangeError,
  });
  t.throws(() => createMappedNpy(file("never"), { dtype: "uint8", shape: [1], mode: "w" } as never), {
    instanceOf: TypeError,
  });
  t.deepEqual(readdirSync(folder), before);
  t.is(openDescriptors(folder), 0);
});
