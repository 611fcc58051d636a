import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { encodeNpy, type NdArray } from "@npystream/codec";
import test from "ava";
import { type FieldStats, mergeStats, openDataset, openNpy, standardize } from "../src/index.ts";
import { numpy, testFolder } from "./arrays-by-numpy.ts";
import { bytesRead, countedSource } from "./counted-source.ts";

const folder = testFolder("field-stats");
const path = (name: string): string => join(folder, `${name}.npy`);
/** Stats as NumPy works them out of the finite values, in long double. */
const expected = numpy<Record<string, FieldStats>>(
  `
rng = np.random.default_rng(3)
holes = rng.normal(50, 3, (5000, 4))
holes[rng.random(holes.shape) < .1] = np.nan
holes[rng.random(holes.shape) < .1] = np.inf
holes[7, 1] = -np.inf
holes[:, 3] = np.nan
arrays = {
    'normal': rng.normal([0, 5, -3], [1, 1e-3, 100], (300_000, 3)),
    'shifted': (1e9 + rng.random((100_000, 2))),
    'float32': rng.normal(7, 2, (50_000, 8)).astype('f4'),
    'float16': rng.normal(7, 2, (9_000, 2)).astype('f2'),
    'int64': rng.integers(-2**52, 2**52, 10_000),
    'uint8': rng.integers(0, 256, (200, 5, 6, 3)).astype('u1'),
    'bool': rng.random(5000) < .25,
    'holes': holes,
    'one': np.array([[4., 5.]]),
    'none': np.zeros((0, 2)),
    'fortran': np.asfortranarray(rng.normal(0, 1, (20_000, 5))),
}
def stats(x, columns):
    x = x.reshape(-1, columns).astype('f8')
    finite = np.isfinite(x)
    result = {k: [] for k in ('count', 'mean', 'std', 'min', 'max', 'nonFinite')}
    for c in range(columns):
        v = x[finite[:, c], c].astype('g')
        has = len(v) > 0
        for key, value in (('count', len(v)), ('mean', float(v.mean()) if has else 0), ('std', float(v.std()) if has else 0),
                           ('min', float(v.min()) if has else None), ('max', float(v.max()) if has else None), ('nonFinite', len(x) - len(v))):
            result[key].append(value)
    return result
for name, x in arrays.items(): np.save(f'{sys.argv[1]}/{name}.npy', x)
result = {name: stats(x, int(np.prod(x.shape[1:]))) for name, x in arrays.items()}
result['channels'] = stats(arrays['uint8'], 3)
print(json.dumps(result))
`,
  folder,
);

function isClose(t: { true(value: boolean, message?: string): void }, found: FieldStats, wanted: FieldStats): void {
  for (const key of ["count", "mean", "std", "min", "max", "nonFinite"] as const) {
    for (const [column, value] of wanted[key].entries()) {
      const got = found[key][column];
      const error = Math.abs((got ?? 0) - (value ?? 0)) / Math.max(1e-3, Math.abs(value ?? 0));
      t.true(
        typeof got === typeof value && error < (key === "mean" || key === "std" ? 1e-9 : 1e-15),
        `${key} ${column}: ${got} for ${value}`,
      );
    }
  }
}

const agrees = test.macro({
  title: (_, name: string) => `stats of ${name} are those of NumPy`,
  async exec(t, name: string) {
    await using dataset = await openDataset({ x: path(name) });
    const stats = await dataset.stats("x");
    isClose(t, stats, expected[name] as FieldStats);
    t.deepEqual(JSON.parse(JSON.stringify(stats)), stats);
  },
});
for (const name of ["normal", "shifted", "float32", "float16", "int64", "uint8", "bool"]) test(agrees, name);
for (const name of ["holes", "one", "none", "fortran"]) test(agrees, name);

test("stats of the last axis are of the channels of images", async (t) => {
  await using dataset = await openDataset({ x: path("uint8") });
  isClose(t, await dataset.stats("x", { columns: "last-axis" }), expected["channels"] as FieldStats);
});

test("stats of parts merge into those of the whole, in any order", async (t) => {
  for (const name of ["normal", "shifted", "holes"]) {
    await using dataset = await openDataset({ x: path(name) });
    const ends = [0, 1, 1000, 1000, dataset.length];
    const parts = await Promise.all(
      ends.slice(1).map((stop, part) => dataset.select({ start: ends[part] ?? 0, stop }).stats("x")),
    );
    isClose(t, parts.reduce(mergeStats), expected[name] as FieldStats);
    isClose(t, parts.reduceRight(mergeStats), expected[name] as FieldStats);
  }
});

test("stats read the field once, and no other", async (t) => {
  const handle = await openNpy(path("float32"));
  const bytes = encodeNpy((await handle.read()) as NdArray);
  await handle.close();
  const [x, y] = [countedSource(bytes), countedSource(bytes)];
  await using dataset = await openDataset({ x, y });
  x.reads.length = 0;
  y.reads.length = 0;
  await dataset.stats("x");
  t.is(bytesRead(x), 50_000 * 8 * 4);
  t.deepEqual(y.reads, []);
});

test("standardize takes stats as they are", async (t) => {
  await using dataset = await openDataset({ x: path("normal") });
  const stats = await dataset.stats("x");
  await using handle = await openNpy(path("normal"));
  let [count, sum, squares] = [0, 0, 0];
  await pipeline(handle.stream(), standardize(stats, { dtype: "float64" }), async (chunks: AsyncIterable<NdArray>) => {
    for await (const { data } of chunks) {
      for (const value of data as Float64Array) {
        count += 1;
        sum += value;
        squares += value * value;
      }
    }
  });
  t.is(count, 900_000);
  t.true(Math.abs(sum / count) < 1e-9);
  t.true(Math.abs(squares / count - 1) < 1e-9);
});

test("stats refuse what has none", async (t) => {
  const complex = path("complex");
  numpy(`np.save(sys.argv[1], np.zeros(3, 'c8')); np.save(sys.argv[2], np.array([2**60]))`, complex, path("huge"));
  await using dataset = await openDataset({ x: complex });
  await t.throwsAsync(dataset.stats("x"), { instanceOf: TypeError, message: /complex64/ });
  await t.throwsAsync(dataset.stats("y" as "x"), { instanceOf: TypeError });
  await t.throwsAsync(dataset.stats("x", { columns: "all" as "element" }), { instanceOf: TypeError });
  await using huge = await openDataset({ x: path("huge") });
  await t.throwsAsync(huge.stats("x"), { code: "ERR_CAST_RANGE" });
  const [one, three] = [expected["one"] as FieldStats, expected["normal"] as FieldStats];
  t.throws(() => mergeStats(one, three), { instanceOf: RangeError });
});
