import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { encodeNpz, NdArray } from "@npystream/codec";
import { createNpzWriter, type NpzWriterOptions, writeNpz } from "@npystream/writer-stream";
import test from "ava";
import { NumpyChecker } from "./numpy-checker.ts";
import { openFiles } from "./open-files.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-npz-writer-"));
const numpy = new NumpyChecker();
test.after.always(() => {
  numpy.close();
  rmSync(folder, { recursive: true });
});

/** 50,000 rows of 15 float32, 3 MB: three blocks of a deflated member. */
const ROWS = 50_000;
const FEATURES = "(np.arange(750000, dtype='i8') * 7919 % 1013).astype('f4').reshape(-1, 15)";
const features = NdArray.from(
  Float32Array.from({ length: ROWS * 15 }, (_, i) => (i * 7919) % 1013),
  [ROWS, 15],
);

function* chunks(rows: number): Generator<NdArray> {
  for (let start = 0; start < ROWS; start += rows) yield features.slice({ start, stop: start + rows });
}

/** A place of its own for files, to see what is left. */
function place(): { readonly path: string; left(): string[] } {
  const own = mkdtempSync(join(folder, "place-"));
  return { path: join(own, "set.npz"), left: () => readdirSync(own) };
}

const isRead = test.macro({
  title: (_, options: NpzWriterOptions) =>
    `NumPy, zipfile and unzip read an archive written by rows with ${JSON.stringify(options)}`,
  async exec(t, options: NpzWriterOptions) {
    const { path, left } = place();
    const archive = createNpzWriter(path, options);
    const rows = archive.member("features");
    for (const chunk of chunks(777)) await rows.push(chunk);
    t.deepEqual(await rows.finish(), {
      path,
      dtype: "float32",
      shape: [ROWS, 15],
      byteLength: 128 + features.byteLength,
    });
    const labels = archive.member("größe/π", { dtype: "int64" });
    await pipeline(Readable.from([BigInt64Array.of(1n, 2n), BigInt64Array.of(3n)]), labels);
    await archive.write("fortran", features.transpose());
    await archive.write("scalar", 1.5);
    await archive.member("none", { dtype: "uint8", rowShape: [3] }).finish();
    t.deepEqual(
      left().filter((name) => !name.endsWith(".partial")),
      [],
    );
    const result = await archive.finish();
    t.is(result.path, path);
    t.is(result.byteLength, readFileSync(path).length);
    t.deepEqual(result.names, ["features", "größe/π", "fortran", "scalar", "none"]);
    const expected = {
      features: FEATURES,
      "größe/π": "np.array([1, 2, 3])",
      fortran: `(${FEATURES}).T`,
      scalar: "1.5",
      none: "np.zeros((0, 3), 'u1')",
    };
    t.deepEqual(await numpy.check(path, expected, options.align === "page" ? 4096 : 64), []);
    t.deepEqual(left(), ["set.npz"]);
  },
});
test(isRead, {});
test(isRead, { align: "page" });
test(isRead, { compress: true });
test(isRead, { compress: true, level: 0 });
test(isRead, { compress: true, level: 1, concurrency: 1 });

const isSame = test.macro({
  title: (_, compress: boolean) =>
    `rows in any chunks and whole arrays give the same ${compress ? "deflated" : "stored"} bytes`,
  async exec(t, compress: boolean) {
    const whole = place();
    await writeNpz(whole.path, { features, labels: [1, 2] }, { compress });
    const expected = readFileSync(whole.path);
    for (const [rows, declared] of [
      [100, {}],
      [49_999, {}],
      [3000, { rows: ROWS }],
    ] as const) {
      const { path } = place();
      const archive = createNpzWriter(path, { compress });
      const member = archive.member("features", declared);
      for (const chunk of chunks(rows)) await member.push(chunk);
      await member.finish();
      await archive.write("labels", [1, 2]);
      await archive.finish();
      t.true(readFileSync(path).equals(expected));
    }
    if (!compress)
      t.deepEqual(new Uint8Array(expected), encodeNpz({ features, labels: NdArray.from(Float64Array.of(1, 2)) }));
  },
});
test(isSame, false);
test(isSame, true);

