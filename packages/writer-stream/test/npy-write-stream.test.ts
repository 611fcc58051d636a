import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { decodeNpy, elementType, NdArray, type NpyHeader, parseNpyHeader, RowChunk } from "@npystream/codec";
import { createNpyWriteStream, streamSink, writeNpy } from "@npystream/writer-stream";
import test from "ava";
import { MemoryWritable } from "./memory-writable.ts";
import { makeReferences, python } from "./numpy-references.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-write-stream-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const references = makeReferences(folder);
let files = 0;
const newPath = (): string => join(folder, `stream-${files++}.npy`);

test("rows of every dtype and shape, in any split, make the file that np.save makes of the whole", async (t) => {
  const arrays = references.filter(({ order, shape }) => order === "C" && shape.length > 0);
  t.true(arrays.length >= 160);
  for (const { path, dtype, shape } of arrays) {
    const expected = readFileSync(path);
    const whole = decodeNpy(expected);
    const ours = newPath();
    const out = createNpyWriteStream(ours);
    for (let row = 0, size = 1; row < whole.length || row === 0; row += size++) {
      await out.push(whole.slice({ start: row, stop: row + size }));
    }
    const result = await out.finish();
    t.deepEqual(readFileSync(ours), expected, `${dtype} [${shape}]`);
    t.deepEqual(
      { ...result, shape: [...result.shape] },
      {
        path: ours,
        dtype: whole.dtype,
        shape: [...shape],
        byteLength: expected.length,
      },
    );
  }
});

const OTHER_TYPES = `
import sys, numpy as np
record = np.dtype([('x', '<f4'), ('name', 'U5'), ('when', 'M8[ms]'), ('grid', 'i2', (2, 3)), ('in', [('a', '?'), ('b', 'S3')])])
aligned = np.dtype({'names': ['a', 'b'], 'formats': ['u1', 'f8'], 'offsets': [0, 8], 'itemsize': 24})
titled = np.dtype([(('a title', 'a'), 'i4'), ('größe', 'f8')])
raw = lambda dtype: np.frombuffer((bytes(range(1, 128)) * 300)[: 30 * np.dtype(dtype).itemsize], dtype)
zeros = lambda dtype: np.zeros(30, dtype)
arrays = [
    np.array(['ab', 'ü', '', '日本', '\\U0001f600'] * 6), np.array([b'abc', b'', b'x'] * 10), raw('V5'), zeros(record), zeros(aligned), zeros(titled),
    *(np.arange(30).astype(t) for t in ('M8[ns]', 'M8[D]', 'm8[25s]', 'm8', 'M8')), np.array(['NaT', '2026-01-02'] * 15, 'M8[D]'),
    np.zeros(30, 'U0'), np.zeros(30, 'V0'),
]
arrays[3]['x'], arrays[3]['name'], arrays[3]['grid'][:, 1] = np.arange(30), 'né', 7
for i, array in enumerate(arrays):
    for j, shape in enumerate([(30,), (10, 3), (0, 3)]):
        np.save(f'{sys.argv[1]}/other-{i:02}-{j}.npy', array[: 30 if j < 2 else 0].reshape(shape))
print(len(arrays) * 3)
`;

test("rows of text, bytes, dates, spans, voids and records make the file that np.save makes, by rows and whole", async (t) => {
  const count = Number(python(OTHER_TYPES, folder));
  const names = readdirSync(folder).filter((name) => name.startsWith("other-"));
  t.is(names.length, count);
  for (const name of names) {
    const expected = readFileSync(join(folder, name));
    const whole = decodeNpy(expected);
    const [rows, copy] = [newPath(), newPath()];
    const out = createNpyWriteStream(rows, { rowShape: whole.shape.slice(1), dtype: whole.type });
    for (let row = 0; row < whole.length; row += 7) await out.push(whole.slice({ start: row, stop: row + 7 }));
    await out.finish();
    await writeNpy(copy, whole);
    t.deepEqual(readFileSync(rows), expected, `${name} ${whole.dtype}`);
    t.deepEqual(readFileSync(copy), expected, `${name} ${whole.dtype}`);
  }
});

