import { constants, crc32, deflateRawSync } from "node:zlib";
import { checkLocalHeader, encodeNpz, NdArray, readInMemory, readZipDirectory } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";

const CONTENT = Buffer.from("content");
const SUM = crc32(CONTENT);
const u16 = (...values: number[]): Buffer => Buffer.from(Uint16Array.from(values).buffer);
const u32 = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
const u64 = (...values: number[]): Buffer => Buffer.from(BigUint64Array.from(values.map(BigInt)).buffer);

/** An archive of one stored member, put together by APPNOTE 4.3.7 and 4.3.12. */
function archive(name: Buffer, flags: number, descriptor: Buffer): Uint8Array {
  const sums = flags & 8 ? u32(0, 0, 0) : u32(SUM, CONTENT.length, CONTENT.length);
  const local = Buffer.concat([u32(0x04034b50), u16(20, flags, 0, 0, 0x21), sums, u16(name.length, 0), name]);
  const content = Buffer.concat([local, CONTENT, descriptor]);
  const central = Buffer.concat([
    u32(0x02014b50),
    u16(20, 20, flags, 0, 0, 0x21),
    u32(SUM, CONTENT.length, CONTENT.length),
    u16(name.length, 0, 0, 0, 0),
    u32(0, 0),
    name,
  ]);
  const end = Buffer.concat([u32(0x06054b50), u16(0, 0, 1, 1), u32(central.length, content.length), u16(0)]);
  return Buffer.concat([content, central, end]);
}

function check(bytes: Uint8Array): number[] {
  const members = readInMemory(readZipDirectory(bytes.length), bytes);
  return members.map((member) => readInMemory(checkLocalHeader(member, bytes.length), bytes));
}

const name = Buffer.from("x.txt");
const none = Buffer.alloc(0);
const { length } = CONTENT;

const agrees = test.macro({
  title: (_, what: string) => `${what} agrees with the directory`,
  exec(t: ExecutionContext, _what: string, bytes: Uint8Array) {
    const [start = 0] = check(bytes);
    t.deepEqual(bytes.subarray(start, start + length), CONTENT);
  },
});
test(agrees, "a header", archive(name, 0, none));
test(agrees, "a descriptor", archive(name, 8, u32(0x08074b50, SUM, length, length)));
test(agrees, "a descriptor without signature", archive(name, 8, u32(SUM, length, length)));
test(agrees, "a ZIP64 descriptor", archive(name, 8, Buffer.concat([u32(0x08074b50, SUM), u64(length, length)])));
test(agrees, "a ZIP64 descriptor without signature", archive(name, 8, Buffer.concat([u32(SUM), u64(length, length)])));
test(agrees, "a name in cp437", archive(Buffer.from([0x84, 0x94, 0x2e]), 0, none));
test(agrees, "a name in UTF-8", archive(Buffer.from("日本"), 0x800, none));

const differs = test.macro({
  title: (_, what: string) => `${what} is ERR_NPZ_DIRECTORY`,
  exec(t: ExecutionContext, _what: string, bytes: Uint8Array) {
    t.throws(() => check(bytes), { code: "ERR_NPZ_DIRECTORY" });
  },
});
test(differs, "a missing descriptor", archive(name, 8, none));
test(differs, "a descriptor of another size", archive(name, 8, u32(0x08074b50, SUM, length, length + 1)));
test(
  differs,
  "a ZIP64 descriptor of another checksum",
  archive(name, 8, Buffer.concat([u32(SUM ^ 1), u64(length, length)])),
);
const renamed = (bytes: Uint8Array): Uint8Array => bytes.with(30, 0x85);
test(differs, "another name in cp437", renamed(archive(name, 0, none)));
test(differs, "another name in UTF-8", renamed(archive(Buffer.from("ä"), 0x800, none)));

test("every member that npystream encodes agrees, deflated in blocks with a table", (t) => {
  const x = NdArray.from(Float64Array.from({ length: 400_000 }, (_, i) => i % 977));
  const bytes = encodeNpz(
    { x, y: NdArray.zeros("uint8", []) },
    {
      compress: true,
      engine: {
        crc32,
        deflate: (block) => deflateRawSync(block),
        deflateBlock: (block, level, isLast) =>
          deflateRawSync(block, { level, finishFlush: isLast ? constants.Z_FINISH : constants.Z_FULL_FLUSH }),
      },
    },
  );
  t.is(check(bytes).length, 2);
  const [member] = readInMemory(readZipDirectory(bytes.length), bytes);
  t.truthy(member?.blockTable);
});
