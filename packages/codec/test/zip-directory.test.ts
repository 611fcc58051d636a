import { execFileSync } from "node:child_process";
import {
  encodeNpz,
  encodeZip,
  fromNested,
  locateMember,
  locateZipDirectory,
  readInMemory,
  readZipDirectory,
  splitZipDirectory,
  type ZipMember,
} from "@npystream/codec";
import test from "ava";

// Archives of Python's zipfile: streamed ones have descriptors, a large limit of none is ZIP64 all the same.
const program = `
import io, json, zipfile, numpy as np
class Stream(io.RawIOBase):
    def __init__(self): self.bytes = b''
    def writable(self): return True
    def write(self, data): self.bytes += bytes(data); return len(data)
def archive(target, **options):
    z = zipfile.ZipFile(target, 'w', **options)
    z.writestr('x.npy', b'0123456789' * 100, zipfile.ZIP_DEFLATED)
    z.writestr('größe.txt', b'')
    with z.open('big.npy', 'w', force_zip64=True) as f: f.write(b'abc')
    z.writestr('folder/', b'')
    z.comment = options.pop('comment', b'')
    z.close()
    return z
out = {}
f = io.BytesIO(); z = archive(f)
out['seekable'] = [f.getvalue().hex(), z]
f = Stream(); z = archive(f)
out['streamed'] = [f.bytes.hex(), z]
out['none'] = [(lambda f: (zipfile.ZipFile(f, 'w').close(), f.getvalue())[1])(io.BytesIO()).hex(), None]
def members(z):
    return [[i.filename, i.compress_type, i.CRC, i.compress_size, i.file_size, i.header_offset] for i in z.infolist()] if z else []
print(json.dumps({k: [h, members(z)] for k, (h, z) in out.items()}))
`;
type Row = [name: string, method: number, crc32: number, compressedSize: number, byteLength: number, offset: number];
const archives: Record<string, [string, Row[]]> = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program], { encoding: "utf8" }),
);

const read = (bytes: Uint8Array): ZipMember[] => readInMemory(readZipDirectory(bytes.length), bytes);

for (const [kind, [hex, rows]] of Object.entries(archives)) {
  test(`the directory of Python's ${kind} archive has the members that zipfile lists`, (t) => {
    const bytes = new Uint8Array(Buffer.from(hex, "hex"));
    const members = read(bytes);
    t.deepEqual(
      members.map((one) => {
        return [one.name, one.method, one.crc32, one.compressedSize, one.byteLength, one.localHeaderOffset];
      }),
      rows as unknown[][],
    );
    for (const member of members) {
      const start = readInMemory(locateMember(member, bytes.length), bytes);
      t.true(start + member.compressedSize <= member.limit);
    }
  });
}

test("a directory of many pieces is read with no more than a piece in memory, and each byte about once", (t) => {
  const inputs = Array.from({ length: 30_000 }, (_, i) => ({ name: `${i}-${"n".repeat(60)}`, content: [] }));
  const bytes = new Uint8Array(Buffer.concat(encodeZip(inputs)));
  const place = readInMemory(locateZipDirectory(bytes.length), bytes);
  t.true(place.byteLength > 3 << 20);
  const lengths: number[] = [];
  const steps = readZipDirectory(bytes.length);
  let step = steps.next();
  while (!step.done) {
    const { position, length } = step.value;
    lengths.push(length);
    step = steps.next(bytes.subarray(position, position + length));
  }
  t.is(step.value.length, 30_000);
  t.true(Math.max(...lengths) <= 1 << 20);
  t.true(lengths.reduce((total, length) => total + length) < place.byteLength * 1.5);
});

test("the entries of a directory are cut with their names", (t) => {
  const bytes = encodeNpz({ a: fromNested([1], "int8"), "größe/π": fromNested([2], "int8") });
  const { offset, byteLength, count, comment } = readInMemory(locateZipDirectory(bytes.length), bytes);
  const entries = [...splitZipDirectory(bytes.subarray(offset, offset + byteLength))];
  t.deepEqual(
    entries.map(([name]) => name),
    ["a.npy", "größe/π.npy"],
  );
  t.is(entries.length, count);
  t.is(
    entries.reduce((total, [, entry]) => total + entry.length, 0),
    byteLength,
  );
  t.is(comment.length, 0);
});

