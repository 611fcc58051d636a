import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { type DTypeLike, encodeNpy, NdArray, type NpyError } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { HandleFields } from "../src/handle-fields.ts";
import { type ArrayHandle, openNpy, type SourceLike } from "../src/index.ts";
import { numpy, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";

const folder = testFolder("handle-fields");
const at = (name: string): string => join(folder, name);
const ROWS = 50;
numpy(
  `
folder = sys.argv[1]
x = np.arange(${ROWS} * 4, dtype='f8').reshape(${ROWS}, 4)
np.save(folder + '/x.npy', x)
np.save(folder + '/big.npy', x.astype('>f8'))
np.save(folder + '/columns.npy', np.asfortranarray(x))
for i, part in enumerate(np.split(x, [9, 9, 30])): np.save(f'{folder}/x{i}.npy', part)
np.savez_compressed(folder + '/set.npz', x=x)
np.save(folder + '/y.npy', np.arange(${ROWS}))
`,
  folder,
);

const opened: ArrayHandle[] = [];
test.after.always(() => Promise.all(opened.map((handle) => handle.close())));

async function fieldsOf(from: SourceLike | readonly SourceLike[], as?: DTypeLike): Promise<HandleFields> {
  const handle = await openNpy(from);
  opened.push(handle);
  return new HandleFields(new Map([["x", { handle, as }]]));
}

/** Element `k` of row `i` is `4 i + k`, by the script above. */
const rowsAre = test.macro({
  title: (_, what: string) => `rows of ${what} are what NumPy wrote, by ranges, at once and by index`,
  async exec(t, _what: string, from: string | string[], as: DTypeLike | undefined, canWait: boolean) {
    const fields = await fieldsOf(from, as);
    const Data = as === "int32" ? Int32Array : Float64Array;
    const rowBytes = 4 * Data.BYTES_PER_ELEMENT;
    t.deepEqual([fields.length, fields.rowBytes("x"), [...fields.rowShape("x")]], [ROWS, rowBytes, [4]]);
    const numbers = (bytes: Uint8Array): number[] => Array.from(new Data(bytes.slice().buffer));
    const expected = (rows: readonly number[]): number[] => rows.flatMap((row) => [0, 1, 2, 3].map((k) => row * 4 + k));
    const range = fc.tuple(fc.nat(ROWS), fc.nat(ROWS)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    await fc.assert(
      fc.asyncProperty(range, fc.uniqueArray(fc.nat(ROWS - 1)), async ([start, stop], rows) => {
        const between = Array.from({ length: stop - start }, (_, i) => start + i);
        const into = new Uint8Array((stop - start) * rowBytes);
        await fields.readRows("x", start, into);
        t.deepEqual(numbers(into), expected(between));
        const waited = new Uint8Array(into.length);
        if (stop > start && fields.readRowsSync("x", start, waited)) {
          t.true(canWait);
          t.deepEqual(numbers(waited), expected(between));
        }
        const gathered = new Uint8Array(rows.length * rowBytes);
        await fields.gatherRows("x", rows, gathered);
        t.deepEqual(numbers(gathered), expected(rows));
      }),
      { numRuns: 40 },
    );
    t.is(fields.readRowsSync("x", 0, new Uint8Array(2 * rowBytes)), canWait);
  },
});
test(rowsAre, "a file", at("x.npy"), undefined, true);
test(rowsAre, "a file that is cast", at("x.npy"), "int32", true);
test(rowsAre, "a file in the other byte order", at("big.npy"), undefined, true);
test(rowsAre, "a file in the other byte order that is cast", at("big.npy"), "int32", true);
test(rowsAre, "a Fortran array", at("columns.npy"), undefined, false);
test(
  rowsAre,
  "shards that are cast, one of them empty,",
  [0, 1, 2, 3].map((i) => at(`x${i}.npy`)),
  "int32",
  true,
);
test(rowsAre, "a deflated member", `${at("set.npz")}#x`, undefined, false);

test("a fingerprint tells content and type, and not the name of a file", async (t) => {
  copyFileSync(at("x.npy"), at("copy.npy"));
  t.regex((await fieldsOf(at("x.npy"))).fingerprint, /^[0-9a-f]{64}$/);
  t.is((await fieldsOf(at("x.npy"))).fingerprint, (await fieldsOf(at("x.npy"))).fingerprint);
  t.not((await fieldsOf(at("x.npy"))).fingerprint, (await fieldsOf(at("x.npy"), "float32")).fingerprint);
  // A copy is another file: the same rows are for whoever knows that they are.
  t.not((await fieldsOf(at("x.npy"))).fingerprint, (await fieldsOf(at("copy.npy"))).fingerprint);
});

test("which rows are cheap to read in any order, and which are behind a network, is known", async (t) => {
  t.true((await fieldsOf(at("x.npy"))).isRandomAccess("x"));
  t.false((await fieldsOf(`${at("set.npz")}#x`)).isRandomAccess("x"));
  const source = countedSource(encodeNpy(NdArray.from(Float64Array.of(1, 2))));
  t.false((await fieldsOf(source)).isRemote("x"));
  t.true((await fieldsOf({ ...source, gapBytes: 32 << 10 })).isRemote("x"));
});

test("a failure names the file, a closed array and a field that there is not are refused", async (t) => {
  copyFileSync(at("x.npy"), at("cut.npy"));
  const handle = await openNpy(at("cut.npy"));
  const fields = new HandleFields(new Map([["x", { handle }]]));
  numpy("open(sys.argv[1], 'r+b').truncate(200)", at("cut.npy"));
  const into = new Uint8Array(ROWS * 32);
  const expected = { code: "ERR_SOURCE_TRUNCATED" };
  const errors = [
    await t.throwsAsync<NpyError>(fields.readRows("x", 0, into), expected),
    t.throws<NpyError>(() => void fields.readRowsSync("x", 0, into), expected),
    await t.throwsAsync<NpyError>(fields.gatherRows("x", [49, 0], into.subarray(0, 64)), expected),
  ];
  for (const error of errors) t.is(error?.path, at("cut.npy"));
  await handle.close();
  await t.throwsAsync(fields.readRows("x", 0, into), { instanceOf: TypeError, message: /closed/ });
  t.throws(() => fields.type("z"), { instanceOf: TypeError, message: /there is no field z; there are x/ });
  await t.throwsAsync(fieldsOf(at("y.npy"), "U4" as DTypeLike), { instanceOf: TypeError });
});
