import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { openNpy, openNpz, readNpySync, type SourceLike } from "../src/index.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("handle");

numpy(
  `
a = np.arange(257)
for dtype in ['f4', 'i8', 'u2']:
    np.save(f'{sys.argv[1]}/{dtype}-257.c.npy', a.astype(dtype))
np.save(f'{sys.argv[1]}/f4-9x1.c.npy', np.zeros((9, 1), 'f4'))
np.save(f'{sys.argv[1]}/f4-101x3.c.npy', np.zeros((101, 3), 'f4'))
np.save(f'{sys.argv[1]}/f4-101x3.f.npy', np.asfortranarray(np.zeros((101, 3), 'f4')))
np.savez(f'{sys.argv[1]}/i8-257.stored.npz', other=np.arange(3), a=a)
np.savez_compressed(f'{sys.argv[1]}/i8-257.deflated.npz', other=np.arange(3), a=a, f=np.zeros((4, 5), order='F'))
`,
  folder,
);

test.serial("a whole Fortran array keeps its order, as np.load gives it", async (t) => {
  await using handle = await openNpy(join(folder, "f4-101x3.f.npy"));
  t.is((await handle.read()).order, "F");
  t.like(handle, { order: "F", dtype: "float32", descr: "<f4", version: "1.0", dataOffset: 128, rank: 2 });
  t.deepEqual(handle.rowShape, [3]);
  t.is(handle.byteLength, 101 * 3 * 4);
});

const opens = test.macro({
  title: (_, what: string) => `an array opens from ${what}`,
  async exec(t, _what: string, make: (path: string) => Promise<SourceLike>) {
    await using handle = await openNpy(await make(join(folder, "u2-257.c.npy")));
    t.is(handle.length, 257);
    t.is((await handle.rows(256, 257)).size, 1);
  },
});
test.serial(opens, "a file: URL", async (path) => pathToFileURL(path));
test.serial(opens, "any object with read, byteLength and close", async (path) => {
  const bytes = await readFile(path);
  return {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => void bytes.copy(into, 0, position),
    close: async () => undefined,
  };
});

test.serial("a FileHandle stays the caller's", async (t) => {
  const file = await open(join(folder, "u2-257.c.npy"));
  const handle = await openNpy(file);
  await handle.close();
  t.true((await file.stat()).isFile());
  await file.close();
});

test.serial("a 0-d array and arrays without elements are read and streamed", async (t) => {
  numpy(
    "np.save(sys.argv[1]+'/scalar.npy', np.float64(2.5)); np.save(sys.argv[1]+'/empty.npy', np.zeros((0, 3), 'f4')); np.save(sys.argv[1]+'/thin.npy', np.zeros((4, 0), 'f4'))",
    folder,
  );
  for (const [name, values, chunks] of [
    ["scalar", 2.5, 1],
    ["empty", [], 0],
    ["thin", [[], [], [], []], 1],
  ] as const) {
    await using handle = await openNpy(join(folder, `${name}.npy`));
    t.deepEqual(plain(await handle.read()), values);
    t.is((await handle.stream().toArray()).length, chunks);
  }
});

test.serial("rows outside the array are ERR_ROWS_RANGE with the path", async (t) => {
  const path = join(folder, "u2-257.c.npy");
  await using handle = await openNpy(path);
  for (const [start, stop] of [
    [0, 258],
    [-258, 1],
    [5, 4],
  ] as const) {
    await t.throwsAsync(handle.rows(start, stop), { code: "ERR_ROWS_RANGE", message: /257 rows/ });
  }
  t.like(await t.throwsAsync(handle.gather([0, 257])), { code: "ERR_ROWS_RANGE", path });
  await t.throwsAsync(handle.gather([0.5]), { code: "ERR_ROWS_RANGE" });
  await t.throwsAsync(handle.rows(0.5, 1), { instanceOf: RangeError });
  t.throws(() => handle.stream({ stop: 300 }), { code: "ERR_ROWS_RANGE" });
});

test.serial(
  "shards that differ are ERR_SHARD_MISMATCH naming shard and property, and nothing stays open",
  async (t) => {
    const of = (...names: string[]): string[] => names.map((name) => join(folder, `${name}.c.npy`));
    const error = await t.throwsAsync(openNpy(of("f4-257", "i8-257")), {
      code: "ERR_SHARD_MISMATCH",
      message: /shard 1 has dtype "<i8"/,
    });
    t.like(error, { path: join(folder, "i8-257.c.npy") });
    await t.throwsAsync(openNpy(of("f4-101x3", "f4-9x1")), { code: "ERR_SHARD_MISMATCH", message: /row shape/ });
    await t.throwsAsync(openNpy([]), { instanceOf: TypeError });
    t.is(openDescriptors(folder), 0);
  },
);

test.serial(
  "a file cut off is ERR_NPY_TRUNCATED when it is opened, before anything of its size is allocated",
  async (t) => {
    const path = join(folder, "cut.npy");
    await writeFile(path, (await readFile(join(folder, "f4-257.c.npy"))).subarray(0, -1));
    t.like(await t.throwsAsync(openNpy(path)), { code: "ERR_NPY_TRUNCATED", path });
    await writeFile(path, "hello");
    t.like(await t.throwsAsync(openNpy(path)), { code: "ERR_NPY_MAGIC", path });
    await t.throwsAsync(openNpy(join(folder, "absent.npy")), { code: "ENOENT" });
    await t.throwsAsync(openNpy(folder), { instanceOf: TypeError, message: /not a regular file/ });
    await t.throwsAsync(openNpy(7 as never), { instanceOf: TypeError });
    t.is(openDescriptors(folder), 0);
  },
);

