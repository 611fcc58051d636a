import { writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeNpy, fromNested, isNpyError, NdArray } from "@npystream/codec";
import { createShardWriter } from "@npystream/writer-stream";
import test from "ava";
import { expectTypeOf } from "expect-type";
import { type Dataset, type FieldInfo, mapNpy, openDataset, openNpy } from "../src/index.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("open-dataset");
const path = (name: string): string => join(folder, name);
numpy(
  `
x = np.arange(60, dtype='f8').reshape(20, 3)
y = np.arange(20, dtype='i8') % 7
np.save(sys.argv[1] + '/x.npy', x)
np.save(sys.argv[1] + '/fortran.npy', np.asfortranarray(x))
np.savez(sys.argv[1] + '/set.npz', labels=y)
np.savez_compressed(sys.argv[1] + '/small.npz', labels=y)
for i in range(4): np.save(f'{sys.argv[1]}/x{i}.npy', x[i * 5 : (i + 1) * 5])
np.save(sys.argv[1] + '/short.npy', y[:-1])
`,
  folder,
);
const rows = Array.from({ length: 20 }, (_, i) => [3 * i, 3 * i + 1, 3 * i + 2]);
const labels = Array.from({ length: 20 }, (_, i) => i % 7);

/** Writes features and labels in shards with a manifest; gives the path of it. */
async function writeShards(name: string, count = 20): Promise<string> {
  await mkdir(path(name));
  const writer = createShardWriter(
    { features: path(`${name}/features-{shard:03}.npy`), labels: path(`${name}/labels-{shard:03}.npy`) },
    {
      maxRows: 6,
      manifest: "set.manifest.json",
      roles: { features: { dtype: "float32", rowShape: [3] }, labels: { dtype: "int64", rowShape: [] } },
    },
  );
  if (count > 0) {
    await writer.push({
      features: fromNested(rows.slice(0, count), "float32"),
      labels: fromNested(labels.slice(0, count).map(BigInt), "int64"),
    });
  }
  const { path: manifest } = await writer.finish();
  return manifest;
}

test.serial("a field is a file, shards, a member, a handle, bytes, an array in memory or a mapped one", async (t) => {
  await using handle = await openNpy(path("x.npy"));
  using mapped = mapNpy(path("x.npy"));
  const array = fromNested(rows, "float64");
  await using dataset = await openDataset({
    file: path("x.npy"),
    shards: [0, 1, 2, 3].map((i) => path(`x${i}.npy`)),
    handle,
    bytes: encodeNpy(array),
    memory: array,
    turned: fromNested(rows, "float64").transpose().contiguous().transpose(),
    mapped,
    fortran: path("fortran.npy"),
    stored: `${path("set.npz")}#labels`,
    deflated: `${path("small.npz")}#labels`,
  });
  t.is(dataset.length, 20);
  const { stored, deflated, ...others } = await dataset.gather([19, 0, 7, 7]);
  for (const [name, found] of Object.entries(others)) {
    t.deepEqual(plain(found), [rows[19], rows[0], rows[7], rows[7]], name);
  }
  t.deepEqual(
    [plain(stored), plain(deflated)],
    [
      [5, 0, 0, 0],
      [5, 0, 0, 0],
    ],
  );
  t.deepEqual(
    Object.entries(dataset.fields).filter(([, { isRandomAccess }]) => !isRandomAccess),
    [["deflated", dataset.fields.deflated]],
  );
});

test.serial("a field is delivered as the type that is asked for, which the compiler knows", async (t) => {
  await using dataset = await openDataset({
    features: { from: path("x.npy"), as: "float32" },
    labels: { from: `${path("set.npz")}#labels`, as: "int32" },
    memory: NdArray.from(new Uint8Array(20)) as NdArray<"uint8">,
    file: path("x.npy"),
  });
  expectTypeOf(dataset.fields.features).toEqualTypeOf<FieldInfo<"float32">>();
  expectTypeOf(dataset.pick("labels")).toExtend<Dataset<{ labels: "int32" }>>();
  const { features, labels, memory, file } = await dataset.gather([3]);
  expectTypeOf(features.data).toEqualTypeOf<Float32Array>();
  expectTypeOf(labels.data).toEqualTypeOf<Int32Array>();
  expectTypeOf(memory).toEqualTypeOf<NdArray<"uint8">>();
  expectTypeOf(file).toEqualTypeOf<NdArray>();
  t.true(features.data instanceof Float32Array);
  t.deepEqual([...features.data, ...labels.data], [9, 10, 11, 3]);
  t.like(dataset.fields.features, { dtype: "float32", shape: [20, 3], rowShape: [3], byteLength: 240 });
  for await (const batch of dataset.batches({ size: 20 })) {
    expectTypeOf(batch.features.data).toEqualTypeOf<Float32Array>();
    t.deepEqual([...batch.labels.data], await dataset.gather([...rows.keys()]).then((all) => [...all.labels.data]));
  }
});

