import { execFileSync } from "node:child_process";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { bytesSource, openNpy, openNpz, splitArrayPath } from "../src/index.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";
import { RangeServer } from "./range-server.ts";

const folder = testFolder("open-array");
numpy(
  `
np.savez(sys.argv[1] + '/set.npz', a=np.arange(3), **{'b c': np.arange(4)})
for i in range(300):
    np.save(f'{sys.argv[1]}/shard-{i:03}.npy', np.full((2, 3), i, 'i4'))
`,
  folder,
);
const shards = Array.from({ length: 300 }, (_, i) => join(folder, `shard-${String(i).padStart(3, "0")}.npy`));

test("a path splits at the first # behind .npz and nowhere else", (t) => {
  t.deepEqual(splitArrayPath("a.npz#b#c"), { path: "a.npz", member: "b#c" });
  t.deepEqual(splitArrayPath("#1/a.npy#b"), { path: "#1/a.npy#b", member: undefined });
});

test.serial("a member is named by a path, a file: URL or the text of one, and by an address", async (t) => {
  const url = pathToFileURL(join(folder, "set.npz"));
  url.hash = "b c";
  const server = await RangeServer.start(t, { "/set.npz": { bytes: await openBytes("set.npz") } });
  const remote = new URL(server.url("/set.npz#b%20c"));
  for (const from of [`${join(folder, "set.npz")}#b c`, url, url.href, remote, server.url("/set.npz#b c")]) {
    await using handle = await openNpy(from);
    t.like(handle, { member: "b c", length: 4 });
  }
  await using whole = await openNpz(pathToFileURL(join(folder, "set.npz")).href);
  t.deepEqual(whole.names, ["a", "b c"]);
});

async function openBytes(name: string): Promise<Uint8Array> {
  const file = await open(join(folder, name));
  const bytes = new Uint8Array(await file.readFile());
  await file.close();
  return bytes;
}

test.serial("300 shards are one array, of which 128 files are open at once", async (t) => {
  const handle = await openNpy(shards);
  t.deepEqual(handle.shape, [600, 3]);
  let row = 0;
  for await (const chunk of handle.stream({ chunkBytes: 1000 })) {
    for (const each of chunk) t.is(each.get(2), Math.floor(row++ / 2));
    t.true(openDescriptors(folder) <= 128 + 8, `${openDescriptors(folder)}`);
  }
  t.is(row, 600);
  const gathered = await handle.gather([599, 0, 301, 5]);
  t.deepEqual(
    Array.from(gathered, (each) => each.get(0)),
    [299, 0, 150, 2],
  );
  await using few = await openNpy(shards.slice(0, 3));
  t.is(few.length, 6);
  await handle.close();
  t.is(openDescriptors(folder), 3);
});

test.serial("5,000 shards are read by a process that may have 256 files", async (t) => {
  const many = join(folder, "many");
  const program = `
    import { mkdirSync, writeFileSync } from "node:fs";
    import { encodeNpy, NdArray } from "@npystream/codec";
    import { openNpy } from "@npystream/reader-stream";
    mkdirSync(process.argv[1]);
    const paths = Array.from({ length: 5000 }, (_, i) => process.argv[1] + "/" + i + ".npy");
    for (const [i, path] of paths.entries()) writeFileSync(path, encodeNpy(NdArray.from(Int32Array.of(i))));
    const [x, y] = await Promise.all([openNpy(paths), openNpy(paths)]);
    const rows = await x.gather([4999, 7, 2500]);
    let sum = 0;
    for await (const chunk of y.stream()) for (const value of chunk.data) sum += value;
    await Promise.all([x.close(), y.close()]);
    console.log(JSON.stringify([[...rows.data], sum]));`;
  const output = execFileSync(
    "sh",
    [
      "-c",
      'ulimit -n 256; exec "$0" --conditions=@npystream/source --import=tsx --input-type=module -e "$1" "$2"',
      process.execPath,
      program,
      many,
    ],
    { encoding: "utf8", cwd: import.meta.dirname },
  );
  t.deepEqual(JSON.parse(output), [[4999, 7, 2500], (4999 * 5000) / 2]);
});