test.serial("a file that shrinks while it is open is ERR_SOURCE_TRUNCATED, never zeros", async (t) => {
  const path = join(folder, "shrinking.npy");
  await writeFile(path, await readFile(join(folder, "f4-257.c.npy")));
  await using handle = await openNpy(path);
  const file = await open(path, "r+");
  await file.truncate(500);
  await file.close();
  t.like(await t.throwsAsync(handle.read()), { code: "ERR_SOURCE_TRUNCATED", path });
  await t.throwsAsync(handle.rows(200, 201), { code: "ERR_SOURCE_TRUNCATED" });
});

test.serial("a closed array says so", async (t) => {
  const handle = await openNpy(join(folder, "f4-257.c.npy"));
  await handle.close();
  await handle.close();
  await t.throwsAsync(handle.read(), { instanceOf: TypeError, message: /closed/ });
});

test.serial("an aborted read rejects with the reason untouched", async (t) => {
  const reason = { why: "enough" };
  await using handle = await openNpy(join(folder, "f4-257.c.npy"));
  const error = await handle.read({ signal: AbortSignal.abort(reason) }).catch((caught: unknown) => caught);
  t.is(error, reason);
});

test.serial("the fingerprint depends on dtype, shape and state of the file and not on its path", async (t) => {
  await using first = await openNpy(await readFile(join(folder, "f4-257.c.npy")));
  await using again = await openNpy(await readFile(join(folder, "f4-257.c.npy")));
  await using other = await openNpy(await readFile(join(folder, "i8-257.c.npy")));
  t.is(first.fingerprint, again.fingerprint);
  t.not(first.fingerprint, other.fingerprint);
});

test.serial("a gather reads neighbours together and never more than four times what was asked for", async (t) => {
  const bytes = await readFile(join(folder, "i8-257.c.npy"));
  const reads: number[] = [];
  const source = {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => {
      reads.push(into.length);
      bytes.copy(into, 0, position);
    },
    close: async () => undefined,
  };
  await using handle = await openNpy(source);
  reads.length = 0;
  await handle.gather([3, 2, 1, 0, 5, 5, 7]);
  t.deepEqual(reads, [64]);
  reads.length = 0;
  await handle.gather([0, 256]);
  t.deepEqual(reads, [8, 8]);
});

test.serial("an archive lists its members and opens arrays by name", async (t) => {
  const path = join(folder, "i8-257.deflated.npz");
  await using archive = await openNpz(path);
  t.deepEqual(archive.names, ["other", "a", "f"]);
  t.like(archive.members[1], { name: "a.npy", method: "deflated" });
  await using array = await archive.open("a.npy");
  t.like(array, { member: "a", path, dtype: "int64" });
  t.is(array.dataPosition, undefined);
  t.like(await t.throwsAsync(archive.open("b")), { code: "ERR_NPZ_MEMBER", path, member: "b" });
  await using stored = await openNpy(`${join(folder, "i8-257.stored.npz")}#a`);
  t.is(typeof stored.dataPosition, "number");
});

test.serial("a FIFO is refused and not waited for", async (t) => {
  const path = join(folder, "fifo.npy");
  numpy("import os; os.mkfifo(sys.argv[1])", path);
  await t.throwsAsync(openNpy(path), { instanceOf: TypeError, message: /not a regular file/ });
  t.throws(() => readNpySync(path), { instanceOf: TypeError });
});

test.serial("a gather from a Fortran file reads its columns once", async (t) => {
  const bytes = numpyFile("np.asfortranarray(np.arange(400_000.).reshape(2000, 200))");
  let read = 0;
  const source = {
    byteLength: bytes.length,
    read: async (into: Uint8Array, position: number) => {
      read += into.length;
      into.set(bytes.subarray(position, position + into.length));
    },
    close: async () => undefined,
  };
  await using handle = await openNpy(source);
  read = 0;
  const rows = Array.from({ length: 100 }, (_, i) => (i * 1237) % 2000);
  const gathered = await handle.gather(rows);
  t.deepEqual(
    rows.map((row) => row * 200),
    Array.from(gathered, (row) => row.get(0)),
  );
  t.true(read < 2 * bytes.length, `${read} bytes`);
});

test.serial("a path names a member anywhere, and a file of just that name goes first", async (t) => {
  await using shards = await openNpy([`${join(folder, "i8-257.stored.npz")}#a`, join(folder, "i8-257.c.npy")]);
  t.is(shards.length, 514);
  const odd = join(folder, "odd.npz#a");
  await writeFile(odd, await readFile(join(folder, "f4-257.c.npy")));
  await using file = await openNpy(odd);
  t.is(file.dtype, "float32");
  t.is(file.member, undefined);
  await t.throwsAsync(openNpy(odd, { limit: {} } as never), { instanceOf: TypeError, message: /no option limit/ });
  await t.throwsAsync(openNpy(join(folder, "i8-257.stored.npz")), { code: "ERR_NPY_MAGIC", message: /ZIP archive/ });
});

function numpyFile(array: string): Uint8Array {
  const hex = numpy<string>(`import io\nf = io.BytesIO(); np.save(f, ${array}); print(json.dumps(f.getvalue().hex()))`);
  return new Uint8Array(Buffer.from(hex, "hex"));
}
