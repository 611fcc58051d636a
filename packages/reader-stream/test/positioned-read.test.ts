import { closeSync, truncateSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { openFileSync, readAtSync, readHeaderSync } from "../src/positioned-read.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("positioned-read");
numpy(
  `
import os
os.mkfifo(sys.argv[1] + '/pipe')
np.save(sys.argv[1] + '/x.npy', np.arange(6.0).reshape(2, 3))
np.save(sys.argv[1] + '/cut.npy', np.arange(1000.0))
np.save(sys.argv[1] + '/wide.npy', np.zeros(2, dtype=[(f'field_{i}', 'f4') for i in range(1000)]))
`,
  folder,
);
truncateSync(join(folder, "cut.npy"), 1000);

test("a header is read whatever its length, and one without its data is ERR_NPY_TRUNCATED", (t) => {
  const read = (name: string): unknown => {
    const file = openFileSync(join(folder, name), "r");
    try {
      const { shape, dataOffset } = readHeaderSync(file, {});
      return [shape, dataOffset % 64];
    } finally {
      closeSync(file.fd);
    }
  };
  t.deepEqual(read("x.npy"), [[2, 3], 0]);
  t.deepEqual(read("wide.npy"), [[2], 0]);
  t.throws(() => read("cut.npy"), { code: "ERR_NPY_TRUNCATED", message: /8000 bytes of data and 872/ });
});

test("a read past the end is ERR_SOURCE_TRUNCATED", (t) => {
  const file = openFileSync(join(folder, "x.npy"), "r");
  t.throws(() => readAtSync(file.fd, new Uint8Array(100), 100), { code: "ERR_SOURCE_TRUNCATED", message: /found 76/ });
  closeSync(file.fd);
});

test("what has no positions is refused without waiting, and no descriptor stays", (t) => {
  t.throws(() => openFileSync(join(folder, "missing.npy"), "r"), { code: "ENOENT" });
  t.throws(() => openFileSync(folder, "r"), { instanceOf: TypeError, message: /not a regular file/ });
  t.throws(() => openFileSync(join(folder, "pipe"), "r"), { instanceOf: TypeError });
  t.is(openDescriptors(folder), 0);
});