test.serial("an error of a shard names it, when it is opened and when it is read", async (t) => {
  const bad = join(folder, "bad.npy");
  writeFileSync(bad, "hello");
  t.like(await t.throwsAsync(openNpy([...shards, bad])), { code: "ERR_NPY_MAGIC", path: bad });
  t.like(await t.throwsAsync(openNpy([...shards, join(folder, "none.npy")])), { code: "ENOENT" });
  const [first = "", second = "", third = ""] = ["c", "d", "e"].map((name) => join(folder, `${name}.npz`));
  numpy("[np.savez(path, x=np.arange(4000)) for path in sys.argv[1:]]", first, second, third);
  const bytes = await openBytes("d.npz");
  bytes[20_000] = (bytes[20_000] ?? 0) ^ 1;
  writeFileSync(second, bytes);
  await using handle = await openNpy([first, second, third].map((path) => `${path}#x`));
  t.like(await t.throwsAsync(handle.read()), { code: "ERR_NPZ_CRC", path: second, member: "x" });
  await handle.close();
  await using long = await openNpy(shards);
  const changed = shards[1] as string;
  utimesSync(changed, 1000, 1000);
  t.like(await t.throwsAsync(long.rows(2, 4)), { code: "ERR_SOURCE_CHANGED", path: changed });
  rmSync(changed);
  t.like(await t.throwsAsync(long.gather([2])), { code: "ERR_SOURCE_CHANGED", path: changed });
  await long.close();
  t.is(openDescriptors(folder), 0);
});

test.serial("a list is opened several at once, and an abort or an error closes what was opened", async (t) => {
  const bytes = encodeNpy(NdArray.from(Int32Array.of(1)));
  let [underWay, most, closed] = [0, 0, 0];
  const source = (fails = false) => ({
    ...countedSource(bytes),
    read: async (into: Uint8Array, position: number) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
      if (fails) throw new Error("the network is down");
      into.set(bytes.subarray(position, position + into.length));
    },
    close: async () => void closed++,
  });
  await (await openNpy(Array.from({ length: 20 }, () => source()))).close();
  t.is(most, 8);
  t.is(closed, 20);
  closed = 0;
  await t.throwsAsync(openNpy([source(), source(), source(true), source()]), { message: "the network is down" });
  t.is(closed, 4);
  const reason = { why: "enough" };
  const aborted = openNpy([source()], { signal: AbortSignal.abort(reason) });
  t.is(await aborted.catch((error: unknown) => error), reason);
});

test.serial("a FileHandle stays the caller's, also where opening fails", async (t) => {
  const bad = join(folder, "bad-handle.npy");
  writeFileSync(bad, "hello, world");
  const file = await open(bad);
  await t.throwsAsync(openNpy(file), { code: "ERR_NPY_MAGIC" });
  await t.throwsAsync(openNpz(file), { code: "ERR_NPZ_DIRECTORY" });
  await t.throwsAsync(openNpy([file, join(folder, "none.npy")]));
  t.is((await file.readFile("utf8")).slice(0, 5), "hello");
  await file.close();
});

test.serial("what cannot be read from is a TypeError that says what was passed", async (t) => {
  const refuses = async (value: unknown, message: RegExp): Promise<void> => {
    for (const opens of [openNpy, openNpz]) {
      await t.throwsAsync(opens(value as never), { instanceOf: TypeError, message });
    }
  };
  await refuses(undefined, /not undefined$/);
  await refuses(null, /not null$/);
  await refuses(7, /not a number$/);
  await refuses(new ArrayBuffer(8), /not an ArrayBuffer: new Uint8Array/);
  await refuses(new Float32Array(8), /not a Float32Array: new Uint8Array/);
  await refuses(new URL("ftp://host/x#y"), /not ftp:$/);
  await t.throwsAsync(openNpz(shards as never), { instanceOf: TypeError, message: /not an Array$/ });
  await t.throwsAsync(openNpy([shards[0], undefined] as never), { instanceOf: TypeError, message: /not undefined$/ });
  await t.throwsAsync(openNpy(bytesSource(new Uint8Array(0))), { code: "ERR_NPY_TRUNCATED" });
});
