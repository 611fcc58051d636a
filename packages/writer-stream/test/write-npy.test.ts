import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type DTypeLike, decodeNpy, encodeNpy, NdArray } from "@npystream/codec";
import { streamSink, writeNpy } from "@npystream/writer-stream";
import test from "ava";
import { MemoryWritable } from "./memory-writable.ts";
import { makeReferences, python } from "./numpy-references.ts";
import { openFiles } from "./open-files.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-write-npy-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const references = makeReferences(folder);

test("files of every numeric dtype, shape and order are byte-identical to np.save's", async (t) => {
  t.is(new Set(references.map(({ dtype }) => dtype)).size, 16);
  for (const { path, dtype, shape, order } of references) {
    const expected = readFileSync(path);
    const result = await writeNpy(`${path}.ours`, decodeNpy(expected));
    t.deepEqual(readFileSync(`${path}.ours`), expected, `${dtype} [${shape}] ${order}`);
    t.is(result.byteLength, expected.length);
    t.is(result.path, `${path}.ours`);
    t.is(result.dtype as string, dtype);
    t.deepEqual([...result.shape], [...shape]);
  }
});

test("NumPy loads a transposed view as C order and a Fortran array as Fortran order", async (t) => {
  const base = NdArray.from(
    Float64Array.from({ length: 24 }, (_, i) => i),
    [2, 3, 4],
  );
  await writeNpy(join(folder, "fortran.npy"), base.transpose());
  await writeNpy(join(folder, "sliced.npy"), base.slice({}, { step: 2 }, { step: -1 }));
  const program = `
import sys, numpy as np
f, s = np.load(sys.argv[1]), np.load(sys.argv[2])
base = np.arange(24.).reshape(2, 3, 4)
assert f.flags.f_contiguous and not f.flags.c_contiguous and (f == base.T).all()
assert s.flags.c_contiguous and (s == base[:, ::2, ::-1]).all()
print('ok')`;
  t.is(python(program, join(folder, "fortran.npy"), join(folder, "sliced.npy")).trim(), "ok");
});

test("an array that lies in neither order is written in pieces and whole", async (t) => {
  const base = NdArray.from(
    Float32Array.from({ length: 3 << 20 }, (_, i) => i),
    [1024, 3, 1024],
  );
  const path = join(folder, "pieces.npy");
  await writeNpy(path, base.slice({}, { step: 2 }));
  const program =
    "import sys, numpy as np\nprint((np.load(sys.argv[1]) == np.arange(3 << 20, dtype='f4').reshape(1024, 3, 1024)[:, ::2]).all())";
  t.is(python(program, path).trim(), "True");
});

test("nested lists take the dtype that is asked for, and else that of their first value", async (t) => {
  const written = async (values: Parameters<typeof writeNpy>[1], dtype?: "int16" | "bool"): Promise<unknown> => {
    const path = join(folder, "nested.npy");
    await writeNpy(path, values, { overwrite: true, ...(dtype && { dtype }) });
    const array = decodeNpy(readFileSync(path));
    return [array.dtype, array.toNested()];
  };
  t.deepEqual(await written([[1, 2.5]]), ["float64", [[1, 2.5]]]);
  t.deepEqual(await written([1, 2], "int16"), ["int16", [1, 2]]);
  t.deepEqual(await written([5n]), ["int64", [5n]]);
  t.deepEqual(await written([true, false]), ["bool", [true, false]]);
  t.deepEqual(await written([{ re: 1, im: -2 }]), ["complex128", [{ re: 1, im: -2 }]]);
  t.deepEqual(await written([]), ["float64", []]);
  t.deepEqual(await written(7), ["float64", 7]);
});

test("a typed array stands for the dtype whose data it holds, and bytes for any", async (t) => {
  const path = join(folder, "typed.npy");
  const save = async (data: Parameters<typeof writeNpy>[1], dtype: string): Promise<NdArray> => {
    await writeNpy(path, data, { dtype, overwrite: true });
    return decodeNpy(readFileSync(path));
  };
  t.deepEqual((await save(Float32Array.of(1, 2, 3, 4), "complex64")).toNested(), [
    { re: 1, im: 2 },
    { re: 3, im: 4 },
  ]);
  t.deepEqual((await save(Uint8Array.of(1, 0), "bool")).toNested(), [true, false]);
  t.deepEqual((await save(Uint16Array.of(0x3c00), "float16")).toNested(), [1]);
  t.deepEqual((await save(new Uint8ClampedArray([9, 300]), "uint8")).toNested(), [9, 255]);
  t.deepEqual((await save(Buffer.from(Float64Array.of(0.5).buffer), "float64")).toNested(), [0.5]);
  t.deepEqual((await save(new Uint8Array([0, 1, 0, 2, 0]).subarray(1), "int16")).toNested(), [1, 2]);
});