test("a million rows of a few bytes come out as NumPy has them", async (t) => {
  const path = newPath();
  const out = createNpyWriteStream(path, { dtype: "int32", rowShape: [3] });
  const row = new Int32Array(3);
  for (let i = 0; i < 1_000_000; i++) {
    row.fill(i);
    await out.push(row);
  }
  await out.finish();
  const program =
    "import sys, numpy as np\na = np.load(sys.argv[1])\nprint(a.shape, (a == np.arange(10**6)[:, None]).all())";
  t.is(python(program, path).trim(), "(1000000, 3) True");
});

test("every kind of chunk gives the same rows", async (t) => {
  const path = newPath();
  const rows = Float32Array.of(1, 2, 3, 4);
  const matrix = NdArray.from(rows, [2, 2]);
  const out = createNpyWriteStream(path, { dtype: "<f4", rowShape: [2] });
  await out.push(rows);
  await out.push(matrix);
  await out.push(new RowChunk({ dtype: "float32", shape: [2, 2], data: rows, rowStart: 9 }));
  await out.push(NdArray.from(Float32Array.of(1, 3, 2, 4), [2, 2]).transpose());
  await out.push([
    [1, 2],
    [3, 4],
  ]);
  await out.push(new Uint8Array(rows.buffer));
  await out.push(Buffer.from(rows.buffer));
  await out.push(new Uint8Array([0, ...new Uint8Array(rows.buffer)]).subarray(1));
  await out.push(matrix.at(0));
  await out.push([3, 4]);
  await out.push([]);
  await out.push(new Float32Array(0));
  await out.finish();
  const { shape, data } = decodeNpy(readFileSync(path));
  t.deepEqual([...shape], [18, 2]);
  t.deepEqual(
    [...(data as Float32Array)],
    Array.from({ length: 36 }, (_, i) => 1 + (i % 4)),
  );
});

test("without options the first chunk tells dtype and row shape", async (t) => {
  const header = async (chunk: Parameters<ReturnType<typeof createNpyWriteStream>["push"]>[0]): Promise<NpyHeader> => {
    const path = newPath();
    const out = createNpyWriteStream(path);
    await out.push(chunk);
    await out.finish();
    return parseNpyHeader(readFileSync(path));
  };
  t.like(await header(Float32Array.of(1, 2)), { dtype: "float32", shape: [2] });
  t.like(await header(Uint8Array.of(1, 2)), { dtype: "uint8", shape: [2] });
  t.like(await header(Buffer.of(1, 2)), { dtype: "uint8", shape: [2] });
  t.like(await header(NdArray.zeros("complex64", [4, 2, 3])), { dtype: "complex64", shape: [4, 2, 3] });
  t.like(await header(NdArray.zeros("int8", [])), { dtype: "int8", shape: [1] });
  t.like(await header([[1n, 2n]]), { dtype: "int64", shape: [1, 2] });
  t.like(await header(2.5), { dtype: "float64", shape: [1] });
});

test("a typed array that is the data of the dtype is taken as it is: complex pairs, half floats as bits, bool bytes", async (t) => {
  const written = async (dtype: string, chunk: Float64Array | Uint16Array | Uint8Array): Promise<unknown> => {
    const path = newPath();
    const out = createNpyWriteStream(path, { dtype });
    await out.push(chunk);
    await out.push(chunk);
    await out.finish();
    return decodeNpy(readFileSync(path)).toNested();
  };
  const value = { re: 1, im: -1 };
  t.deepEqual(await written("complex128", Float64Array.of(1, -1)), [value, value]);
  t.deepEqual(await written("float16", Uint16Array.of(0x4000)), [2, 2]);
  t.deepEqual(await written("bool", Uint8Array.of(1, 0)), [true, false, true, false]);
});