test("a comment may hold the signature of an end record", (t) => {
  const bytes = encodeNpz({ a: fromNested([1], "int8") });
  const comment = Buffer.from("PK\x05\x06 and 30 bytes more: 012345678901234567890", "latin1");
  const commented = new Uint8Array(Buffer.concat([bytes, comment]));
  new DataView(commented.buffer).setUint16(bytes.length - 2, comment.length, true);
  t.is(read(commented).length, 1);
  t.deepEqual(readInMemory(locateZipDirectory(commented.length), commented).comment, new Uint8Array(comment));
  t.throws(() => read(Buffer.concat([bytes, comment])), { code: "ERR_NPZ_DIRECTORY", message: /no end record/ });
});

test("a directory that goes on behind its members is refused", (t) => {
  const bytes = encodeNpz({ a: fromNested([1], "int8"), b: fromNested([3], "int8") });
  const view = new DataView(bytes.buffer);
  view.setUint16(bytes.length - 12, 1, true);
  t.throws(() => read(bytes), { code: "ERR_NPZ_DIRECTORY", message: /goes on behind its 1 members/ });
});

/** An archive of two members, changed at its central headers and its end record. */
function changed(change: (view: DataView, first: number, second: number, end: number) => void): Uint8Array {
  const bytes = encodeNpz({ a: fromNested([1, 2], "int8"), b: fromNested([3], "int8") });
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  const first = view.getUint32(end + 16, true);
  change(view, first, first + 46 + 5, end);
  return bytes;
}

const refuses = test.macro({
  title: (_, what: string, code: string) => `${what} is ${code}`,
  exec(t, _what: string, code: string, bytes: Uint8Array, message: RegExp) {
    t.throws(() => read(bytes), { code, message });
  },
});
const DIRECTORY = "ERR_NPZ_DIRECTORY";
test(refuses, "an empty file", DIRECTORY, new Uint8Array(0), /no end record/);
test(
  refuses,
  "a directory outside the file",
  DIRECTORY,
  changed((v, _a, _b, end) => v.setUint32(end + 16, 1 << 30, true)),
  /outside the file/,
);
test(
  refuses,
  "a directory that ends early",
  DIRECTORY,
  changed((v, _a, _b, end) => v.setUint16(end + 10, 3, true)),
  /ends before member 3 of 3/,
);
test(
  refuses,
  "an entry that ends outside the directory",
  DIRECTORY,
  changed((v, _a, second) => v.setUint16(second + 32, 9, true)),
  /ends inside member 2/,
);
test(
  refuses,
  "a member over another",
  DIRECTORY,
  changed((v, _a, second) => v.setUint32(second + 42, 0, true)),
  /overlaps/,
);
test(
  refuses,
  "a stored member of two sizes",
  "ERR_NPZ_SIZE",
  changed((v, first) => v.setUint32(first + 24, 7, true)),
  /two different sizes/,
);
test(
  refuses,
  "two members of one name",
  "ERR_NPZ_DUPLICATE",
  changed((v, first) => v.setUint8(first + 46, 0x62)),
  /two members of this name/,
);
test(
  refuses,
  "a size that is in no ZIP64 field",
  "ERR_NPZ_SIZE",
  changed((v, first) => v.setUint32(first + 24, 0xffffffff, true)),
  /two different sizes/,
);

test("more members than the limit are ERR_LIMIT_MEMBERS before any is read", (t) => {
  const bytes = encodeNpz({ a: fromNested([1], "int8"), b: fromNested([3], "int8") });
  const steps = readZipDirectory(bytes.length, { limits: { members: 1 } });
  const first = steps.next();
  if (first.done) return t.fail();
  const { position, length } = first.value;
  t.throws(() => steps.next(bytes.subarray(position, position + length)), {
    code: "ERR_LIMIT_MEMBERS",
    message: /2 members, the limit is 1/,
  });
});
