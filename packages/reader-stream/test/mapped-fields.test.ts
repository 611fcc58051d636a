import { copyFileSync, renameSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { elementType, encodeNpy, NdArray, type NpyError } from "@npystream/codec";
import test from "ava";
import { HandleFields } from "../src/handle-fields.ts";
import { type ArrayHandle, mappedSource, openDataset, openNpy } from "../src/index.ts";
import { mapFields } from "../src/mapped-fields.ts";
import type { MappedFields } from "../src/row-fields.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";

const folder = testFolder("mapped-fields");
const at = (name: string): string => join(folder, name);
/** What NumPy gives for `x[rows]` of each array, as float64. */
const expected = numpy<Record<string, number[][]>>(
  `
folder = sys.argv[1]
x = np.arange(60, dtype='f4').reshape(20, 3)
rows = [19, 0, 7, 7, 3]
np.save(folder + '/x.npy', x)
for i, part in enumerate(np.split(x, [4, 4, 15])): np.save(f'{folder}/x{i}.npy', part)
np.save(folder + '/big.npy', x.astype('>f8'))
np.save(folder + '/columns.npy', np.asfortranarray(x))
np.savez(folder + '/set.npz', other=x + 1, x=x)
np.savez_compressed(folder + '/deflated.npz', x=x)
np.save(folder + '/y.npy', np.arange(20) * 1000)
print(json.dumps({'x': x[rows].tolist(), 'y': (np.arange(20)[rows] * 1000)[:, None].tolist()}))
`,
  folder,
);
const ROWS = Float64Array.of(19, 0, 7, 7, 3);

async function mapped(
  handle: ArrayHandle,
  as = handle.dtype as string,
  isMapped = true,
): Promise<MappedFields | undefined> {
  const type = as === handle.dtype ? handle.shards.type : elementType(as);
  return mapFields(new Map([["x", { handle, type }]]), isMapped);
}

async function rowsOf(
  fields: MappedFields | undefined,
  columns: number,
  Data = Float32Array as Float32ArrayConstructor | Float64ArrayConstructor | Int32ArrayConstructor,
): Promise<number[][]> {
  const data = new Data(ROWS.length * columns);
  const into = new Uint8Array(data.buffer);
  const resident = fields?.resident("x");
  if (resident === undefined) await fields?.gatherRows("x", ROWS, into);
  else resident.copy(fields?.rowsBehind(ROWS) ?? ROWS, into);
  return Array.from(ROWS, (_, i) => Array.from(data.subarray(i * columns, (i + 1) * columns)));
}

const gives = test.macro({
  title: (_, what: string) => `rows of ${what} come out of the mapped file`,
  async exec(t, _what: string, source: string | string[], isResident: boolean) {
    await using handle = await openNpy(source);
    const fields = await mapped(handle);
    t.not(fields, undefined);
    t.is(fields?.resident("x") !== undefined, isResident);
    const isWide = handle.dtype === "float64";
    t.deepEqual(await rowsOf(fields, 3, isWide ? Float64Array : Float32Array), expected["x"] ?? []);
    await fields?.close();
  },
});
test.serial(gives, "a file", at("x.npy"), true);
test.serial(
  gives,
  "shards, one of them empty,",
  [0, 1, 2, 3].map((i) => at(`x${i}.npy`)),
  true,
);
test.serial(gives, "a stored member", `${at("set.npz")}#x`, true);
test.serial(gives, "an array in the other byte order", at("big.npy"), false);
test.serial(gives, "a Fortran array", at("columns.npy"), false);

test.serial("rows are cast as they are copied", async (t) => {
  await using handle = await openNpy(at("y.npy"));
  const fields = await mapped(handle, "int32");
  t.deepEqual(await rowsOf(fields, 1, Int32Array), expected["y"] ?? []);
  await fields?.close();
});

test.serial(
  "an element that the type cannot hold is ERR_CAST_RANGE with the file, mapped, read whole or in windows",
  async (t) => {
    await using dataset = await openDataset({ x: { from: at("y.npy"), as: "int8" } });
    for (const options of [
      { shuffle: { kind: "full" }, io: "map" },
      { shuffle: { kind: "full" } },
      { shuffle: true },
    ] as const) {
      const error = await t.throwsAsync<NpyError>(dataset.batches({ size: 20, ...options }).next(), {
        code: "ERR_CAST_RANGE",
      });
      t.is(error?.path, at("y.npy"));
    }
  },
);

test.serial("what is neither a plain file nor in memory is not mapped, and nothing stays open", async (t) => {
  const before = openDescriptors(folder);
  {
    await using deflated = await openNpy(`${at("deflated.npz")}#x`);
    t.is(await mapped(deflated), undefined);
    await using counted = await openNpy(countedSource(numberedBytes()));
    t.is(await mapped(counted), undefined);
    await using file = await openNpy(at("x.npy"));
    const both = new HandleFields(
      new Map([
        ["x", { handle: file }],
        ["deflated", { handle: deflated }],
      ]),
    );
    t.is(both.map(true), undefined);
  }
  t.is(openDescriptors(folder), before);
});

test.serial("arrays in memory are resident without a mapping, and files are not where none is asked for", async (t) => {
  await using bytes = await openNpy(numberedBytes());
  const memory = await mapped(bytes, "float32", false);
  t.deepEqual((await rowsOf(memory, 3))[0], [57, 58, 59]);
  await using view = await openNpy(mappedSource(at("x.npy")));
  t.deepEqual(await rowsOf(await mapped(view, "float32", false), 3), expected["x"] ?? []);
  await using file = await openNpy(at("x.npy"));
  t.is(await mapped(file, "float32", false), undefined);
});

test.serial("a file of more than one view is mapped, and its rows are copied window by window", async (t) => {
  await using handle = await openNpy(mappedSource(at("x.npy"), { windowBytes: 64 }));
  const fields = await mapped(handle);
  t.deepEqual(await rowsOf(fields, 3), expected["x"] ?? []);
});

test.serial(
  "a file that was changed is told before its pages are looked at, and one in its place is not mapped",
  async (t) => {
    copyFileSync(at("x.npy"), at("changed.npy"));
    await using handle = await openNpy(at("changed.npy"));
    const fields = await mapped(handle);
    t.notThrows(() => fields?.check());
    utimesSync(at("changed.npy"), 1, 1);
    t.throws(() => fields?.check(), { code: "ERR_SOURCE_CHANGED" });
    await fields?.close();
    copyFileSync(at("x.npy"), at("other.npy"));
    renameSync(at("other.npy"), at("changed.npy"));
    t.is(await mapped(handle), undefined);
  },
);

test.serial("rows of an array that was closed are refused, and closing gives the files up", async (t) => {
  const before = openDescriptors(folder);
  const handle = await openNpy(at("x.npy"));
  const fields = await mapped(handle);
  await handle.close();
  t.throws(() => fields?.check(), { instanceOf: TypeError, message: /closed/ });
  t.throws(() => fields?.resident("z"), { instanceOf: TypeError });
  await fields?.close();
  t.is(openDescriptors(folder), before);
});

function numberedBytes(): Uint8Array {
  const array = NdArray.from(
    Float32Array.from({ length: 60 }, (_, i) => i),
    [20, 3],
  );
  return encodeNpy(array);
}
