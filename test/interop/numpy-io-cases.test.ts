import { createReadStream, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { createGunzip } from "node:zlib";
import { type ByteSource, decodeNpy, decodeNpz, encodeNpy, encodeNpz, NdArray } from "@npystream/codec";
import { createNpyReadStream, mapNpy, openNpy, openNpz } from "@npystream/reader-stream";
import { writeNpz } from "@npystream/writer-stream";
import test from "ava";
import { jsonValues } from "./json-values.ts";
import { makeNumpyCases } from "./numpy-cases.ts";

const { cases, folder, at, read } = makeNumpyCases();
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const SQUARE = [
  [1, 2],
  [3, 4],
];

/** How many descriptors of files in the folder this process has; those of other test files are not counted. */
function openFiles(): number {
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
    } catch {
      // The descriptor of this very listing is gone by now.
      return false;
    }
  }).length;
}

test("archives of positional, named, compressed, text and no arrays hold what NumPy put in them", async (t) => {
  t.deepEqual(Object.keys(cases.archives).length, 8);
  for (const [name, members] of Object.entries(cases.archives)) {
    const decoded = decodeNpz(read(`${name}.npz`));
    await using archive = await openNpz(at(`${name}.npz`));
    t.deepEqual(Object.keys(decoded), Object.keys(members), name);
    t.deepEqual([...archive.names], Object.keys(members), name);
    for (const [member, { shape, order, values }] of Object.entries(members)) {
      await using handle = await archive.open(member);
      for (const array of [decoded[member], await handle.read()]) {
        t.deepEqual(array?.shape, shape, `${name} ${member}`);
        if (array !== undefined && array.size > 1) t.is(array.order, order, `${name} ${member}`);
        t.true(array !== undefined && isDeepStrictEqual(jsonValues(array), values), `${name} ${member}`);
      }
    }
  }
});

test("a member is opened with and without .npy, one that is an array without it by its own name, and a note is passed over", async (t) => {
  const ten = Array.from({ length: 10 }, (_, i) => String(i));
  const decoded = decodeNpz(read("mixed.npz"));
  t.deepEqual(Object.keys(decoded).sort(), ["test1", "test2"]);
  await using archive = await openNpz(at("mixed.npz"));
  t.deepEqual(
    archive.members.map(({ name }) => name),
    ["test1.npy", "test2", "metadata"],
  );
  for (const name of ["test1", "test1.npy", "test2"]) {
    await using handle = await archive.open(name);
    t.deepEqual(jsonValues(await handle.read()), ten, name);
  }
  await t.throwsAsync(archive.open("metadata"), { code: "ERR_NPY_MAGIC" });
});

test("a name that the archive does not have is ERR_NPZ_MEMBER and tells those it has", async (t) => {
  await using archive = await openNpz(at("named.npz"));
  await t.throwsAsync(archive.open("1,2"), { code: "ERR_NPZ_MEMBER", message: /"file_a", "file_b"/ });
  t.false("1,2" in decodeNpz(read("named.npz")));
});

test("archives that are written at once do not get into each other's way", async (t) => {
  const arrays = [0, 1, 2].map((seed) => Float64Array.from({ length: 250_000 }, (_, i) => Math.sin(i * (seed + 1))));
  await Promise.all(arrays.map((arr, i) => writeNpz(at(`at-once-${i}.npz`), { arr })));
  for (const [i, arr] of arrays.entries())
    t.deepEqual(decodeNpz(read(`at-once-${i}.npz`))["arr"]?.data as unknown, arr);
});

test.serial("an open file that an archive is read from stays open", async (t) => {
  const file = await open(at("text.npz"));
  t.teardown(() => file.close());
  const archive = await openNpz(file);
  const handle = await archive.open("lab");
  t.is((await handle.read()).get(), "place holder");
  await handle.close();
  await archive.close();
  t.is((await file.stat()).size, read("text.npz").length);
  t.is(decodeNpz(new Uint8Array(await file.readFile()))["lab"]?.get(), "place holder");
});

