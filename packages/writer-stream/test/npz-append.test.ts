import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { encodeNpy, NdArray, readZipDirectory, ZipLayout } from "@npystream/codec";
import { createNpzWriter } from "@npystream/writer-stream";
import test from "ava";
import { NumpyChecker } from "./numpy-checker.ts";
import { python } from "./numpy-references.ts";
import { openFiles } from "./open-files.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-npz-append-"));
const numpy = new NumpyChecker();
test.after.always(() => {
  numpy.close();
  rmSync(folder, { recursive: true });
});

/** An archive of NumPy's with a deflated member, one that is no array, and a comment. */
const original = join(folder, "original.npz");
python(
  `
import sys, zipfile, numpy as np
np.savez_compressed(sys.argv[1], a=np.arange(1000), **{'größe': np.eye(3)})
with zipfile.ZipFile(sys.argv[1], 'a') as z:
    z.comment = b'made by NumPy'
    z.writestr('notes.txt', 'hello')
`,
  original,
);
const NEW = "np.arange(200000, dtype='f4')";
const data = Float32Array.from({ length: 200_000 }, (_, i) => i);

function copy(): { readonly own: string; readonly path: string } {
  const own = mkdtempSync(join(folder, "place-"));
  const path = join(own, "set.npz");
  copyFileSync(original, path);
  return { own, path };
}

const adds = test.macro({
  title: (_, compress: boolean) =>
    `members are added ${compress ? "deflated" : "stored"} behind those of NumPy, which keep their bytes`,
  async exec(t, compress: boolean) {
    const { own, path } = copy();
    const archive = createNpzWriter(path, { mode: "append", compress });
    const rows = archive.member("b");
    for (let i = 0; i < 20; i++) await rows.push(data.subarray(i * 10_000, (i + 1) * 10_000));
    await rows.finish();
    await archive.write("c", [1]);
    t.deepEqual(readFileSync(path), readFileSync(original), "readers still see the old one");
    const { names, byteLength } = await archive.finish();
    t.deepEqual(names, ["b", "c"]);
    t.is(byteLength, statSync(path).size);
    const program = `
import sys, zipfile, numpy as np
old, new = (zipfile.ZipFile(path) for path in sys.argv[1:])
assert new.comment == b'made by NumPy' and new.testzip() is None
assert new.namelist() == old.namelist() + ['b.npy', 'c.npy'], new.namelist()
for info in old.infolist():
    other = new.getinfo(info.filename)
    assert all(getattr(info, name) == getattr(other, name) for name in info.__slots__ if name[0] != '_' and name != 'orig_filename'), info
end = old.start_dir
assert open(sys.argv[1], 'rb').read()[:end] == open(sys.argv[2], 'rb').read()[:end]
assert (np.load(sys.argv[2])['b'] == ${NEW}).all()
print('ok')`;
    t.is(python(program, original, path).trim(), "ok");
    t.is(execFileSync("unzip", ["-tq", path], { encoding: "utf8" }).includes("No errors"), true);
    t.deepEqual([readdirSync(own), openFiles(own)], [["set.npz"], []]);
  },
});
test(adds, false);
test(adds, true);

test("an archive that is not there is made, and added to again and again", async (t) => {
  const path = join(mkdtempSync(join(folder, "new-")), "set.npz");
  for (let i = 0; i < 4; i++) {
    const archive = createNpzWriter(path, { mode: "append", compress: i % 2 === 1, align: "page" });
    await archive.write(`a${i}`, data);
    await archive.finish();
  }
  t.deepEqual(await numpy.check(path, { a0: NEW, a1: NEW, a2: NEW, a3: NEW }, 4096), []);
});

test("nothing added leaves an archive of the same members", async (t) => {
  const path = join(mkdtempSync(join(folder, "nothing-")), "set.npz");
  const first = createNpzWriter(path);
  await first.write("a", data);
  await first.finish();
  const before = readFileSync(path);
  await createNpzWriter(path, { mode: "append" }).finish();
  t.deepEqual(readFileSync(path), before);
});

test("a name that the archive has is ERR_NPZ_DUPLICATE, and the archive stays", async (t) => {
  const { own, path } = copy();
  for (const name of ["a", "größe", "notes.txt"]) {
    const archive = createNpzWriter(path, { mode: "append" });
    const member = archive.member(name);
    const error = await t.throwsAsync(
      async () => {
        await member.push(data);
        await member.finish();
      },
      { code: "ERR_NPZ_DUPLICATE" },
    );
    t.like(error, { member: name, path });
    await t.throwsAsync(archive.finish(), { is: error });
    const second = createNpzWriter(path, { mode: "append" });
    await t.throwsAsync(second.write(name, [1]), { code: "ERR_NPZ_DUPLICATE" });
    await t.throwsAsync(second.finish(), { code: "ERR_NPZ_DUPLICATE" });
  }
  t.deepEqual(readFileSync(path), readFileSync(original));
  t.deepEqual(readdirSync(own), ["set.npz"]);
});