const misfit = test.macro({
  title: (title) => `${title} is refused by name and chunk, and nothing is committed`,
  async exec(t, code: string, chunks: readonly unknown[], options: object = {}) {
    const path = newPath();
    const out = createNpyWriteStream(path, { dtype: "float32", rowShape: [2], ...options });
    const refused = async (): Promise<void> => {
      for (const chunk of chunks) await out.push(chunk as number[]);
    };
    const error = await t.throwsAsync(refused, { code, message: new RegExp(`^chunk ${chunks.length - 1}: `) });
    t.like(error, { path });
    await t.throwsAsync(out.push([1, 2]), { is: error });
    await t.throwsAsync(out.finish(), { is: error });
    t.false(existsSync(path));
  },
});
const good = Float32Array.of(1, 2);
test("half a row", misfit, "ERR_WRITE_SHAPE", [good, Float32Array.of(1, 2, 3)]);
test("half a row of bytes", misfit, "ERR_WRITE_SHAPE", [good, good, new Uint8Array(12)]);
test("an array of another row shape", misfit, "ERR_WRITE_SHAPE", [good, NdArray.zeros("float32", [2, 3])]);
test("an array of too many axes", misfit, "ERR_WRITE_SHAPE", [NdArray.zeros("float32", [1, 1, 2])]);
test("a number where a row is a list", misfit, "ERR_WRITE_SHAPE", [good, 1]);
test("uneven lists", misfit, "ERR_WRITE_SHAPE", [[[1, 2], [3]]]);
test("a typed array for rows without bytes", misfit, "ERR_WRITE_SHAPE", [good], { rowShape: [0] });
test("more rows than declared", misfit, "ERR_WRITE_SHAPE", [good, good, good], { rows: 2 });
test("another typed array", misfit, "ERR_WRITE_DTYPE", [good, Float64Array.of(1, 2)]);
test("an array of another dtype", misfit, "ERR_WRITE_DTYPE", [NdArray.zeros("float64", [1, 2])]);
test("text", misfit, "ERR_WRITE_DTYPE", [good, "1,2"]);
test("null", misfit, "ERR_WRITE_DTYPE", [good, null]);
test("a value the dtype does not hold", misfit, "ERR_WRITE_DTYPE", [[[1, "2"]]]);
test("an integer out of range", misfit, "ERR_WRITE_DTYPE", [[[1, 300]]], { dtype: "uint8" });

test("the declared number of rows is checked at the end, and no rows at all leave dtype and row shape unknown", async (t) => {
  const finish = async (options: Parameters<typeof createNpyWriteStream>[1], chunk?: number[]): Promise<unknown> => {
    const out = createNpyWriteStream(newPath(), options);
    if (chunk) await out.push(chunk);
    return await out.finish().then(
      ({ shape }) => [...shape],
      ({ code }) => code,
    );
  };
  t.is(await finish({ dtype: "int8", rowShape: [], rows: 3 }, [1, 2]), "ERR_WRITE_SHAPE");
  t.deepEqual(await finish({ dtype: "int8", rowShape: [], rows: 3 }, [1, 2, 3]), [3]);
  t.deepEqual(await finish({ dtype: "int8", rowShape: [4] }), [0, 4]);
  t.is(await finish({ dtype: "int8" }), "ERR_WRITE_SHAPE");
  t.is(await finish({ rowShape: [4] }), "ERR_WRITE_DTYPE");
  t.is(await finish({}, []), "ERR_WRITE_DTYPE");
});

test("a buffer may be filled again as soon as push or write is done with it, whatever its size", async (t) => {
  const path = newPath();
  const out = createNpyWriteStream(path, { dtype: "uint32", rowShape: [] });
  const sizes = [1, 100, 30_000, 262_144, 262_145, 700_000, 3, 16_384];
  for (const [i, size] of sizes.entries()) {
    const buffer = new Uint32Array(size).fill(i);
    if (i % 2 === 0) await out.push(buffer);
    else await new Promise((resolve) => out.write(buffer, resolve));
    buffer.fill(0xdead);
  }
  await out.finish();
  const data = decodeNpy(readFileSync(path)).data as Uint32Array;
  let position = 0;
  for (const [i, size] of sizes.entries()) {
    t.true(
      data.slice(position, position + size).every((value) => value === i),
      `chunk ${i}`,
    );
    position += size;
  }
  t.is(position, data.length);
});

test("push and write may be mixed without waiting, and keep their order", async (t) => {
  const path = newPath();
  const out = createNpyWriteStream(path, { highWaterMark: 512 });
  const pushes: Promise<void>[] = [];
  for (let i = 0; i < 500; i++) {
    const chunk = Float64Array.from({ length: 1 + (i % 70) }, () => i);
    if (i % 3 === 0) out.write(chunk);
    else pushes.push(out.push(chunk));
  }
  await Promise.all(pushes);
  await out.finish();
  const values = decodeNpy(readFileSync(path)).data as Float64Array;
  t.true(values.every((value, i) => i === 0 || value >= (values[i - 1] ?? 0)));
  t.is(
    values.length,
    Array.from({ length: 500 }, (_, i) => 1 + (i % 70)).reduce((a, b) => a + b),
  );
});