test("values that are no array of the dtype are ERR_WRITE_DTYPE or ERR_WRITE_SHAPE, and no file is made", async (t) => {
  const path = join(folder, "refused.npy");
  const code = async (value: unknown, dtype?: string): Promise<unknown> => {
    const error = await t.throwsAsync(writeNpy(path, value as NdArray, dtype === undefined ? {} : { dtype }));
    return error && "code" in error ? error.code : error?.name;
  };
  t.is(await code(Float64Array.of(1), "float32"), "ERR_WRITE_DTYPE");
  t.is(await code(NdArray.zeros("int8", [2]), "uint8"), "ERR_WRITE_DTYPE");
  t.is(await code([1, 300], "uint8"), "ERR_WRITE_DTYPE");
  t.is(await code(["text"]), "ERR_WRITE_DTYPE");
  t.is(await code({}), "ERR_WRITE_DTYPE");
  t.is(await code(new DataView(new ArrayBuffer(8))), "ERR_WRITE_DTYPE");
  t.is(await code([[1], [2, 3]]), "ERR_WRITE_SHAPE");
  t.is(await code(new Uint8Array(7), "float32"), "ERR_WRITE_SHAPE");
  t.is(await code([1], "float33"), "ERR_NPY_DTYPE");
  t.false(existsSync(path));
});

test("a value that does not tell its dtype is told how it is written, and that way works", async (t) => {
  const path = join(folder, "told.npy");
  const told = async (value: unknown): Promise<string> =>
    (await t.throwsAsync(writeNpy(path, value as NdArray), { code: "ERR_WRITE_DTYPE" }))?.message ?? "";
  const date = new Date("2026-01-02T03:04:05.678Z");
  t.regex(await told(["Åre"]), /^string .*'U12'/);
  t.regex(await told([{ name: "Åre", age: 3 }]), /^Object .*\[\['name', 'U12'\], \['age', 'u1'\]\]$/);
  t.regex(await told([date]), /^Date .*BigInt\(date\.getTime\(\)\).*'datetime64\[ms\]'$/);
  t.regex(await told([Float32Array.of(1)]), /^Float32Array .*NdArray\.from\(data, shape\)$/);
  t.is(await told([null]), "object is no value of an array");
  const record: DTypeLike = [
    ["name", "U12"],
    ["age", "u1"],
  ];
  await writeNpy(join(folder, "told-0.npy"), ["Åre"], { dtype: "U12" });
  await writeNpy(join(folder, "told-1.npy"), [{ name: "Åre", age: 3 }], { dtype: record });
  await writeNpy(join(folder, "told-2.npy"), [BigInt(date.getTime())], { dtype: "datetime64[ms]" });
  await writeNpy(join(folder, "told-3.npy"), NdArray.from(Float32Array.of(1), [1, 1]));
  const program =
    "import sys, numpy as np\nprint([np.load(f'{sys.argv[1]}/told-{i}.npy').tolist()[0] for i in range(4)])";
  t.is(python(program, folder).trim(), "['Åre', ('Åre', 3), datetime.datetime(2026, 1, 2, 3, 4, 5, 678000), [1.0]]");
});

test("an existing file stays unless it is to be overwritten", async (t) => {
  const path = join(folder, "existing.npy");
  writeFileSync(path, "old");
  await t.throwsAsync(writeNpy(path, [1]), { code: "ERR_WRITE_EXISTS" });
  t.is(readFileSync(path, "utf8"), "old");
  await writeNpy(pathToFileURL(path), [1], { overwrite: true });
  t.deepEqual(decodeNpy(readFileSync(path)).toNested(), [1]);
});

test("an abort rejects with the signal's reason and leaves no file, whenever it comes", async (t) => {
  const own = mkdtempSync(join(folder, "abort-"));
  const path = join(own, "aborted.npy");
  const reason = new Error("enough");
  await t.throwsAsync(writeNpy(path, [1], { signal: AbortSignal.abort(reason) }), { is: reason });
  for (const delayMs of [0, 1, 2, 5, 10]) {
    const controller = new AbortController();
    const writing = writeNpy(path, new Float64Array(8 << 20), { signal: controller.signal });
    setTimeout(() => controller.abort(reason), delayMs);
    await t.throwsAsync(writing, { is: reason });
    t.deepEqual(readdirSync(own), []);
  }
  t.deepEqual(openFiles(own), []);
});

test("a whole array goes to a sink that cannot seek", async (t) => {
  const writable = new MemoryWritable();
  const result = await writeNpy(streamSink(writable), NdArray.zeros("int32", [3, 2]));
  t.deepEqual(writable.bytes(), encodeNpy(NdArray.zeros("int32", [3, 2])));
  t.false("path" in result);
});

test("an option there is not is a TypeError", async (t) => {
  const options = { overwrit: true };
  await t.throwsAsync(writeNpy(join(folder, "x.npy"), [1], options as object), {
    instanceOf: TypeError,
    message: /overwrit/,
  });
});