test("a file that is no whole archive is left alone", async (t) => {
  const { own, path } = copy();
  truncateSync(path, statSync(path).size - 1);
  const archive = createNpzWriter(path, { mode: "append" });
  const error = await t.throwsAsync(archive.write("b", data), { code: "ERR_NPZ_DIRECTORY" });
  t.like(error, { path });
  await t.throwsAsync(archive.finish(), { is: error });
  t.is(statSync(path).size, statSync(original).size - 1);
  t.deepEqual([readdirSync(own), openFiles(own)], [["set.npz"], []]);
});

test("one appends at a time", async (t) => {
  const { path } = copy();
  const first = createNpzWriter(path, { mode: "append" });
  await first.write("b", [1]);
  const second = createNpzWriter(path, { mode: "append" });
  await t.throwsAsync(second.write("c", [1]), { code: "ERR_WRITE_LOCKED" });
  await t.throwsAsync(second.finish(), { code: "ERR_WRITE_LOCKED" });
  await first.finish();
  const third = createNpzWriter(path, { mode: "append" });
  await third.write("c", [2]);
  await third.finish();
  t.deepEqual(
    python("import sys, numpy as np\nz = np.load(sys.argv[1])\nprint(z['b'], z['c'])", path).trim(),
    "[1.] [2.]",
  );
});

test("what another program has put in its place meanwhile is not lost", async (t) => {
  for (const change of [
    (path: string) => writeFileSync(path, "other"),
    (path: string) => utimesSync(path, 1, 1),
    (path: string) => rmSync(path),
  ]) {
    const { own, path } = copy();
    const archive = createNpzWriter(path, { mode: "append" });
    await archive.write("b", data);
    change(path);
    const before = readdirSync(own).includes("set.npz") ? readFileSync(path) : undefined;
    const error = await t.throwsAsync(archive.finish(), { code: "ERR_WRITE_IO", message: /another program/ });
    t.like(error, { path });
    t.deepEqual(readdirSync(own), before === undefined ? [] : ["set.npz"]);
    if (before !== undefined) t.deepEqual(readFileSync(path), before);
  }
});

test("permissions are kept, and a link stays one", async (t) => {
  const { own, path } = copy();
  chmodSync(path, 0o440);
  const link = join(own, "link.npz");
  symlinkSync("set.npz", link);
  const archive = createNpzWriter(link, { mode: "append" });
  await archive.write("b", data);
  t.is((await archive.finish()).path, link);
  t.is(statSync(path).mode & 0o7777, 0o440);
  t.deepEqual(readdirSync(own), ["link.npz", "set.npz"]);
  t.is(statSync(link).ino, statSync(path).ino);
});

test("block tables too long for the directory are kept, and the old member of them goes", async (t) => {
  const path = join(mkdtempSync(join(folder, "tables-")), "set.npz");
  const layout = new ZipLayout();
  const content = encodeNpy(NdArray.from(Float32Array.of(1, 2)));
  const table = new Uint8Array(70_000).fill(9);
  const place = layout.place("long.npy", 0, 128);
  const sizes = { crc32: crc32(content), compressedSize: content.length, byteLength: content.length };
  const header = layout.add(place, { ...sizes, table });
  writeFileSync(path, Buffer.concat([header, content, ...layout.end({ crc32: (bytes, seed) => crc32(bytes, seed) })]));
  for (const name of ["b", "c"]) {
    const archive = createNpzWriter(path, { mode: "append" });
    await archive.write(name, data);
    await archive.finish();
  }
  const bytes = readFileSync(path);
  const steps = readZipDirectory(bytes.length);
  let step = steps.next();
  while (!step.done) step = steps.next(bytes.subarray(step.value.position, step.value.position + step.value.length));
  t.deepEqual(
    step.value.map(({ name }) => name),
    ["long.npy", "b.npy", "c.npy", ".npystream/blocks"],
  );
  t.true(Buffer.from(table).equals(step.value[0]?.blockTable ?? table.subarray(1)));
});

test("a deflated member of block tables is nobody's, and in nobody's way", async (t) => {
  const { path } = copy();
  const program = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'a', zipfile.ZIP_DEFLATED) as z: z.writestr('.npystream/blocks', b'x' * 100_000)`;
  python(program, path);
  const archive = createNpzWriter(path, { mode: "append" });
  await archive.write("b", [1]);
  await archive.finish();
  const names = python("import sys, numpy as np\nprint(np.load(sys.argv[1]).files)", path).trim();
  t.is(names, "['a', 'größe', 'notes.txt', 'b']");
});

test("a pipe is no archive, and is not waited for", async (t) => {
  const own = mkdtempSync(join(folder, "pipe-"));
  execFileSync("mkfifo", [join(own, "set.npz")]);
  const archive = createNpzWriter(join(own, "set.npz"), { mode: "append" });
  await t.throwsAsync(archive.write("b", [1]), { code: "ERR_WRITE_IO", message: /not a regular file/ });
  t.deepEqual(readdirSync(own), ["set.npz"]);
});

test("an appended archive that is dropped stays as it was", async (t) => {
  const { own, path } = copy();
  await using archive = createNpzWriter(path, { mode: "append" });
  const member = archive.member("b");
  for (let i = 0; i < 4; i++) await member.push(data);
  await archive.abort();
  t.deepEqual(readFileSync(path), readFileSync(original));
  t.deepEqual([readdirSync(own), openFiles(own)], [["set.npz"], []]);
});