test("a pipeline of rows ends in a committed file", async (t) => {
  const path = newPath();
  async function* rows(): AsyncGenerator<number[]> {
    for (let i = 0; i < 1000; i++) yield [i, -i];
  }
  const out = createNpyWriteStream(path, { rowShape: [2], dtype: "int16" });
  await pipeline(rows(), out);
  t.is(decodeNpy(readFileSync(path)).get(999, 1), -999);
  t.deepEqual([...(await out.finish()).shape], [1000, 2]);
});

test("a sequence is what successive np.save calls leave, and np.load reads one after another", async (t) => {
  const writable = new MemoryWritable();
  const out = createNpyWriteStream(streamSink(writable), { framing: "sequence" });
  await out.push(NdArray.from(Float32Array.of(1, 2, 3, 4), [2, 2]));
  await out.push(NdArray.from(Float32Array.of(5, 6), [1, 2]));
  await out.push(new Float32Array(600_000).fill(7));
  const { shape, byteLength } = await out.finish();
  t.deepEqual([...shape], [300_003, 2]);
  t.is(byteLength, writable.bytes().length);
  const program = `
import sys, io, numpy as np
f = io.BytesIO()
for a in [[[1, 2], [3, 4]], [[5, 6]], np.full((300000, 2), 7)]: np.save(f, np.array(a, 'f4'))
sys.stdout.write(f.getvalue()[:600].hex() + ' ' + str(len(f.getvalue())))`;
  const [start = "", length] = python(program).split(" ");
  t.is(Buffer.from(writable.bytes().subarray(0, 600)).toString("hex"), start);
  t.is(writable.bytes().length, Number(length));
});

test("an unseekable sink takes one array where the rows are declared, and a TypeError says so else", async (t) => {
  const writable = new MemoryWritable();
  t.throws(() => createNpyWriteStream(streamSink(writable)), { instanceOf: TypeError, message: /rows/ });
  const out = createNpyWriteStream(streamSink(new MemoryWritable()), { rows: 1 });
  await out.push([5]);
  t.deepEqual([...(await out.finish()).shape], [1]);
});

test.serial("progress comes at most ten times a second, and once more at the end", async (t) => {
  const seen: { rows: number; bytes: number }[] = [];
  const started = performance.now();
  const path = newPath();
  const out = createNpyWriteStream(path, { onProgress: (progress) => seen.push(progress) });
  const row = new Float64Array(8);
  while (seen.length < 3) await out.push(row);
  const { shape, byteLength } = await out.finish();
  t.true(seen.length >= 4 && seen.length <= 1 + (performance.now() - started) / 100);
  t.deepEqual(seen.at(-1), { rows: shape[0] ?? 0, bytes: byteLength });
  t.true(seen.every(({ rows }, i) => rows > (seen[i - 1]?.rows ?? -1) || i === seen.length - 1));
});

test("an error in onProgress commits nothing", async (t) => {
  const path = newPath();
  const failure = new Error("no bar");
  const out = createNpyWriteStream(path, {
    onProgress: () => {
      throw failure;
    },
  });
  await out.push([1]);
  await t.throwsAsync(out.finish(), { is: failure });
  t.false(existsSync(path));
});

test("an abort rejects what waits with the signal's reason, whatever that is", async (t) => {
  for (const reason of [new Error("enough"), "stop", 0, null]) {
    const own = mkdtempSync(join(folder, "abort-"));
    const controller = new AbortController();
    const out = createNpyWriteStream(join(own, "x.npy"), { signal: controller.signal });
    const early = createNpyWriteStream(join(own, "y.npy"), { signal: AbortSignal.abort(reason) });
    await out.push([1]);
    controller.abort(reason);
    t.is(await out.finish().catch((error: unknown) => error), reason);
    t.is(await out.push([1]).catch((error: unknown) => error), reason);
    t.is(await early.push([1]).catch((error: unknown) => error), reason);
    t.deepEqual(readdirSync(own), []);
  }
});

test("destroyed without a reason, what waits rejects with an AbortError", async (t) => {
  const out = createNpyWriteStream(newPath());
  const pushed = out.push([1]);
  out.destroy();
  await t.throwsAsync(pushed, { name: "AbortError" });
  await t.throwsAsync(out.finish(), { name: "AbortError" });
});