test("arrays written without waiting lie in the order they were asked for", async (t) => {
  const { path } = place();
  const archive = createNpzWriter(pathToFileURL(path), { compress: true });
  const small = Array.from({ length: 40 }, (_, i) =>
    archive.write(`a${i}`, new Int32Array(100 + 3000 * (i % 7)).fill(i)),
  );
  await Promise.all([archive.write("large", features), ...small, archive.write("last", features)]);
  await archive.finish();
  const expected = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`a${i}`, `np.full(${100 + 3000 * (i % 7)}, ${i}, 'i4')`]),
  );
  t.deepEqual(await numpy.check(path, { ...expected, large: FEATURES, last: FEATURES }), []);
});

test("a member says for itself whether it is deflated", async (t) => {
  const { path } = place();
  const archive = createNpzWriter(path, { compress: true });
  await archive.write("mapped", features, { compress: false });
  const packed = archive.member("packed");
  await packed.push(features);
  await packed.finish();
  await archive.finish();
  t.true(readFileSync(path).length < 2 * features.byteLength);
  t.deepEqual(await numpy.check(path, { mapped: FEATURES, packed: FEATURES }, 64), []);
});

test("an error upstream of one member is that of the archive and of all others, and nothing is left", async (t) => {
  const { path, left } = place();
  const archive = createNpzWriter(path);
  const cause = new Error("upstream");
  const other = archive.member("other");
  await other.push(features);
  async function* failing(): AsyncGenerator<NdArray> {
    yield features;
    throw cause;
  }
  await t.throwsAsync(pipeline(failing, archive.member("one")), { is: cause });
  await t.throwsAsync(archive.write("more", [1]), { is: cause });
  await t.throwsAsync(archive.finish(), { is: cause });
  t.deepEqual(left(), []);
  t.deepEqual(openFiles(join(path, "..")), []);
  await t.throwsAsync(other.finish(), { is: cause });
});

test("rows that do not fit name the member and the archive", async (t) => {
  const { path, left } = place();
  const archive = createNpzWriter(path);
  const member = archive.member("x", { dtype: "float32", rowShape: [2] });
  await member.push(Float32Array.of(1, 2));
  const error = await t.throwsAsync(member.push(Float32Array.of(1)), { code: "ERR_WRITE_SHAPE", message: /chunk 1/ });
  t.like(error, { member: "x", path });
  await t.throwsAsync(archive.finish(), { is: error });
  const second = createNpzWriter(path);
  const bad = await t.throwsAsync(second.write("y", ["x"] as never), { code: "ERR_WRITE_DTYPE" });
  t.like(bad, { member: "y", path });
  await t.throwsAsync(second.finish(), { is: bad });
  t.deepEqual(left(), []);
});

test("fewer rows than declared are refused", async (t) => {
  const { path, left } = place();
  await using archive = createNpzWriter(path, { compress: true });
  const member = archive.member("x", { rows: ROWS + 1 });
  await member.push(features);
  await t.throwsAsync(member.finish(), { code: "ERR_WRITE_SHAPE" });
  await t.throwsAsync(archive.finish(), { code: "ERR_WRITE_SHAPE" });
  t.deepEqual(left(), []);
});

test("a member that has not ended at finish is named, and nothing is left", async (t) => {
  const { path, left } = place();
  const archive = createNpzWriter(path);
  await archive.write("done", features);
  const open = archive.member("open");
  await open.push(features);
  const error = await t.throwsAsync(archive.finish(), { instanceOf: TypeError, message: /"open"/ });
  await t.throwsAsync(open.push(features), { is: error });
  t.deepEqual(left(), []);
});

test("finish waits for members that have ended and not arrived", async (t) => {
  const { path } = place();
  const archive = createNpzWriter(path, { compress: true });
  const member = archive.member("x");
  member.end(features);
  void archive.write("y", features);
  await archive.finish();
  t.deepEqual((await numpy.check(path, { x: FEATURES, y: FEATURES })).concat(), []);
});

