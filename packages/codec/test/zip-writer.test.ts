import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeNpz, encodeNpz, encodeZip, fromNested, NdArray, zipArray, zipBlocks } from "@npystream/codec";
import test from "ava";

const folder = mkdtempSync(join(tmpdir(), "npystream-zip-writer-"));
test.after.always(() => rmSync(folder, { recursive: true }));

const python = (program: string, ...args: string[]): string =>
  execFileSync("python3", ["-c", program, ...args], { encoding: "utf8" });

const members = {
  features: NdArray.from(
    Float32Array.from({ length: 600 }, (_, i) => i / 3),
    [100, 6],
  ),
  labels: NdArray.from(BigInt64Array.from({ length: 100 }, (_, i) => BigInt(i) - 50n)),
  "größe/π": NdArray.zeros("complex128", [2, 0]),
  scalar: NdArray.from(Float64Array.of(1.5), []),
};

test("stored arrays begin at multiples of 64 in the archive", (t) => {
  const bytes = encodeNpz(members);
  for (const [name, array] of Object.entries(decodeNpz(bytes))) {
    t.is(array.data.byteOffset % 64, 0, name);
    t.is(array.data.buffer, bytes.buffer, name);
  }
});

test("align: 'page' puts stored data at multiples of 4096", (t) => {
  const archive = encodeNpz(members, { align: "page" });
  for (const array of Object.values(decodeNpz(archive))) t.is(array.data.byteOffset % 4096, 0);
  t.throws(() => encodeNpz(members, { align: 7 as never }), { instanceOf: RangeError });
});

test("the same arrays give the same bytes", (t) => {
  t.deepEqual(encodeNpz(members, { compress: true }), encodeNpz(members, { compress: true }));
});

test("more than 65,535 members are written with ZIP64 and read by NumPy", (t) => {
  const inputs = Array.from({ length: 65_600 }, (_, i) => ({ name: `m${i}`, content: [Uint8Array.of(i & 255)] }));
  const path = join(folder, "many.npz");
  writeFileSync(path, Buffer.concat(encodeZip(inputs)));
  t.is(
    python(
      "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nprint(len(z.namelist()), z.read('m65599')[0])",
      path,
    ).trim(),
    `65600 ${65_599 & 255}`,
  );
  t.throws(() => decodeNpz(readFileSync(path)), { code: "ERR_LIMIT_MEMBERS" });
  t.deepEqual(decodeNpz(readFileSync(path), { limits: { members: 70_000 } }), Object.create(null));
});

test("names that no archive can hold are refused when it is written", (t) => {
  t.throws(() => encodeNpz({ "a\0b": fromNested([1], "int8") }), { instanceOf: TypeError });
  t.throws(() => encodeNpz({ ["x".repeat(70_000)]: fromNested([1], "int8") }), { instanceOf: TypeError });
});

test("two members of one name are refused", (t) => {
  const input = zipArray("a", members.scalar);
  t.throws(() => encodeZip([input, input]), { instanceOf: TypeError, message: /two members are named "a.npy"/ });
});

test("what is stored is the caller's bytes and not a copy", (t) => {
  const input = zipArray("a", members.features);
  t.is(input.content[1]?.buffer, members.features.data.buffer);
  t.true(encodeZip([input]).some((piece) => piece.buffer === members.features.data.buffer));
  t.is(input.rowBytes, 24);
  t.deepEqual(
    zipBlocks(input).map(({ length }) => length),
    [128 + 2400],
  );
});
