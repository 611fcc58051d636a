import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import type { ByteSource, ZipMember } from "@npystream/codec";
import { bytesSource, fileSource } from "@npystream/reader-stream";
import test, { type ExecutionContext } from "ava";
import { checkContent, readThrough } from "../src/member-content.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-content-"));
test.after.always(() => rmSync(folder, { recursive: true }));

const content = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * i) >> 7);
const stored: ZipMember = {
  name: "x",
  method: 0,
  crc32: crc32(content),
  compressedSize: content.length,
  byteLength: content.length,
  localHeaderOffset: 0,
  limit: content.length,
  isEncrypted: false,
};
const packed = deflateRawSync(content);
const deflated: ZipMember = { ...stored, method: 8, compressedSize: packed.length };

/** Counts the bytes asked for and the longest read. */
function counted(bytes: Uint8Array): { source: ByteSource; read: { bytes: number; longest: number } } {
  const inner = bytesSource(bytes);
  const read = { bytes: 0, longest: 0 };
  const source: ByteSource = {
    byteLength: bytes.length,
    close: async () => undefined,
    read: async (into, position) => {
      read.bytes += into.length;
      read.longest = Math.max(read.longest, into.length);
      await inner.read(into, position);
    },
  };
  return { source, read };
}

const readsOnce = test.macro({
  title: (_, name: string) => `a ${name} member is read once, in pieces`,
  async exec(t: ExecutionContext, _name: string, member: ZipMember, bytes: Uint8Array) {
    const { source, read } = counted(bytes);
    await checkContent(source, member, 0);
    t.is(read.bytes, member.compressedSize);
    t.true(read.longest <= 256 << 10);
  },
});
test(readsOnce, "stored", stored, content);
test(readsOnce, "deflated", deflated, packed);

const fails = test.macro({
  title: (_, what: string, code: string) => `${what} is ${code}`,
  async exec(t: ExecutionContext, _what: string, code: string, member: ZipMember, bytes: Uint8Array) {
    await t.throwsAsync(checkContent(bytesSource(bytes), member, 0), { code });
  },
});
test(fails, "another checksum", "ERR_NPZ_CRC", { ...stored, crc32: 1 }, content);
test(fails, "a stream that is cut", "ERR_NPZ_DEFLATE", { ...deflated, compressedSize: packed.length - 3 }, packed);
test(fails, "more than declared", "ERR_NPZ_SIZE", { ...deflated, byteLength: content.length - 1 }, packed);
test(fails, "less than declared", "ERR_NPZ_SIZE", { ...deflated, byteLength: content.length + 1 }, packed);
test(fails, "more than deflate can hold", "ERR_NPZ_SIZE", { ...deflated, byteLength: 2 ** 50 }, packed);
test(
  fails,
  "a block table that does not fit",
  "ERR_NPZ_SIZE",
  { ...deflated, blockTable: Uint8Array.from({ length: 25 }, (_, i) => (i === 0 ? 1 : 0)) },
  packed,
);

test("a file that is cut while it is read is ERR_SOURCE_TRUNCATED, deflated or not", async (t) => {
  for (const [member, bytes] of [
    [stored, content],
    [deflated, packed],
  ] as const) {
    const path = join(folder, String(member.method));
    writeFileSync(path, bytes);
    const source = await fileSource(path);
    truncateSync(path, bytes.length - 10);
    await t.throwsAsync(checkContent(source, member, 0), { code: "ERR_SOURCE_TRUNCATED" });
    await t.throwsAsync(readThrough(source, 0, bytes.length), { code: "ERR_SOURCE_TRUNCATED" });
    await source.close();
  }
});
