import { Readable } from "node:stream";
import { type DType, decodeNpy, isNpyError, NdArray, RowChunk } from "@npystream/codec";
import test from "ava";
import { type ColumnStats, type StandardizeOptions, standardize } from "../src/index.ts";
import { numpy } from "./arrays-by-numpy.ts";
import { chunkInputs, failure, transformSuite } from "./transform-suite.ts";

transformSuite({
  name: "standardize",
  make: (signal) =>
    standardize({ mean: [10, 0], std: [4, 1] }, { dtype: "float64", ...(signal === undefined ? {} : { signal }) }),
  expected: (value) => (value - 10) / 4,
  holds: 2,
});

interface NumpyCase {
  readonly name: string;
  readonly mean: number[];
  readonly std: number[];
  readonly x: string;
  readonly float32: string;
  readonly float64: string;
}

// scikit-learn's rule for a column that does not vary: it is divided by 1.
const cases = numpy<NumpyCase[]>(`
import io, warnings
warnings.simplefilter('ignore')
def npy(a):
    f = io.BytesIO(); np.save(f, np.ascontiguousarray(a)); return f.getvalue().hex()
rng = np.random.default_rng(11)
x = rng.standard_normal((50, 7)) * 10.0 ** rng.integers(-3, 4, 7) + rng.integers(-100, 100, 7)
x[:, 2] = 5; x[3, 1] = np.nan; x[4, 1] = np.inf
images = rng.integers(0, 256, (9, 4, 5, 3))
out = []
def case(name, x, mean, std):
    scale = np.where(std == 0, 1, std)
    y = (x.astype('f8') - mean) / scale
    out.append(dict(name=name, mean=mean.ravel().tolist(), std=std.ravel().tolist(), x=npy(x), float32=npy(y.astype('f4')), float64=npy(y)))
for t in ('f8', 'f4', 'f2'):
    z = x.astype(t); f = z[np.isfinite(z).all(1)].astype('f8')
    case(t, z, f.mean(0), f.std(0))
for t in ('i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', '?'):
    z = rng.integers(0, 2 if t == '?' else 100, (50, 7)).astype(t)
    case(t, z, z.mean(0), z.std(0))
case('images by channel', images.astype('u1'), images.mean((0, 1, 2)), images.std((0, 1, 2)))
case('images by pixel', images.astype('u1'), images.mean(0), images.std(0))
case('single column', x[:, 0], x[:, :1].mean(0), x[:, :1].std(0))
print(json.dumps(out))`);

const fromHex = (hex: string): NdArray => decodeNpy(Buffer.from(hex, "hex"));

async function standardized(x: NdArray, stats: ColumnStats, options?: StandardizeOptions): Promise<RowChunk> {
  const { type, shape, strides, data } = x;
  const chunk = new RowChunk({ dtype: type, shape, strides, data, rowStart: 7 });
  const [out] = await Readable.from([chunk]).compose(standardize(stats, options)).toArray();
  return out;
}

const equalsNumpy = test.macro({
  title: (_, { name }: NumpyCase) => `columns are standardized to the bit as NumPy does it: ${name}`,
  async exec(t, { mean, std, x, float32, float64 }: NumpyCase) {
    const source = fromHex(x);
    const before = source.data.slice();
    for (const [dtype, expected] of [
      ["float32", fromHex(float32)],
      ["float64", fromHex(float64)],
    ] as const) {
      const out = await standardized(source, { mean, std }, { dtype });
      t.deepEqual([out.dtype, out.shape, out.rowStart], [dtype, expected.shape, 7]);
      t.deepEqual(out.data, expected.data);
    }
    t.deepEqual(source.data, before);
    const { data } = await standardized(source, { mean: Float64Array.from(mean), std });
    t.true(data instanceof Float32Array);
  },
});
for (const numpyCase of cases) test(equalsNumpy, numpyCase);

test("strided chunks come out in C order", async (t) => {
  const x = NdArray.from(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]).transpose();
  const out = await standardized(x, { mean: [1, 0], std: [1, 2] });
  t.deepEqual(out.toNested(), [
    [0, 2],
    [1, 2.5],
    [2, 3],
  ]);
});

const refused = test.macro({
  title: (_, what: string) => `stats that cannot be are refused: ${what}`,
  exec(t, _what: string, mean: number[], std: number[]) {
    t.throws(() => standardize({ mean, std }), { instanceOf: RangeError });
  },
});
test(refused, "a mean that is not finite", [0, Number.NaN], [1, 1]);
test(refused, "a std that is not finite", [0, 0], [1, Number.POSITIVE_INFINITY]);
test(refused, "a negative std", [0, 0], [1, -1]);
test(refused, "more means than stds", [0, 0], [1]);
test(refused, "no column", [], []);

test("options that cannot be are refused", (t) => {
  const stats = { mean: [0], std: [1] };
  t.throws(() => standardize(stats, { dtype: "int8" as "float32" }), { instanceOf: TypeError });
  t.throws(() => standardize(stats, { ddof: 1 } as object), { instanceOf: TypeError });
});

test("rows of another number of columns are ERR_SHAPE, elements that are no real numbers a TypeError", async (t) => {
  const error = await failure(t, chunkInputs, standardize({ mean: [0, 0, 0], std: [1, 1, 1] }));
  t.true(isNpyError(error) && error.code === "ERR_SHAPE");
  t.is(error.message, "in the chunk of 10 rows from row 0 on: rows of shape [2] have 2 columns, and there are 3 means");
  for (const dtype of ["complex64", "datetime64[s]", "S2"] satisfies (DType | "S2")[]) {
    const odd = NdArray.zeros(dtype as DType, [2, 2]);
    const chunk = new RowChunk({ dtype: odd.type, shape: [2, 2], data: odd.data, rowStart: 0 });
    t.true((await failure(t, [chunk], standardize({ mean: [0, 0], std: [1, 1] }))) instanceof TypeError);
  }
});

test("an int64 that no double holds is ERR_CAST_RANGE", async (t) => {
  const data = BigInt64Array.of(1n, 2n ** 60n);
  const chunk = new RowChunk({ dtype: "int64", shape: [2], data, rowStart: 0 });
  const error = await failure(t, [chunk], standardize({ mean: [0], std: [1] }));
  t.true(isNpyError(error) && error.code === "ERR_CAST_RANGE");
});
