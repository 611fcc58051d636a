import { Readable } from "node:stream";
import { decodeNpy, RowChunk } from "@npystream/codec";
import test from "ava";
import { cast } from "../src/index.ts";
import { numpy } from "./arrays-by-numpy.ts";
import { chunkInputs, failure, transformSuite } from "./transform-suite.ts";

transformSuite({
  name: "cast",
  make: (signal) => cast("float32", signal === undefined ? {} : { signal }),
  holds: 2,
});

test("elements are cast as NumPy casts them, and chunks keep their place", async (t) => {
  const [from, to] = numpy<[string, string]>(`
import io
def npy(a):
    f = io.BytesIO(); np.save(f, a); return f.getvalue().hex()
x = np.random.default_rng(3).integers(-2**40, 2**40, (20, 3))
print(json.dumps([npy(x), npy(x.astype('f4'))]))`);
  const { type, shape, data } = decodeNpy(Buffer.from(from, "hex"));
  const chunk = new RowChunk({ dtype: type, shape, data, rowStart: 100 });
  const [out] = (await Readable.from([chunk]).compose(cast("<f4")).toArray()) as RowChunk[];
  t.deepEqual(out?.data, decodeNpy(Buffer.from(to, "hex")).data);
  t.deepEqual([out?.dtype, out?.rowStart, out?.shape], ["float32", 100, [20, 3]]);
});

test("a chunk of that type goes through as it is", async (t) => {
  const out = await Readable.from(chunkInputs.slice(0, 2)).compose(cast("float64")).toArray();
  t.is(out[0], chunkInputs[0]);
});

test("an element that does not fit is ERR_CAST_RANGE and names its chunk", async (t) => {
  const error = await failure(t, chunkInputs, cast("int8"));
  t.is((error as { code?: string }).code, "ERR_CAST_RANGE");
  t.is(
    error.message,
    "in the chunk of 10 rows from row 120 on: element 16 in C order, 128, is outside the range of int8",
  );
});

test("a type that there is not, a cast that there is not, and an unknown option are refused", async (t) => {
  t.throws(() => cast("float31" as "float32"), { code: "ERR_NPY_DTYPE" });
  t.throws(() => cast("float32", { copy: true } as object), { instanceOf: TypeError });
  t.true((await failure(t, chunkInputs, cast("S3"))) instanceof TypeError);
});