test.serial("1,024 archives opened and closed one after another leave no descriptor", async (t) => {
  const before = openFiles();
  for (let i = 0; i < 1024; i++) {
    await using archive = await openNpz(at("text.npz"));
    await using handle = await archive.open("lab");
    if ((await handle.read()).get() !== "place holder") t.fail(String(i));
  }
  t.is(openFiles(), before);
});

test.serial("a closed archive has given up its file, and its arrays are no longer read", async (t) => {
  const before = openFiles();
  const archive = await openNpz(at("text.npz"));
  const handle = await archive.open("lab");
  t.is(openFiles(), before + 1);
  await archive.close();
  t.is(openFiles(), before);
  await t.throwsAsync(handle.read());
  await archive.close();
});

test("a file: URL stands for a path, of .npy, of .npz and mapped, also to write through the map", async (t) => {
  writeFileSync(at("square.npy"), encodeNpy(NdArray.from(BigInt64Array.of(1n, 2n, 3n, 4n), [2, 2])));
  const url = pathToFileURL(at("square.npy"));
  await using handle = await openNpy(url);
  t.deepEqual(Array.from((await handle.read()).data as BigInt64Array, Number), SQUARE.flat());
  for (const name of ["text", "text-compressed"]) {
    await using archive = await openNpz(pathToFileURL(at(`${name}.npz`)));
    await using lab = await archive.open("lab");
    t.is((await lab.read()).get(), "place holder");
  }
  using mapped = mapNpy(url);
  t.deepEqual(jsonValues(mapped), [
    ["1", "2"],
    ["3", "4"],
  ]);
  using writable = mapNpy(url, { mode: "r+" });
  (writable.data as BigInt64Array)[0] = 5n;
  writable.flush();
  t.is(decodeNpy(read("square.npy")).get(0, 0), 5n);
});

test("an array behind gzip is read as it is inflated", async (t) => {
  const rows: unknown[] = [];
  for await (const chunk of createReadStream(at("array.npy.gz")).pipe(createGunzip()).pipe(createNpyReadStream())) {
    rows.push(...(jsonValues(chunk as NdArray) as unknown[]));
  }
  t.deepEqual(
    rows,
    Array.from({ length: 5 }, (_, row) => Array.from({ length: 5 }, (_, column) => 5 * row + column)),
  );
});

test("an object that has only byteLength, read and close is enough to read from", async (t) => {
  const bytes = read("compressed.npz");
  const source: ByteSource = {
    byteLength: bytes.length,
    read: async (into, position) => {
      bytes.copy(into, 0, position, position + into.length);
    },
    close: async () => undefined,
  };
  await using archive = await openNpz(source);
  await using handle = await archive.open("arr");
  t.true(isDeepStrictEqual(jsonValues(await handle.read()), cases.archives["compressed"]?.["arr"]?.values));
});

test("arrays by name are a plain record: keys, entries and what it has", (t) => {
  const zeros = NdArray.zeros("float64", [3, 3]);
  const record = decodeNpz(encodeNpz({ x: zeros, y: zeros }));
  t.true("x" in record && "y" in record && !("z" in record) && !("constructor" in record));
  t.deepEqual(Object.keys(record), ["x", "y"]);
  t.deepEqual(
    Object.values(record).map(({ shape }) => shape),
    [
      [3, 3],
      [3, 3],
    ],
  );
});

test("two arrays one after another are two arrays, and then the file is at its end", async (t) => {
  const one = encodeNpy(NdArray.from(BigInt64Array.of(1n), []));
  const two = encodeNpy(NdArray.from(BigInt64Array.of(2n), []));
  const stream = createNpyReadStream({ sequence: "arrays" });
  stream.end(Buffer.concat([one, two]));
  const values: unknown[] = [];
  for await (const chunk of stream) values.push(jsonValues(chunk as NdArray));
  t.deepEqual(values, ["1", "2"]);
});