test.serial("fields with other numbers of rows are ERR_DATASET_ROWS naming both, and nothing stays open", async (t) => {
  await t.throwsAsync(openDataset({ features: path("x.npy"), labels: path("short.npy") }), {
    code: "ERR_DATASET_ROWS",
    message: /features has 20 rows and field labels has 19/,
  });
  for (const fields of [
    {},
    { meta: path("x.npy") },
    { x: { from: path("x.npy"), as: "text" as "float32" } },
    { x: { from: path("x.npy"), dtype: "float32" } },
  ]) {
    const error = await t.throwsAsync(openDataset(fields));
    t.true(error instanceof TypeError || isNpyError(error), String(error));
  }
  t.is(openDescriptors(folder), 0);
});

test.serial("a manifest names the shards of a field, by its role or by the field's name", async (t) => {
  const manifest = await writeShards("shards");
  await using dataset = await openDataset({
    features: manifest,
    again: `${manifest}#features`,
    labels: { from: manifest, as: "int32" },
  });
  const all = await dataset.gather([...rows.keys()]);
  t.deepEqual([plain(all.features), plain(all.again), plain(all.labels)], [rows, rows, labels]);
  await t.throwsAsync(openDataset({ x: manifest }), {
    code: "ERR_MANIFEST",
    message: /no array x; it has features, labels/,
  });
  await using none = await openDataset({ features: await writeShards("empty", 0) });
  t.like(none.fields.features, { shape: [0, 3], dtype: "float32" });
});

test.serial("a shard that is not what its manifest says is ERR_SHARD_MISMATCH naming shard and property", async (t) => {
  const manifest = await writeShards("changed");
  writeFileSync(path("changed/features-002.npy"), await readFile(path("changed/features-003.npy")));
  await t.throwsAsync(openDataset({ features: manifest }), {
    code: "ERR_SHARD_MISMATCH",
    message: /shard 2 has rows 2, its manifest says 6/,
  });
  writeFileSync(path("bad.manifest.json"), "{}");
  const error = await t.throwsAsync(openDataset({ features: path("bad.manifest.json") }), { code: "ERR_MANIFEST" });
  t.is((error as { path?: string }).path, path("bad.manifest.json"));
  t.is(openDescriptors(folder), 0);
});

test.serial("a handle that is passed in stays open, and reading a closed dataset is refused", async (t) => {
  const handle = await openNpy(path("x.npy"));
  const dataset = await openDataset({ features: handle, labels: { from: `${path("set.npz")}#labels` } });
  const few = dataset.select([1]);
  await few.close();
  t.is((await dataset.gather([7])).features.get(0, 0), 21);
  await dataset.close();
  await dataset.close();
  await t.throwsAsync(dataset.gather([7]), { instanceOf: TypeError });
  await t.throwsAsync(few.gather([0]), { instanceOf: TypeError });
  t.is((await handle.rows(0, 1)).length, 1);
  await handle.close();
  t.is(openDescriptors(folder), 0);
});

test.serial("the fingerprint is of content, types and rows selected, and not of names of files", async (t) => {
  const fingerprint = async (from: Parameters<typeof openDataset>[0]): Promise<string> => {
    await using dataset = await openDataset(from);
    return dataset.fingerprint;
  };
  const memory = fromNested(rows, "float64");
  const same = await fingerprint({ x: memory });
  t.is(await fingerprint({ x: fromNested(rows, "float64") }), same);
  t.not(await fingerprint({ y: memory }), same);
  t.not(await fingerprint({ x: { from: memory, as: "float32" } }), same);
  t.not(await fingerprint({ x: fromNested([...rows.slice(1), [0, 0, 1]], "float64") }), same);
  await using dataset = await openDataset({ x: path("x.npy") });
  t.is(await fingerprint({ x: path("x.npy") }), dataset.fingerprint);
  t.is(dataset.select([3, 4, 5]).fingerprint, dataset.select({ start: 3, stop: 6 }).fingerprint);
  t.not(dataset.select([3, 4]).fingerprint, dataset.select([3, 5]).fingerprint);
  t.not(dataset.select({}).fingerprint, dataset.select([1, 0]).fingerprint);
});