const drops = test.macro({
  title: (_, how: string) => `nothing is left of an archive dropped by ${how}`,
  async exec(t, how: "signal" | "abort" | "destroy" | "destroy at once" | "dispose" | "aborted signal") {
    for (const compress of [false, true]) {
      const { path, left } = place();
      writeFileSync(path, "old");
      const controller = new AbortController();
      const reason = { why: how };
      if (how === "aborted signal") controller.abort(reason);
      const archive = createNpzWriter(path, { compress, overwrite: true, signal: controller.signal });
      const [member, other] = [archive.member("x"), archive.member("y")];
      if (!how.startsWith("destroy at") && how !== "aborted signal") {
        for (const chunk of chunks(10_000)) await Promise.all([member.push(chunk), other.push(chunk)]);
      }
      if (how === "signal") controller.abort(reason);
      else if (how === "abort") await archive.abort(reason);
      else if (how === "dispose") await archive[Symbol.asyncDispose]();
      else if (how !== "aborted signal") member.destroy();
      const error: unknown = await archive.finish().catch((thrown: unknown) => thrown);
      if (how.startsWith("d")) t.like(error, { name: "AbortError" });
      else t.is(error, reason);
      t.is(await other.finish().catch((thrown: unknown) => thrown), error);
      t.deepEqual(left(), ["set.npz"]);
      t.is(readFileSync(path, "utf8"), "old");
      t.deepEqual(openFiles(join(path, "..")), []);
    }
  },
});
for (const how of ["signal", "abort", "destroy", "destroy at once", "dispose", "aborted signal"] as const)
  test(drops, how);

test("a member's own signal drops the archive, also before it was opened", async (t) => {
  const { path, left } = place();
  const reason = new Error("enough");
  const archive = createNpzWriter(path);
  archive.member("x", { signal: AbortSignal.abort(reason) });
  await t.throwsAsync(archive.finish(), { is: reason });
  t.deepEqual(left(), []);
});

test("a name is taken once", async (t) => {
  const { path } = place();
  const archive = createNpzWriter(path);
  const first = archive.write("x", [1]);
  t.like(
    t.throws(() => archive.member("x"), { code: "ERR_NPZ_DUPLICATE" }),
    { member: "x", path },
  );
  await t.throwsAsync(archive.write("x", [2]), { code: "ERR_NPZ_DUPLICATE" });
  await first;
  await archive.finish();
  t.deepEqual(await numpy.check(path, { x: "[1.0]" }), []);
});

test("what is not known is refused, and leaves the name free", async (t) => {
  const { path, left } = place();
  t.throws(() => createNpzWriter(path, { compression: 9 } as object), { instanceOf: TypeError });
  t.throws(() => createNpzWriter(path, { level: 10 }), { instanceOf: RangeError });
  t.throws(() => createNpzWriter(path, { align: 32 as never }), { instanceOf: RangeError });
  t.throws(() => createNpzWriter(path, { concurrency: 0 }), { instanceOf: RangeError });
  t.throws(() => createNpzWriter(path, { mode: "a" as never }), { instanceOf: TypeError });
  t.throws(() => createNpzWriter(path, { mode: "append", overwrite: true }), { instanceOf: TypeError });
  t.throws(() => createNpzWriter(7 as never), { instanceOf: TypeError });
  await using archive = createNpzWriter(path);
  t.throws(() => archive.member("x", { framing: "sequence" } as object), { instanceOf: TypeError });
  t.throws(() => archive.member("x", { dtype: "float33" as never }), { code: "ERR_NPY_DTYPE" });
  await t.throwsAsync(archive.write("x", [1], { rows: 1 } as object), { instanceOf: TypeError });
  for (const name of ["", "a\0b", "a\ud800", "a".repeat(65_532)])
    t.throws(() => archive.member(name), { instanceOf: TypeError });
  await archive.write("x", [1]);
  await archive.finish();
  t.throws(() => archive.member("late"), { instanceOf: TypeError });
  t.deepEqual(left(), ["set.npz"]);
});

test("an existing archive is refused before rows are written, unless it is to be overwritten", async (t) => {
  const { path, left } = place();
  writeFileSync(path, "old");
  const archive = createNpzWriter(path);
  const member = archive.member("x");
  const error = await t.throwsAsync(
    async () => {
      for (const chunk of chunks(500)) await member.push(chunk);
    },
    { code: "ERR_WRITE_EXISTS" },
  );
  await t.throwsAsync(archive.finish(), { is: error });
  t.is(readFileSync(path, "utf8"), "old");
  t.deepEqual(left(), ["set.npz"]);
});

test("rows that nobody listens to the errors of do not end the process", async (t) => {
  const archive = createNpzWriter(join(folder, "missing", "set.npz"));
  archive.member("x").write(features);
  await t.throwsAsync(archive.finish(), { code: "ERR_WRITE_IO" });
  t.false(existsSync(join(folder, "missing")));
});
