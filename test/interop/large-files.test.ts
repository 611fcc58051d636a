import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import {
  type ByteSource,
  encodeZip,
  formatNpyHeader,
  NdArray,
  NpyParser,
  type ZipDeflater,
  zipArray,
} from "@npystream/codec";
import { fileSource, openNpy, openNpz } from "@npystream/reader-stream";
import test from "ava";
import { root } from "../package/workspace.ts";
import { jsonValues } from "./json-values.ts";

/** What `test/fixtures/large.py` wrote, as NumPy and zipfile read it. */
interface LargeFiles {
  readonly files: readonly string[];
  readonly offsets: Readonly<Record<string, number>>;
  readonly crc: Readonly<Record<string, number>>;
  readonly shape: readonly number[];
  readonly header: readonly number[];
  /** Value of the elements of the rows that are not zeros. */
  readonly rows: Readonly<Record<string, number>>;
  readonly small: readonly (readonly number[])[];
  readonly deflated: readonly number[];
  readonly last: readonly number[];
}

const GIB = 2 ** 30;
/** What the files may take on a disk that has holes: their few rows and the blocks these are in. */
const MAX_DISK_BYTES = 1 << 20;

const folder = mkdtempSync(join(tmpdir(), "npystream-large-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const written: LargeFiles = JSON.parse(
  execFileSync("python3", [join(root, "test/fixtures/large.py"), folder], { encoding: "utf8" }),
);

/** A source that counts the bytes it was asked for. */
async function countedSource(path: string): Promise<{ source: ByteSource; readBytes: () => number }> {
  const file = await fileSource(path);
  let bytes = 0;
  const source: ByteSource = {
    byteLength: file.byteLength,
    read: (into, position, options) => {
      bytes += into.length;
      return file.read(into, position, options);
    },
    close: () => file.close(),
  };
  return { source, readBytes: () => bytes };
}

test("an archive past 4 GiB is listed with the sizes and checksums that zipfile has for it", async (t) => {
  const { source, readBytes } = await countedSource(at("large.npz"));
  await using archive = await openNpz(source);
  t.true(source.byteLength > 4 * GIB);
  t.true(statSync(at("large.npz")).blocks * 512 < MAX_DISK_BYTES);
  t.deepEqual(archive.names, written.files);
  t.deepEqual(Object.fromEntries(archive.members.map(({ name, crc32 }) => [name, crc32])), written.crc);
  t.true((archive.members[1]?.byteLength ?? 0) > 4 * GIB);
  t.true(readBytes() < 256 << 10, `${readBytes()} bytes`);
});

/** The values that there are among the elements. */
function distinct(array: NdArray): unknown[] {
  return [...new Set([array.toNested()].flat(3))];
}

test("rows of a member of more than 4 GiB are read, the last one too, and no more than these", async (t) => {
  const { source, readBytes } = await countedSource(at("large.npz"));
  await using archive = await openNpz(source);
  await using large = await archive.open("large");
  t.deepEqual(large.shape, written.shape);
  t.deepEqual(large.shape, written.header);
  const rowBytes = large.byteLength / large.length;
  const before = readBytes();
  for (const [row, value] of Object.entries(written.rows)) {
    const rows = await large.rows(Math.max(0, Number(row) - 1), Number(row) + 1);
    t.is(rows.length, row === "0" ? 1 : 2);
    t.deepEqual(distinct(rows.at(-1)), [value], row);
  }
  t.deepEqual(distinct(await large.rows(750_000, 750_003)), [0]);
  t.true(readBytes() - before <= 10 * rowBytes + 4 * 4096, `${readBytes() - before} bytes`);
});

test("members that begin past 4 GiB are read whole and their checksums hold", async (t) => {
  await using archive = await openNpz(at("large.npz"));
  for (const name of ["small", "deflated"] as const) {
    t.true((written.offsets[`${name}.npy`] ?? 0) > 4 * GIB);
    await using handle = await archive.open(name);
    const array = await handle.read();
    t.deepEqual(name === "small" ? jsonValues(array) : Array.from(array.toNested() as bigint[], Number), written[name]);
  }
});

test("a member past 4 GiB of which a byte differs is ERR_NPZ_CRC", async (t) => {
  const file = await fileSource(at("large.npz"));
  let flipped = -1;
  const source: ByteSource = {
    byteLength: file.byteLength,
    read: async (into, position, options) => {
      await file.read(into, position, options);
      const index = flipped - position;
      if (index >= 0 && index < into.length) into[index] = (into[index] ?? 0) ^ 1;
    },
    close: () => file.close(),
  };
  await using archive = await openNpz(source);
  const { dataPosition = 0 } = await archive.open("small");
  flipped = dataPosition + 5;
  t.true(flipped > 4 * GIB);
  const reading = archive.open("small").then((handle) => handle.read());
  await t.throwsAsync(reading, { code: "ERR_NPZ_CRC" });
});

test("the last of 2^31 bytes is read, which an int32 does not count", async (t) => {
  await using handle = await openNpy(at("large.npy"));
  t.deepEqual(handle.shape, [2 ** 30, 2]);
  t.deepEqual(jsonValues(await handle.rows(-1, 2 ** 30)), [written.last]);
});

test("an array that np.save appended at 5 GiB is parsed from there", async (t) => {
  const parser = new NpyParser();
  const rows: unknown[] = [];
  for await (const bytes of createReadStream(at("offset.npy"), { start: 5 * GIB })) {
    for (const part of parser.push(bytes)) if (part.kind === "rows") rows.push(...(jsonValues(part.rows) as unknown[]));
  }
  parser.finish();
  t.deepEqual(rows, ["0", "1", "2", "3", "4"]);
});

/** Writes pieces behind each other, and passes over those that are `hole`. */
async function writeSparse(path: string, pieces: readonly Uint8Array[], hole: Uint8Array): Promise<void> {
  const file = await open(path, "w");
  try {
    let position = 0;
    for (const piece of pieces) {
      if (piece !== hole) await file.write(piece, 0, piece.length, position);
      position += piece.length;
    }
    await file.truncate(position);
  } finally {
    await file.close();
  }
}

test("an archive past 4 GiB that is laid out here is read by NumPy, and its members lie aligned", async (t) => {
  const engine: ZipDeflater = { crc32, deflate: (bytes, level) => deflateRawSync(bytes, { level }) };
  const hole = new Uint8Array(64 << 20);
  const pieces = 65;
  const header = formatNpyHeader({ dtype: "uint8", shape: [pieces, hole.length] });
  const small = NdArray.from(Float64Array.of(1, 2.5, -3));
  const archive = encodeZip(
    [
      { name: "large.npy", content: [header, ...new Array<Uint8Array>(pieces).fill(hole)], dataOffset: header.length },
      zipArray("small", small),
      zipArray("cube", small.reshape([3, 1, 1])),
    ],
    { engine },
  );
  await writeSparse(at("ours.npz"), archive, hole);
  t.true(statSync(at("ours.npz")).blocks * 512 < MAX_DISK_BYTES);
  const program = `
import json, sys
import numpy as np
with np.load(sys.argv[1]) as archive:
    with archive.zip.open("large.npy") as member:
        np.lib.format.read_magic(member)
        header = np.lib.format.read_array_header_1_0(member)
    info = archive.zip.getinfo("large.npy")
    print(json.dumps([archive.files, header[0], info.file_size, archive["small"].tolist(), archive["cube"].tolist()]))
`;
  const seen: unknown = JSON.parse(execFileSync("python3", ["-c", program, at("ours.npz")], { encoding: "utf8" }));
  const largeBytes = header.length + pieces * hole.length;
  t.deepEqual(seen, [
    ["large", "small", "cube"],
    [pieces, hole.length],
    largeBytes,
    [1, 2.5, -3],
    [[[1]], [[2.5]], [[-3]]],
  ]);
  await using again = await openNpz(at("ours.npz"));
  for (const name of again.names) {
    await using handle = await again.open(name);
    t.is((handle.dataPosition ?? 1) % 64, 0, name);
  }
  await using handle = await again.open("cube");
  t.true((handle.dataPosition ?? 0) > 4 * GIB);
  t.deepEqual(jsonValues(await handle.read()), [[[1]], [[2.5]], [[-3]]]);
});
