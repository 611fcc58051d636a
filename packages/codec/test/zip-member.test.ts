import { encodeNpz, fromNested, locateMember, memberArrayName, readInMemory, readZipDirectory } from "@npystream/codec";
import test from "ava";

const archive = encodeNpz({ a: fromNested([1, 2], "int8"), "größe/π": fromNested([3], "int8") });

/** Finds the first member of an archive that was changed in its local header. */
function locate(change: (bytes: Uint8Array, view: DataView) => void, fields: object = {}): number {
  const bytes = archive.slice();
  const [member] = readInMemory(readZipDirectory(bytes.length), bytes);
  if (member === undefined) throw new Error("there is no member");
  change(bytes, new DataView(bytes.buffer));
  return readInMemory(locateMember({ ...member, ...fields }, bytes.length), bytes);
}

test("a member begins behind its local header, name and extra field", (t) => {
  const start = locate(() => undefined);
  t.is(Buffer.from(archive.subarray(start, start + 6)).toString("latin1"), "\x93NUMPY");
  for (const member of readInMemory(readZipDirectory(archive.length), archive)) {
    t.true(readInMemory(locateMember(member, archive.length), archive) + member.compressedSize <= member.limit);
  }
});

test("an array is called by the name of its member without .npy, once", (t) => {
  t.is(memberArrayName("x.npy"), "x");
  t.is(memberArrayName("x.npy.npy"), "x.npy");
  t.is(memberArrayName("note.txt"), "note.txt");
  t.is(memberArrayName(".npy"), "");
});

const refuses = test.macro({
  title: (_, what: string, code: string) => `${what} is ${code}`,
  exec(t, _what: string, code: string, change: Parameters<typeof locate>[0], message: RegExp, fields?: object) {
    t.throws(() => locate(change, fields), { code, message });
  },
});
const none = (): void => undefined;
test(refuses, "an encrypted member", "ERR_NPZ_ENCRYPTED", none, /encrypted/, { isEncrypted: true });
test(refuses, "a member that is compressed otherwise", "ERR_NPZ_METHOD", none, /method 12 /, { method: 12 });
test(refuses, "a header outside the file", "ERR_NPZ_DIRECTORY", none, /"a.npy" lies outside/, {
  localHeaderOffset: archive.length - 10,
  limit: archive.length,
});
test(refuses, "no header", "ERR_NPZ_DIRECTORY", (bytes) => void bytes.fill(0, 0, 4), /has no local header/);
test(refuses, "another name", "ERR_NPZ_DIRECTORY", (bytes) => void bytes.fill(0x62, 30, 31), /is another one/);
test(refuses, "another method", "ERR_NPZ_DIRECTORY", (_, view) => view.setUint16(8, 8, true), /is another one/);
test(
  refuses,
  "a name past the end",
  "ERR_NPZ_DIRECTORY",
  (_, view) => view.setUint16(26, 0xffff, true),
  /reaches over/,
);
test(
  refuses,
  "an extra field past the end",
  "ERR_NPZ_DIRECTORY",
  (_, view) => view.setUint16(28, 4000, true),
  /reaches over/,
);
