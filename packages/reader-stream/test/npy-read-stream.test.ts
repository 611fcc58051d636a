import { createReadStream, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { createGunzip, gzipSync } from "node:zlib";
import { encodeNpy, isNpyError, NdArray, type NpyError, type NpyHeader, type RowChunk } from "@npystream/codec";
import test from "ava";
import { createNpyReadStream, type NpyReadStreamOptions, type SequenceChunk } from "../src/index.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";
import { byteInputs, consumer, transformSuite } from "./transform-suite.ts";

transformSuite({
  name: "createNpyReadStream",
  make: (signal) => createNpyReadStream({ chunkBytes: 160, ...(signal === undefined ? {} : { signal }) }),
  inputs: byteInputs,
  holds: 5,
});
transformSuite({
  name: "createNpyReadStream of small chunks",
  make: () => createNpyReadStream({ chunkBytes: 32 }),
  inputs: byteInputs,
  holds: 2,
  takesSignal: false,
});

const folder = testFolder("npy-read-stream");
const at = (name: string): string => join(folder, name);

// What np.save leaves behind one another; the values are what NumPy says they are.
const expected = numpy<Record<string, unknown>>(
  `
folder = sys.argv[1]
def save(name, *arrays):
    with open(f'{folder}/{name}', 'wb') as f:
        for a in arrays: np.save(f, a)
    return [np.asarray(a).tolist() for a in arrays]
rng = np.random.default_rng(5)
rows = [rng.integers(-99, 99, (n, 3)).astype('<i4') for n in (4, 0, 1, 7)]
out = dict(
  rows=save('rows.npy', *rows),
  swapped=save('swapped.npy', rows[0], rows[3].astype('>i4'), np.asfortranarray(rows[3])),
  scalars=save('scalars.npy', np.float64(1.5), np.float64(2.5), np.arange(3.0)),
  mixed=save('mixed.npy', rows[0], np.arange(5.0), np.array(7), np.zeros((2, 0))),
  fortran=save('fortran.npy', np.asfortranarray(rng.standard_normal((100, 8)))),
  widened=save('widened.npy', rows[0], rows[3].astype('f8')),
)
save('big.npy', np.zeros((1 << 20, 4), 'f4'))
print(json.dumps(out))`,
  folder,
);

async function readAll(source: Readable | string, options: NpyReadStreamOptions = {}): Promise<SequenceChunk[]> {
  const chunks: SequenceChunk[] = [];
  const bytes = typeof source === "string" ? createReadStream(at(source), { highWaterMark: 77 }) : source;
  const sink = consumer((chunk) => void chunks.push(chunk as SequenceChunk));
  await pipeline(bytes, createNpyReadStream(options), sink);
  return chunks;
}

const valuesOf = (chunks: readonly RowChunk[]): unknown[] => chunks.flatMap((chunk) => plain(chunk) as unknown[]);
const joined = (name: string): unknown[] => (expected[name] as unknown[]).flat();

async function failureOf(bytes: Uint8Array | readonly Uint8Array[], options?: NpyReadStreamOptions): Promise<NpyError> {
  const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
  try {
    await readAll(Readable.from(pieces), options);
  } catch (error) {
    if (isNpyError(error)) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

test("rows of successive np.save calls go on, whatever their byte order and layout", async (t) => {
  const chunks = await readAll("rows.npy");
  t.deepEqual(valuesOf(chunks), joined("rows"));
  let next = 0;
  for (const { rowStart, length } of chunks) {
    t.is(rowStart, next);
    next += length;
  }
  t.deepEqual([...new Set(chunks.map(({ arrayIndex }) => arrayIndex))], [0, 2, 3]);
  t.deepEqual(valuesOf(await readAll("swapped.npy")), joined("swapped"));
});

test("single elements go on as rows", async (t) => {
  const chunks = await readAll("scalars.npy");
  t.deepEqual(valuesOf(chunks), [1.5, 2.5, 0, 1, 2]);
  t.deepEqual(chunks[0]?.shape, [1]);
});

test("arrays by themselves may differ, and their rows are counted from 0", async (t) => {
  const headers: [number, NpyHeader][] = [];
  const chunks = await readAll("mixed.npy", { sequence: "arrays", onHeader: (header, i) => headers.push([i, header]) });
  const arrays = [0, 1, 2, 3].map((index) => chunks.filter(({ arrayIndex }) => arrayIndex === index));
  const [first = [], second = [], third = [], last = []] = arrays;
  t.deepEqual(
    [valuesOf(first), valuesOf(second), third[0]?.toNested(), last[0]?.shape],
    [...(expected["mixed"] as unknown[]).slice(0, 2), 7n, [2, 0]],
  );
  t.deepEqual([second[0]?.rowStart, third[0]?.shape], [0, []]);
  t.deepEqual(
    headers.map(([index, { dtype, shape }]) => [index, dtype, shape]),
    [
      [0, "int32", [4, 3]],
      [1, "float64", [5]],
      [2, "int64", []],
      [3, "float64", [2, 0]],
    ],
  );
});

test("an array that does not go on with the rows before it is ERR_SHARD_MISMATCH", async (t) => {
  const error = await t.throwsAsync(readAll("mixed.npy"), { code: "ERR_SHARD_MISMATCH" });
  t.is(
    error?.message,
    'array 1, at byte 176 of the input: it has dtype "<f8" and cannot go on with the rows of array 0, which has "<i4"',
  );
  const narrow = encodeNpy(NdArray.zeros("float32", [2, 3]));
  const wide = encodeNpy(NdArray.zeros("float32", [2, 4]));
  const shape = await failureOf([narrow, wide]);
  t.is(shape.code, "ERR_SHARD_MISMATCH");
  t.regex(shape.message, /row shape \[4\].*\[3\]/);
});

test("a cast lets dtypes differ, and tells the type of what comes", async (t) => {
  const chunks = await readAll("widened.npy", { as: "float32" });
  t.deepEqual(valuesOf(chunks), joined("widened"));
  t.true(chunks.every(({ dtype }) => dtype === "float32"));
  await t.throwsAsync(readAll("widened.npy", { as: "uint8" }), {
    code: "ERR_CAST_RANGE",
    message: /^in the chunk of \d+ rows from row \d+ on: element /,
  });
});

test("a Fortran array comes in C order, in chunks, once it is whole", async (t) => {
  const chunks = await readAll("fortran.npy", { chunkBytes: 640 });
  t.deepEqual(valuesOf(chunks), joined("fortran"));
  t.deepEqual([...new Set(chunks.map(({ length }) => length))], [10]);
  t.deepEqual(chunks.at(-1)?.rowStart, 90);
});

test("a Fortran array larger than fortranBytes is ERR_LIMIT_FORTRAN before it is gathered", async (t) => {
  const error = await t.throwsAsync(readAll("fortran.npy", { fortranBytes: 6399 }), { code: "ERR_LIMIT_FORTRAN" });
  t.regex(error?.message ?? "", /6400 bytes.*6399/);
  t.is((await readAll("fortran.npy", { fortranBytes: 6400 })).length, 1);
});

test("chunks are copies: the bytes that came in may be used again", async (t) => {
  const bytes = Buffer.from(encodeNpy(NdArray.from(Float64Array.from({ length: 8 }, (_, i) => i + 1))));
  const stream = createNpyReadStream();
  const all = stream.toArray();
  const lent = Buffer.alloc(bytes.length);
  for (let i = 0; i < bytes.length; i += 40) {
    const length = bytes.copy(lent, 0, i, i + 40);
    await new Promise((resolve) => stream.write(lent.subarray(0, length), resolve));
    lent.fill(0xee);
  }
  stream.end();
  t.deepEqual(valuesOf(await all), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("whole rows do not wait for a whole chunk", async (t) => {
  const bytes = encodeNpy(NdArray.from(Float32Array.of(1, 2, 3, 4), [2, 2]));
  const stream = createNpyReadStream({ as: "float32" });
  const chunks = stream[Symbol.asyncIterator]();
  stream.write(bytes.subarray(0, 128 + 11));
  t.deepEqual((await chunks.next()).value.toNested(), [[1, 2]]);
  stream.end(bytes.subarray(128 + 11));
  t.deepEqual((await chunks.next()).value.toNested(), [[3, 4]]);
  t.true((await chunks.next()).done);
});

test("an empty input is ERR_NPY_TRUNCATED and says so", async (t) => {
  const error = await failureOf([]);
  t.deepEqual([error.code, error.offset], ["ERR_NPY_TRUNCATED", 0]);
  t.is(error.message, "the input is empty: not even a header came");
});

test("an input cut anywhere inside an array is ERR_NPY_TRUNCATED with its length as the offset", async (t) => {
  const bytes = encodeNpy(NdArray.zeros("int16", [3, 2]));
  const two = Buffer.concat([bytes, bytes]);
  for (const end of [1, 9, 100, 128, 139, 141, 150, 268, 279]) {
    const error = await failureOf(two.subarray(0, end));
    t.deepEqual([error.code, error.offset], ["ERR_NPY_TRUNCATED", end], `${end} bytes`);
  }
  const inside = await failureOf(two.subarray(0, 139));
  t.is(inside.message, "the input ends inside array 0 (int16, shape [3, 2]), after 11 of its 12 bytes of data");
});

test("bytes that are no array are ERR_NPY_MAGIC, also a few behind one, with their offset", async (t) => {
  const bytes = encodeNpy(NdArray.zeros("int16", [3, 2]));
  for (const rest of ["\n", "garbage", "much more garbage than a header has"]) {
    const error = await failureOf([Buffer.concat([bytes, Buffer.from(rest)])]);
    t.deepEqual([error.code, error.offset], ["ERR_NPY_MAGIC", 140], rest);
    t.regex(error.message, /^array 1, at byte 140 of the input: this is not a \.npy file/);
    const apart = await failureOf([bytes, ...Array.from(rest, (letter) => Buffer.from(letter))]);
    t.deepEqual([apart.code, apart.offset], ["ERR_NPY_MAGIC", 140], rest);
  }
  t.is((await failureOf(Buffer.from("hi"))).offset, 0);
  t.regex((await failureOf(Buffer.from("PK\x03\x04 and so on"))).message, /ZIP archive/);
});

test("other faults of a header have their offset in the input", async (t) => {
  const bytes = encodeNpy(NdArray.zeros("int16", [3, 2]));
  const odd = Uint8Array.from(bytes);
  odd[6] = 9;
  const error = await failureOf([bytes, odd]);
  t.deepEqual([error.code, error.offset], ["ERR_NPY_VERSION", 146]);
  t.is((await failureOf(bytes, { limits: { headerBytes: 10 } })).code, "ERR_LIMIT_HEADER");
});

test("where one array is expected, a second one or anything behind it is ERR_NPY_TRAILING", async (t) => {
  const bytes = encodeNpy(NdArray.zeros("int16", [3, 2]));
  t.is((await readAll(Readable.from([bytes]), { sequence: "none" })).length, 1);
  for (const pieces of [[bytes, bytes], [Buffer.concat([bytes, bytes])], [bytes, Buffer.from("\n")]]) {
    const error = await failureOf(pieces, { sequence: "none" });
    t.deepEqual([error.code, error.offset], ["ERR_NPY_TRAILING", 140]);
  }
});

test("a response body and a decompressor are read as they come", async (t) => {
  const bytes = encodeNpy(NdArray.from(Int32Array.from({ length: 100_000 }, (_, i) => i)));
  const server = createServer((_, response) => response.end(bytes)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", () => resolve(undefined)));
  const { body } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  let sum = 0;
  const add = consumer((chunk) => {
    for (const value of chunk.data as Int32Array) sum += value;
  });
  await pipeline(body as ReadableStream<Uint8Array>, createNpyReadStream(), add);
  t.is(sum, 4_999_950_000);
  server.close();
  writeFileSync(at("x.npy.gz"), gzipSync(bytes));
  const unzipped = createReadStream(at("x.npy.gz")).pipe(createGunzip());
  t.is(
    (await readAll(unzipped)).reduce((rows, { length }) => rows + length, 0),
    100_000,
  );
});

test("a file that is left early is closed", async (t) => {
  const leave = async (chunks: AsyncIterable<RowChunk>): Promise<void> => {
    for await (const chunk of chunks) {
      t.is(chunk.rowStart, 0);
      break;
    }
  };
  const file = createReadStream(at("big.npy"));
  const closed = new Promise((resolve) => file.once("close", () => resolve(undefined)));
  await pipeline(file, createNpyReadStream(), leave).catch(() => undefined);
  await closed;
  t.is(openDescriptors(at("big.npy")), 0);
});

test("options that cannot be are refused", (t) => {
  for (const chunkBytes of [0, 1.5]) t.throws(() => createNpyReadStream({ chunkBytes }), { instanceOf: RangeError });
  t.throws(() => createNpyReadStream({ fortranBytes: -1 }), { instanceOf: RangeError });
  t.throws(() => createNpyReadStream({ sequence: "all" as "rows" }), { instanceOf: TypeError });
  t.throws(() => createNpyReadStream({ chunkSize: 3 } as object), { instanceOf: TypeError });
  t.throws(() => createNpyReadStream({ as: "float31" }), { code: "ERR_NPY_DTYPE" });
});

test("what a header's listener throws destroys the stream", async (t) => {
  const error = new Error("not this dtype");
  const onHeader = (): void => {
    throw error;
  };
  t.is(await t.throwsAsync(readAll("rows.npy", { onHeader })), error);
});
