import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeNpz, encodeNpz, NdArray } from "@npystream/codec";
import { streamSink, writeNpz } from "@npystream/writer-stream";
import test from "ava";
import { MemoryWritable } from "./memory-writable.ts";
import { python } from "./numpy-references.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-write-npz-"));
test.after.always(() => rmSync(folder, { recursive: true }));

const features = NdArray.from(
  Float32Array.from({ length: 60_000 }, (_, i) => i % 100),
  [1000, 60],
);
const members = {
  features,
  labels: BigInt64Array.from({ length: 1000 }, (_, i) => BigInt(i)),
  "größe/π": features.transpose(),
  nested: [
    [true, false],
    [false, true],
  ],
  scalar: 1.5,
};

const npzReads = test.macro({
  title: (_, compress: boolean) => `NumPy and zipfile read an .npz written ${compress ? "deflated" : "stored"}`,
  async exec(t, compress: boolean) {
    const path = join(folder, `set-${compress}.npz`);
    const result = await writeNpz(path, members, { compress });
    const program = `
import sys, zipfile, numpy as np
with zipfile.ZipFile(sys.argv[1]) as z: assert z.testzip() is None
z = np.load(sys.argv[1])
a = (np.arange(60000) % 100).astype('f4').reshape(1000, 60)
assert z.files == ['features', 'labels', 'größe/π', 'nested', 'scalar'], z.files
assert (z['features'] == a).all() and z['features'].dtype == 'f4'
assert (z['labels'] == np.arange(1000)).all() and z['labels'].dtype == 'i8'
assert (z['größe/π'] == a.T).all() and z['größe/π'].flags.f_contiguous
assert z['nested'].tolist() == [[True, False], [False, True]] and z['scalar'].shape == () and z['scalar'] == 1.5
print('ok')`;
    t.is(python(program, path).trim(), "ok");
    t.deepEqual(result.names, Object.keys(members));
    t.is(result.path, path);
    t.is(result.byteLength, readFileSync(path).length);
  },
});
test(npzReads, false);
test(npzReads, true);

test("a stored archive has the bytes that codec gives it", async (t) => {
  const path = join(folder, "same.npz");
  await writeNpz(path, { features });
  t.deepEqual(new Uint8Array(readFileSync(path)), encodeNpz({ features }));
});

test("a higher level packs more, level 0 nothing, and the same arrays give the same bytes", async (t) => {
  const size = async (level: number): Promise<number> =>
    (await writeNpz(join(folder, "level.npz"), { features }, { compress: true, level, overwrite: true })).byteLength;
  const sizes = [await size(0), await size(1), await size(9)];
  t.deepEqual(
    sizes,
    sizes.toSorted((a, b) => b - a),
  );
  t.true((sizes[0] ?? 0) > features.byteLength);
  const first = readFileSync(join(folder, "level.npz"));
  await size(9);
  t.deepEqual(readFileSync(join(folder, "level.npz")), first);
});

test("an archive without members is one that NumPy opens", async (t) => {
  const path = join(folder, "empty.npz");
  await writeNpz(path, {});
  t.is(python("import sys, numpy as np\nprint(np.load(sys.argv[1]).files)", path).trim(), "[]");
});

test("an archive goes to a sink that cannot seek", async (t) => {
  const writable = new MemoryWritable();
  const result = await writeNpz(streamSink(writable), { features });
  t.deepEqual(decodeNpz(writable.bytes())["features"]?.shape, [1000, 60]);
  t.false("path" in result);
});

test("a member that is no array is named, and no file is made", async (t) => {
  const path = join(folder, "refused.npz");
  await t.throwsAsync(writeNpz(path, { good: [1], bad: [[1], [2, 3]] }), { code: "ERR_WRITE_SHAPE", message: /\[1\]/ });
  const error = await t.throwsAsync(writeNpz(path, { good: [1], bad: ["x"] as never }), { code: "ERR_WRITE_DTYPE" });
  t.like(error, { member: "bad" });
  t.false(existsSync(path));
});

test("arrays without a name are a TypeError and not a member an element", async (t) => {
  for (const members of [[[1], [2]], new Float64Array(3), NdArray.zeros("int8", [2])]) {
    const writing = writeNpz(join(folder, "nameless.npz"), members as never);
    await t.throwsAsync(writing, { instanceOf: TypeError, message: /by name/ });
  }
  t.false(existsSync(join(folder, "nameless.npz")));
});

test("an existing archive stays unless it is to be overwritten", async (t) => {
  const path = join(folder, "existing.npz");
  writeFileSync(path, "old");
  await t.throwsAsync(writeNpz(path, { features }), { code: "ERR_WRITE_EXISTS" });
  t.is(readFileSync(path, "utf8"), "old");
  await writeNpz(path, { features }, { overwrite: true });
  t.deepEqual(Object.keys(decodeNpz(readFileSync(path))), ["features"]);
});

test("an abort while members are deflated rejects with the signal's reason and leaves nothing", async (t) => {
  const own = mkdtempSync(join(folder, "abort-"));
  for (const compress of [false, true]) {
    const controller = new AbortController();
    const reason = { why: "enough" };
    const writing = writeNpz(join(own, "x.npz"), members, { compress, signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    t.is(await writing.catch((error: unknown) => error), reason);
    t.deepEqual(readdirSync(own), []);
  }
});

test("a level or an option there is not is refused", async (t) => {
  const path = join(folder, "options.npz");
  await t.throwsAsync(writeNpz(path, { features }, { level: 10 }), { instanceOf: RangeError });
  await t.throwsAsync(writeNpz(path, { features }, { compression: true } as object), { instanceOf: TypeError });
  t.false(existsSync(path));
});
