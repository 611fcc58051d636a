import { join } from "node:path";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { type MappedArray, mapNpy } from "../src/index.ts";
import { numpy, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("mapped-array");
// 32 MiB: more than what is put in view whole from the start.
const expected = numpy<{ rows: number[][]; columns: number[]; backwards: number[]; fortran: number[] }>(
  `
x = (np.arange(1 << 23, dtype='i4')).reshape(1 << 16, 128)
np.save(sys.argv[1] + '/x.npy', x)
f = np.asfortranarray(x)
np.save(sys.argv[1] + '/fortran.npy', f)
r = np.zeros(3_000_000, dtype=[('tag', 'S3'), ('value', '<f8')])
r['value'] = np.arange(3_000_000); r['tag'] = b'abc'
np.save(sys.argv[1] + '/records.npy', r)
print(json.dumps(dict(rows=x[1000:1003, ::40].tolist(), columns=x[50_000:50_004, 7].tolist(), backwards=x[5:2:-1, -1].tolist(), fortran=f[60_000, :3].tolist())))
`,
  folder,
);
const open = (name = "x"): MappedArray => mapNpy(join(folder, `${name}.npy`));
const bufferOf = (array: NdArray): unknown => array.data.buffer;

test("a small part of a large array has a buffer of its own, and the values of NumPy", (t) => {
  const array = open();
  const rows = array.slice({ start: 1000, stop: 1003 }, { step: 40 });
  t.deepEqual(rows.toNested(), expected.rows);
  t.true(rows.data.byteLength < 2000);
  t.deepEqual(array.slice({ start: 50_000, stop: 50_004 }, 7).toNested(), expected.columns);
  t.deepEqual(array.slice({ start: 5, stop: 2, step: -1 }, -1).toNested(), expected.backwards);
  t.is(array.get(-1, -1), (1 << 23) - 1);
  t.deepEqual(array.slice({ start: 3, stop: 3 }).shape, [0, 128]);
  const fortran = open("fortran").slice(60_000, { stop: 3 });
  t.deepEqual(fortran.toNested(), expected.fortran);
});

test("parts and the whole are the same pages", (t) => {
  const array = open();
  const part = array.at(5);
  t.not(bufferOf(part), bufferOf(array));
  array.data[5 * 128 + 3] = -7;
  t.is(part.get(3), -7);
  t.is(bufferOf(array.at(6)), bufferOf(array));
});

test("after the first parts the whole array is in view, so that a loop over rows makes no buffer a row", (t) => {
  const array = open();
  const buffers = new Set<unknown>();
  let sum = 0;
  for (const row of array.slice({ stop: 100 })) sum += Number(row.get(0));
  t.is(sum, (99 * 100 * 128) / 2);
  for (let i = 0; i < 100; i++) buffers.add(bufferOf(array.at(i)));
  t.true(buffers.size > 2 && buffers.size < 20, String(buffers.size));
});

test("a part of records begins where their fields are read right", (t) => {
  const array = open("records");
  const part = array.slice({ start: 1_234_567, stop: 1_234_570 });
  t.deepEqual(part.field("value").toNested(), [1_234_567, 1_234_568, 1_234_569]);
  t.deepEqual(
    part.field("value").toNested(),
    array.field("value").slice({ start: 1_234_567, stop: 1_234_570 }).toNested(),
  );
});

test("it is an NdArray for everything that takes one", (t) => {
  const array = open();
  t.true(array instanceof NdArray);
  t.is(array.order, "C");
  t.is(array.transpose().get(1, 0), 1);
  t.is(array.reshape([-1]).get(130), 130);
  t.is(array.slice({ stop: 2 }).astype("float64").get(1, 2), 130);
  t.is(encodeNpy(array.slice({ stop: 2 })).length, 128 + 2 * 128 * 4);
  t.throws(() => array.get(0), { instanceOf: RangeError });
  t.throws(() => array.get(1 << 16, 0), { instanceOf: RangeError });
  t.throws(() => array.at(1 << 16), { instanceOf: RangeError });
});

test("once it is closed it refuses, and its views are read as before", (t) => {
  const array = open();
  const [part, whole] = [array.at(9), array.slice({ start: 1 })];
  const { data } = array;
  array.close();
  array.close();
  t.is(part.get(1), 9 * 128 + 1);
  t.is(whole.get(0, 1), 129);
  t.is(data[200], 200);
  const uses = [
    () => array.data,
    () => array.get(0, 0),
    () => array.at(0),
    () => array.flush(),
    () => array.advise("random"),
    () => array.toNested(),
  ];
  for (const use of uses) t.throws(use, { instanceOf: TypeError, message: "the array has been closed" });
});

test("using closes it, and advice is taken at any time", (t) => {
  let kept: MappedArray;
  {
    using array = open();
    for (const advice of ["sequential", "random", "willneed", "normal"] as const) array.advise(advice);
    t.throws(() => array.advise("soon" as "normal"), { instanceOf: RangeError });
    kept = array;
  }
  t.throws(() => kept.data, { instanceOf: TypeError });
});
