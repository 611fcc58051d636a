import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import {
  decodeNpz,
  encodeNpy,
  encodeNpz,
  locateMember,
  NdArray,
  parseBlockTable,
  readInMemory,
  readZipDirectory,
  type ZipDeflater,
} from "@npystream/codec";
import test from "ava";
import fc from "fast-check";

const folder = mkdtempSync(join(tmpdir(), "npystream-blocks-"));
test.after.always(() => rmSync(folder, { recursive: true }));

const engine: ZipDeflater = {
  crc32,
  deflate: (bytes, level) => deflateRawSync(bytes, { level }),
  deflateBlock: (bytes, level, isLast) =>
    deflateRawSync(bytes, { level, finishFlush: isLast ? constants.Z_FINISH : constants.Z_FULL_FLUSH }),
};

// 1000 rows of 3600 bytes: blocks of 291 rows, and a row that no block of exactly 1 MiB would end with.
const big = NdArray.from(
  Float32Array.from({ length: 900_000 }, (_, i) => (i * i) % 1013),
  [1000, 900],
);

test("each block of a deflated member inflates alone to whole rows, and NumPy reads the whole", (t) => {
  const archive = encodeNpz({ big, small: NdArray.zeros("int8", [3]) }, { compress: true, engine });
  const [member, small] = readInMemory(readZipDirectory(archive.length), archive);
  if (member?.blockTable === undefined) return t.fail("there is no table");
  t.is(small?.blockTable, undefined);
  const table = parseBlockTable(member.blockTable, member.byteLength, member.compressedSize);
  if (table === undefined) return t.fail("the table is not known");
  const start = readInMemory(locateMember(member, archive.length), archive);
  const content = encodeNpy(big);
  t.is((table.firstBytes - 128) % 3600, 0);
  t.is(table.blockBytes % 3600, 0);
  t.is(table.compressed.length - 1, 4);
  for (let i = 3; i >= 0; i--) {
    const from = start + (table.compressed[i] ?? 0);
    const block = archive.subarray(from, start + (table.compressed[i + 1] ?? 0));
    const inflated = inflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH });
    const at = i === 0 ? 0 : table.firstBytes + (i - 1) * table.blockBytes;
    t.true(inflated.equals(content.subarray(at, at + inflated.length)), `block ${i}`);
    t.is(inflated.length, i === 0 ? table.firstBytes : Math.min(table.blockBytes, content.length - at));
  }
  t.deepEqual(decodeNpz(archive)["big"]?.data, big.data);
  const path = join(folder, "blocks.npz");
  writeFileSync(path, archive);
  const program =
    "import sys, zipfile, numpy as np\nassert zipfile.ZipFile(sys.argv[1]).testzip() is None\nx = np.load(sys.argv[1])['big']\nassert (x.ravel() == (np.arange(900000) ** 2 % 1013).astype('f4')).all()";
  execFileSync("python3", ["-c", program, path]);
  execFileSync("unzip", ["-tqq", path]);
});

test("an engine that cannot cut blocks writes members in one piece, which zlib inflates", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 400_000 }), fc.integer(), async (size, seed) => {
      let state = seed;
      const noise = Float64Array.from({ length: size }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
        return state / 7;
      });
      const archive = encodeNpz({ noise: NdArray.from(noise) }, { compress: true });
      const [member] = readInMemory(readZipDirectory(archive.length), archive);
      if (member === undefined) return t.fail();
      t.is(member.blockTable, undefined);
      const start = readInMemory(locateMember(member, archive.length), archive);
      const inflated = inflateRawSync(archive.subarray(start, start + member.compressedSize));
      t.true(inflated.equals(encodeNpy(NdArray.from(noise))));
    }),
    { numRuns: 8 },
  );
});

test("a table that contradicts its member is ERR_NPZ_SIZE, one of another version is passed over", (t) => {
  const archive = encodeNpz({ big }, { compress: true, engine });
  const [member] = readInMemory(readZipDirectory(archive.length), archive);
  const table = member?.blockTable ?? new Uint8Array(0);
  const parse = (change: (bytes: DataView) => void, cut = table.length): unknown => {
    const bytes = table.slice(0, cut);
    change(new DataView(bytes.buffer));
    return parseBlockTable(bytes, member?.byteLength ?? 0, member?.compressedSize ?? 0);
  };
  t.is(
    parse((view) => view.setUint8(0, 9)),
    undefined,
  );
  t.is(
    parse(() => undefined, 3),
    undefined,
  );
  for (const change of [
    (view: DataView) => view.setBigUint64(1, 2n ** 60n, true),
    (view: DataView) => view.setBigUint64(9, 0n, true),
    (view: DataView) => view.setBigUint64(9, 5n, true),
    (view: DataView) => view.setUint32(17, 3, true),
    (view: DataView) => view.setUint32(17, 0xffffffff, true),
    (view: DataView) => view.setUint32(21, 1, true),
  ]) {
    t.throws(() => parse(change), { code: "ERR_NPZ_SIZE" });
  }
  t.throws(() => parse(() => undefined, table.length - 1), { code: "ERR_NPZ_SIZE" });
});
