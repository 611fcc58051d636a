import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeNpz, decodeSparse, encodeNpz, encodeSparse, isSparse, NdArray, type NpzArrays } from "@npystream/codec";
import test from "ava";

const folder = mkdtempSync(join(tmpdir(), "npystream-sparse-"));
test.after.always(() => rmSync(folder, { recursive: true }));

function python(program: string, ...args: readonly string[]): string {
  return execFileSync("python3", ["-c", `import sys, numpy as np, scipy.sparse as sp\n${program}`, ...args], {
    encoding: "utf8",
  });
}

const formats = ["csr", "csc", "coo", "bsr", "dia"];
python(
  `
rng = np.random.default_rng(5)
dense = np.where(rng.random((6, 8)) < 0.3, rng.integers(1, 9, (6, 8)), 0).astype('f4')
for name in sys.argv[2:]:
    sp.save_npz(f'{sys.argv[1]}/{name}.npz', getattr(sp, name + '_matrix')(dense), compressed=name != 'csc')
    sp.save_npz(f'{sys.argv[1]}/{name}-array.npz', getattr(sp, name + '_array')(dense))
np.save(sys.argv[1] + '/dense.npy', dense)
`,
  folder,
  ...formats,
);

for (const format of formats) {
  for (const kind of ["", "-array"]) {
    test(`a ${format}${kind || "-matrix"} of SciPy's is decoded, and what is encoded SciPy loads as the same`, (t) => {
      const arrays = decodeNpz(readFileSync(join(folder, `${format}${kind}.npz`)));
      t.true(isSparse(arrays));
      const sparse = decodeSparse(arrays);
      // SciPy before 1.11 did not say which of the two it was.
      t.like(sparse, { format, shape: [6, 8], isArray: kind !== "" && "_is_array" in arrays });
      const path = join(folder, `again-${format}${kind}.npz`);
      writeFileSync(path, encodeNpz(encodeSparse(sparse)));
      python(
        `
x = sp.load_npz(sys.argv[1])
assert x.format == sys.argv[3] and type(x).__name__ == sys.argv[3] + ('_array' if sys.argv[4] else '_matrix')
assert (x.toarray() == np.load(sys.argv[2] + '/dense.npy')).all() and x.dtype == 'f4'
`,
        path,
        folder,
        format,
        sparse.isArray ? "array" : "",
      );
    });
  }
}

function changed(format: string, name: string, array: NdArray | undefined): NpzArrays {
  const arrays = { ...decodeNpz(readFileSync(join(folder, `${format}.npz`))) };
  if (array === undefined) delete arrays[name];
  else arrays[name] = array;
  return arrays;
}

const refuses = test.macro({
  title: (_, format: string, name: string, array: NdArray | undefined, code: string) =>
    `a ${format} whose ${name} is ${array?.data.join(" ") ?? "missing"} is ${code}`,
  exec(t, format: string, name: string, array: NdArray | undefined, code: string) {
    t.throws(() => decodeSparse(changed(format, name, array)), { code });
  },
});
test(refuses, "csr", "indptr", undefined, "ERR_NPZ_MEMBER");
test(refuses, "csr", "indptr", NdArray.from(Int32Array.of(0, 1)), "ERR_SHAPE");
test(refuses, "csr", "indptr", NdArray.from(Int32Array.of(0, 3, 2, 4, 5, 6, 7)), "ERR_SHAPE");
test(refuses, "csc", "indices", NdArray.from(Int32Array.of(0)), "ERR_SHAPE");
test(refuses, "coo", "row", NdArray.from(Float32Array.of(1)), "ERR_NPZ_MEMBER");
test(refuses, "dia", "offsets", NdArray.from(Int32Array.of(0)), "ERR_SHAPE");
test(refuses, "bsr", "format", NdArray.zeros("float32", []), "ERR_NPZ_MEMBER");
test(refuses, "csr", "format", NdArray.zeros("bytes", []), "ERR_NPZ_MEMBER");

test("an index outside the shape is ERR_SHAPE", (t) => {
  const arrays = changed("coo", "x", NdArray.zeros("int8", []));
  const row = arrays["row"]?.astype("int32");
  if (row === undefined) return t.fail();
  (row.data as Int32Array)[0] = 6;
  t.throws(() => decodeSparse({ ...arrays, row }), { code: "ERR_SHAPE", message: /row holds 6/ });
});
