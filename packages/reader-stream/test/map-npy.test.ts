import { constants } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { type MapNpyOptions, mapNpy } from "../src/index.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("map-npy");
const file = (name: string): string => join(folder, `${name}.npy`);
const expected = numpy<Record<string, unknown>>(
  `
arrays = dict(
  f4=np.arange(24, dtype='f4').reshape(2, 3, 4) / 8,
  fortran=np.asfortranarray(np.arange(12, dtype='i2').reshape(3, 4)),
  complex=np.arange(4, dtype='c16') * 1j,
  text=np.array(['a', 'bcd', 'åß∂']),
  raw=np.array([b'ab', b'c']),
  yes=np.array([True, False]),
  zero=np.zeros((0, 5)),
  scalar=np.array(7, 'i8'),
  nothing=np.zeros((3,), 'V0'),
)
for name, x in arrays.items(): np.save(f'{sys.argv[1]}/{name}.npy', x)
np.save(sys.argv[1] + '/struct.npy', np.array([(1, 2.5), (3, 4.5)], dtype=[('a', 'i4'), ('b', 'f8')]))
np.save(sys.argv[1] + '/shared.npy', arrays['f4'])
np.save(sys.argv[1] + '/big-endian.npy', np.arange(5, dtype='>f4'))
np.save(sys.argv[1] + '/object.npy', np.array([{}], dtype=object))
open(sys.argv[1] + '/cut.npy', 'wb').write(open(sys.argv[1] + '/f4.npy', 'rb').read()[:-1])
# As NumPy before 1.14 wrote version 2: the data begins two bytes off.
open(sys.argv[1] + '/old.npy', 'wb').write(b'\\x93NUMPY\\x02\\x00\\x46\\x00\\x00\\x00' + b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }".ljust(69) + b'\\n' + np.arange(3.0).tobytes())
open(sys.argv[1] + '/archive.npy', 'wb').write(b'PK\\x03\\x04' + bytes(100))
large = np.lib.format.open_memmap(sys.argv[1] + '/large.npy', 'w+', 'f8', (5 << 20, 128))
large[5_000_000, 7] = 5
list_of = lambda x: [[v.real, v.imag] for v in x] if x.dtype.kind == 'c' else [v.decode() for v in x] if x.dtype.kind == 'S' else x.tolist()
print(json.dumps({name: list_of(x) for name, x in arrays.items() if x.dtype.kind != 'V'}))
`,
  folder,
);

const mapsLikeNumpy = test.macro({
  title: (_, name: string) => `${name} is mapped as NumPy has it`,
  exec(t, name: string) {
    const array = mapNpy(file(name));
    const found = name === "raw" ? ["ab", "c"] : plain(array);
    t.deepEqual(found, expected[name]);
    t.is(array.path, file(name));
    t.is(array.mode, "c");
    array.close();
  },
});

for (const name of Object.keys(expected)) test(mapsLikeNumpy, name);

test("a struct is mapped, and its fields are views of the same pages", (t) => {
  const array = mapNpy(file("struct"));
  t.deepEqual(array.field("a").toNested(), [1, 3]);
  t.deepEqual(array.field("b").toNested(), [2.5, 4.5]);
  t.deepEqual(array.slice({ start: 1 }).field("a").toNested(), [3]);
});

test("an array without bytes takes no mapping", (t) => {
  for (const [name, shape] of [
    ["zero", [0, 5]],
    ["nothing", [3]],
  ] as const) {
    using array = mapNpy(file(name), { mode: "r+", advise: "willneed" });
    t.deepEqual(array.shape, shape);
    t.notThrows(() => array.flush());
    t.is(array.data.length, 0);
  }
});

test("no descriptor stays open, and opening reads no data", (t) => {
  const array = mapNpy(pathToFileURL(file("f4")), { advise: "sequential" });
  t.is(openDescriptors(folder), 0);
  t.deepEqual(array.header.shape, [2, 3, 4]);
});

const fails = test.macro({
  title: (_, name: string, code: string) => `${name}.npy is ${code} with its path`,
  exec(t, name: string, code: string, message: RegExp) {
    t.like(
      t.throws(() => mapNpy(file(name)), { code, message }),
      { path: file(name) },
    );
    t.is(openDescriptors(folder), 0);
  },
});

test.serial(fails, "big-endian", "ERR_MAP_LAYOUT", /openNpy reads it/);
test.serial(fails, "old", "ERR_MAP_LAYOUT", /begins at byte 82, no multiple of 8: openNpy reads it/);
test.serial(fails, "cut", "ERR_NPY_TRUNCATED", /96 bytes of data and 95/);
test.serial(fails, "object", "ERR_NPY_OBJECT", /pickle/);
test.serial(fails, "archive", "ERR_NPY_MAGIC", /ZIP/);
test.serial(fails, "missing", "ENOENT", /no such file/);

test("an option that cannot be is refused", (t) => {
  const refused = (options: object): void => {
    mapNpy(file("f4"), options as MapNpyOptions);
  };
  t.throws(() => refused({ mmapMode: "r" }), { instanceOf: TypeError, message: /no option mmapMode/ });
  t.throws(() => refused({ mode: "r" }), { instanceOf: RangeError });
  t.throws(() => refused({ advise: "later" }), { instanceOf: RangeError });
  t.throws(() => mapNpy(file("f4"), { limits: { headerBytes: 10 } }), { code: "ERR_LIMIT_HEADER" });
});

test("an array of 5 GiB is mapped whole where the runtime has one that large, else it is ERR_MAP_TOO_LARGE", (t) => {
  if (constants.MAX_LENGTH < 5 * 2 ** 30) {
    t.throws(() => mapNpy(file("large")), { code: "ERR_MAP_TOO_LARGE", message: /openNpy\(mappedSource\(path\)\)/ });
  } else {
    t.is(mapNpy(file("large")).get(5_000_000, 7), 5);
  }
});

test.serial("changes of a private mapping stay out of the file and out of other mappings", (t) => {
  const before = readFileSync(file("f4"));
  const [array, other] = [mapNpy(file("f4")), mapNpy(file("f4"))];
  array.data.fill(9 as never);
  t.is(array.get(1, 2, 3), 9);
  t.is(other.get(1, 2, 3), 23 / 8);
  t.deepEqual(readFileSync(file("f4")), before);
  t.throws(() => array.flush(), { instanceOf: TypeError, message: /'r\+'/ });
});

test.serial("changes of a shared mapping are other mappings' at once, and NumPy's after a flush", (t) => {
  const [array, other, apart] = [
    mapNpy(file("shared"), { mode: "r+" }),
    mapNpy(file("shared"), { mode: "r+" }),
    mapNpy(file("shared")),
  ];
  array.data.set([100, 200] as never, 0);
  const row = array.at(1);
  row.data.set([300] as never, row.offset);
  t.deepEqual([other.get(0, 0, 0), other.get(0, 0, 1), other.get(1, 0, 0)], [100, 200, 300]);
  // One page cache: a private mapping sees it too, where it has not written itself.
  t.is(apart.get(1, 0, 0), 300);
  array.flush();
  t.deepEqual(
    numpy(
      "x = np.load(sys.argv[1], mmap_mode='r'); print(json.dumps([float(x[0, 0, 0]), float(x[0, 0, 1]), float(x[1, 0, 0])]))",
      file("shared"),
    ),
    [100, 200, 300],
  );
});