test("await using drops what was not finished and keeps what was", async (t) => {
  const dropped = newPath();
  const kept = newPath();
  {
    await using out = createNpyWriteStream(dropped);
    await out.push([1]);
    await using done = createNpyWriteStream(kept);
    await done.push([1]);
    await done.finish();
  }
  t.false(existsSync(dropped));
  t.true(existsSync(kept));
});

test("after the end push is a TypeError and the file stands", async (t) => {
  const path = newPath();
  const out = createNpyWriteStream(path);
  await out.push([1]);
  const finished = out.finish();
  await t.throwsAsync(out.push([2]), { instanceOf: TypeError });
  t.is(await out.finish(), await finished);
  t.true(existsSync(path));
});

test("who uses push and finish needs no error listener, who only writes has one or fails loudly", async (t) => {
  const program = `
import { createNpyWriteStream } from "@npystream/writer-stream";
const [path, way] = process.argv.slice(-2);
const out = createNpyWriteStream(path, { overwrite: true, rows: 5 });
if (way === "write") { out.write([1]); out.end(); }
else await out.push([1]).then(() => out.finish()).catch(({ code }) => console.log(code));
`;
  const run = (way: string): ReturnType<typeof spawnSync> =>
    spawnSync(
      process.execPath,
      ["--conditions=@npystream/source", "--import=tsx", "--input-type=module", "-e", program, newPath(), way],
      { encoding: "utf8", cwd: import.meta.dirname },
    );
  const pushed = run("push");
  t.is(pushed.stdout.toString().trim(), "ERR_WRITE_SHAPE");
  t.is(pushed.status, 0);
  const written = run("write");
  t.is(written.status, 1);
  t.regex(written.stderr.toString(), /ERR_WRITE_SHAPE/);
});

test.serial("a relative path is one from where the process was when the stream was made", async (t) => {
  const [here, before] = [newPath(), process.cwd()];
  // Threads of one process are in one folder, so the program has one of its own.
  const program = `
import { createNpyWriteStream } from "@npystream/writer-stream";
const out = createNpyWriteStream(process.argv.at(-1));
process.chdir("/");
await out.push([1]);
console.log((await out.finish()).path);
`;
  const run = ["--conditions=@npystream/source", "--import=tsx", "--input-type=module", "-e", program];
  const { stdout } = spawnSync(process.execPath, [...run, relative(before, here)], { encoding: "utf8", cwd: before });
  t.is(stdout.trim(), here);
});

test("options that are none, or not of their kind, are refused at once", (t) => {
  const create =
    (options: object, target: unknown = newPath()) =>
    (): unknown =>
      createNpyWriteStream(target as string, options);
  t.throws(create({ rowshape: [] }), { instanceOf: TypeError, message: /rowshape/ });
  t.throws(create({ framing: "stream" }), { instanceOf: TypeError });
  t.throws(create({ rows: -1 }), { instanceOf: RangeError });
  t.throws(create({ rowShape: [1.5] }), { instanceOf: RangeError });
  t.throws(create({ highWaterMark: Number.NaN }), { instanceOf: RangeError });
  t.throws(create({ dtype: "float33" }), { code: "ERR_NPY_DTYPE" });
  t.throws(create({}, 5), { instanceOf: TypeError });
  t.throws(create({}, new MemoryWritable()), { instanceOf: TypeError, message: /streamSink/ });
  t.notThrows(() => createNpyWriteStream(newPath(), { dtype: elementType("int8") }).destroy());
});

test("memory stays flat while a slow sink takes many rows from a fast source", async (t) => {
  const writable = new MemoryWritable(1);
  const out = createNpyWriteStream(streamSink(writable), { rows: 20_000, highWaterMark: 1 << 16 });
  let ahead = 0;
  let given = 0;
  const rows = Readable.from(
    (function* () {
      for (; given < 20_000; given++) {
        ahead = Math.max(ahead, given * 64 - writable.byteLength);
        yield NdArray.zeros("float64", [1, 8]);
      }
    })(),
    { objectMode: true, highWaterMark: 1 },
  );
  await pipeline(rows, out);
  t.true(ahead <= (1 << 16) + 10 * 64, `${ahead} bytes ahead`);
  t.true(writable.mostWaiting <= 1 << 15);
});
