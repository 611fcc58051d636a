import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { readNpySync } from "../src/index.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("read-npy");

test("small and large files are read whole, and nothing stays open", (t) => {
  const values = numpy<Record<string, unknown>>(
    `
arrays = {'small': np.arange(12.).reshape(3, 4), 'large': np.asfortranarray(np.arange(40_000).reshape(200, 200)), 'big': np.arange(5, dtype='>i4')}
for name, array in arrays.items(): np.save(f'{sys.argv[1]}/{name}.npy', array)
print(json.dumps({name: array.tolist() for name, array in arrays.items()}))
`,
    folder,
  );
  for (const [name, expected] of Object.entries(values)) {
    t.deepEqual(plain(readNpySync(join(folder, `${name}.npy`))), expected, name);
  }
  t.is(openDescriptors(folder), 0);
});

test("arrays read one after another do not share memory", (t) => {
  for (const value of [1, 2])
    writeFileSync(join(folder, `${value}.npy`), encodeNpy(NdArray.from(Float32Array.of(value))));
  const first = readNpySync(join(folder, "1.npy"));
  readNpySync(join(folder, "2.npy"));
  t.is(first.get(0), 1);
});

test("a file that is cut or no array is refused with its code and path", (t) => {
  const path = join(folder, "cut.npy");
  writeFileSync(path, encodeNpy(NdArray.zeros("float64", [20_000])));
  truncateSync(path, 100_000);
  t.like(
    t.throws(() => readNpySync(path)),
    { code: "ERR_NPY_TRUNCATED", path },
  );
  writeFileSync(path, "hello".repeat(20_000));
  t.like(
    t.throws(() => readNpySync(path)),
    { code: "ERR_NPY_MAGIC", path },
  );
  t.throws(() => readNpySync(join(folder, "absent.npy")), { code: "ENOENT" });
  t.is(openDescriptors(folder), 0);
});
