import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeNpz, NdArray } from "@npystream/codec";
import test from "ava";
import { mapNpz } from "../src/index.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("map-npz");
const file = (name: string): string => join(folder, `${name}.npz`);
// Ours are aligned: what NumPy reads out of them is what a mapping must show.
writeFileSync(
  file("ours"),
  encodeNpz({
    x: NdArray.from(
      Float64Array.from({ length: 1000 }, (_, i) => i / 8),
      [100, 10],
    ),
    note: NdArray.from(Uint8Array.of(1, 2, 3)),
    empty: NdArray.zeros("float32", [0, 3]),
    ints: NdArray.from(BigInt64Array.of(5n, -6n)),
  }),
);
const expected = numpy<Record<string, unknown>>(
  `
import io, zipfile
np.savez(sys.argv[1] + '/numpy.npz', wide=np.arange(10.0), bytes=np.arange(10, dtype='u1'), text=np.array([b'ab', b'c']))
np.savez_compressed(sys.argv[1] + '/deflated.npz', x=np.arange(1000.0))
f = io.BytesIO(); np.save(f, np.arange(4, dtype='u1')); npy = f.getvalue()
with zipfile.ZipFile(sys.argv[1] + '/odd.npz', 'w') as z:
  z.writestr('longer.npy', npy + b'more')
  z.writestr('cut.npy', npy[:-1])
  z.writestr('short.npy', npy[:5])
  z.writestr('a', npy)
  z.writestr('a.npy', npy[:-4] + bytes([9, 9, 9, 9]))
  z.writestr('readme.txt', b'hello')
  z.writestr('packed.npy', npy, compress_type=zipfile.ZIP_BZIP2)
with np.load(sys.argv[1] + '/ours.npz') as z: print(json.dumps({name: z[name].tolist() for name in z.files}))
`,
  folder,
);

test("every member of an archive of ours is mapped with the values that NumPy reads", (t) => {
  using archive = mapNpz(file("ours"), { advise: "sequential" });
  t.deepEqual(archive.names, ["x", "note", "empty", "ints"]);
  for (const name of archive.names) {
    const array = archive.get(name);
    t.deepEqual(plain(array), expected[name], name);
    t.is(array.path, file("ours"));
    t.is(array.mode, "c");
  }
  t.is(archive.path, file("ours"));
  t.is(openDescriptors(folder), 0);
});

test("of an archive of NumPy's, single bytes are mapped and the others are ERR_MAP_LAYOUT with a way out", (t) => {
  const archive = mapNpz(file("numpy"));
  t.deepEqual(plain(archive.get("bytes.npy")), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.is(archive.get("text").length, 2);
  const error = t.throws(() => archive.get("wide"), { code: "ERR_MAP_LAYOUT", message: /openNpz reads it.*aligned/ });
  t.like(error, { path: file("numpy"), member: "wide" });
});

const fails = test.macro({
  title: (_, archive: string, member: string, code: string) => `${member} of ${archive}.npz is ${code}`,
  exec(t, name: string, member: string, code: string, message: RegExp) {
    using archive = mapNpz(file(name));
    t.like(
      t.throws(() => archive.get(member), { code, message }),
      { path: file(name), member },
    );
  },
});

test(fails, "deflated", "x", "ERR_MAP_LAYOUT", /deflated/);
test(fails, "odd", "longer", "ERR_NPZ_SIZE", /holds 136 bytes.*132/);
test(fails, "odd", "cut", "ERR_NPY_TRUNCATED", /4 bytes of data and 3/);
test(fails, "odd", "short", "ERR_NPY_TRUNCATED", /ends after 5 bytes/);
test(fails, "odd", "readme.txt", "ERR_NPY_MAGIC", /not a \.npy/);
test(fails, "odd", "packed", "ERR_NPZ_METHOD", /12/);
test(fails, "odd", "missing", "ERR_NPZ_MEMBER", /it has "longer", "cut"/);

test("of a and a.npy the name as stored goes first", (t) => {
  using archive = mapNpz(file("odd"));
  t.deepEqual(plain(archive.get("a")), [0, 1, 2, 3]);
  t.deepEqual(plain(archive.get("a.npy")), [9, 9, 9, 9]);
});

test("arrays share the pages of one mapping, which the file never sees", (t) => {
  using archive = mapNpz(file("ours"));
  const before = readFileSync(file("ours"));
  const [first, second] = [archive.get("ints"), archive.get("ints")];
  first.data.set([7n] as never);
  t.is(second.get(0), 7n);
  first.close();
  t.is(second.get(1), -6n);
  t.deepEqual(readFileSync(file("ours")), before);
});

test("arrays outlive their archive, which gives no more", (t) => {
  const archive = mapNpz(file("ours"));
  const array = archive.get("x");
  const row = array.at(99);
  archive.close();
  archive.close();
  t.is(array.get(99, 9), 999 / 8);
  array.close();
  t.is(row.get(9), 999 / 8);
  t.throws(() => archive.get("x"), { instanceOf: TypeError, message: /closed/ });
});

test("a file that is no archive is ERR_NPZ_DIRECTORY, and options that are none are refused", (t) => {
  for (const [name, content] of [
    ["text", "hello"],
    ["nothing", ""],
  ] as const) {
    writeFileSync(file(name), content);
    t.like(
      t.throws(() => mapNpz(file(name)), { code: "ERR_NPZ_DIRECTORY" }),
      { path: file(name) },
    );
  }
  t.throws(() => mapNpz(file("ours"), { limits: { members: 2 } }), { code: "ERR_LIMIT_MEMBERS" });
  t.throws(() => mapNpz(file("ours"), { mode: "r+" } as never), { instanceOf: TypeError, message: /no option mode/ });
  t.throws(() => mapNpz(file("ours"), { advise: "soon" as never }), { instanceOf: RangeError });
  t.is(openDescriptors(folder), 0);
});
