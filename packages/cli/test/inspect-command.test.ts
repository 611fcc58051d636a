import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeNpz, NdArray } from "@npystream/codec";
import test from "ava";
import { runCaptured } from "./run-captured.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-inspect-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

// NumPy writes the files and says what is in them.
const program = `
import json, os, sys, zipfile
import numpy as np
os.chdir(sys.argv[1])
np.save('plain.npy', np.zeros((1000, 64), np.float32))
np.save('fortran.npy', np.asfortranarray(np.zeros((3, 4), '>i8')))
np.save('scalar.npy', np.bool_(True))
record = [(('title', 'x'), 'f4'), ('n', '>i8', (2,)), ('in', [('name', 'U3')])]
np.save('record.npy', np.zeros(3, record))
np.save('text.npy', np.array(['abc']))
np.save('empty.npy', np.zeros((0, 3), np.complex128))
with open('second.npy', 'wb') as file:
    np.lib.format.write_array(file, np.arange(5, dtype=np.uint16), version=(2, 0))
with open('third.npy', 'wb') as file:
    np.lib.format.write_array(file, np.arange(5, dtype=np.uint16), version=(3, 0))
arrays = dict(a=np.arange(6).reshape(2, 3), b=np.asfortranarray(np.ones((2, 2), np.float16)))
np.savez('stored.npz', **arrays)
np.savez_compressed('deflated.npz', **arrays)
np.savez('bad.npz', fine=np.arange(3), bad=np.array([{}], object))
np.savez('none.npz')
with zipfile.ZipFile('mixed.npz', 'w') as archive:
    archive.writestr('note\\x1b[2J.txt', 'hello')
    with archive.open('x.npy', 'w') as file:
        np.save(file, np.arange(3))
os.link('stored.npz', 'misnamed.npy')
os.link('plain.npy', 'misnamed.npz')

def describe(file, member):
    version = np.lib.format.read_magic(file)
    # Version 3.0 differs from 2.0 in its encoding alone, and these headers are ASCII.
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    head = {} if member is None else {'member': member}
    return {**head, 'descr': np.lib.format.dtype_to_descr(dtype), 'dtype': name_of(dtype), 'shape': shape, 'order': 'F' if fortran else 'C',
            'version': '%d.%d' % version, 'dataOffset': file.tell(), 'byteLength': dtype.itemsize * int(np.prod(shape))}

def name_of(dtype):
    # Of types with a size of their own the name is the kind.
    return 'struct' if dtype.names else {'S': 'bytes', 'U': 'str', 'V': 'void'}.get(dtype.kind, dtype.name)

def inspect(path):
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith('.npy')]
            arrays = [describe(archive.open(name), name[:-4]) for name in names]
        return {'path': os.path.abspath(path), 'kind': 'npz', 'arrays': arrays}
    with open(path, 'rb') as file:
        return {'path': os.path.abspath(path), 'kind': 'npy', 'arrays': [describe(file, None)]}

print(json.dumps([inspect(name) for name in sorted(os.listdir('.')) if name != 'bad.npz']))
`;
interface Inspection {
  readonly path: string;
  readonly kind: string;
  readonly arrays: readonly object[];
}
const expected: Inspection[] = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program, folder], { encoding: "utf8" }),
);

test("--json says what NumPy says of each file, a document a line, whatever the file is called", async (t) => {
  const paths = expected.map(({ path }) => path);
  t.is(paths.length, 14);
  const { code, stdout, stderr } = await runCaptured(["inspect", "--json", ...paths]);
  t.deepEqual([code, stderr], [0, ""]);
  const documents = stdout.trimEnd().split("\n");
  t.deepEqual(
    documents.map((line) => JSON.parse(line)),
    expected,
  );
  t.deepEqual(Object.keys(JSON.parse(documents.at(-1) ?? "").arrays[0]), Object.keys(expected.at(-1)?.arrays[0] ?? {}));
});

test("a named member is the only one in the document", async (t) => {
  const { stdout } = await runCaptured(["inspect", "--json", at("stored.npz#b")]);
  const whole = expected.find(({ path }) => path === at("stored.npz"));
  t.deepEqual(JSON.parse(stdout), { path: at("stored.npz"), kind: "npz", arrays: whole?.arrays.slice(1) });
});

test("a .npy is listed a property a line", async (t) => {
  const { stdout } = await runCaptured(["inspect", at("plain.npy"), at("scalar.npy")]);
  t.is(
    stdout,
    `${at("plain.npy")}
  dtype        float32 <f4
  shape        (1000, 64)
  order        C
  version      1.0
  data offset  128
  data bytes   256000 (250.0 KiB)
  file bytes   256128 (250.1 KiB)

${at("scalar.npy")}
  dtype        bool |b1
  shape        ()
  order        C
  version      1.0
  data offset  128
  data bytes   1
  file bytes   129
`,
  );
});

test("an .npz is listed a member a line, with where the data of stored members lies", async (t) => {
  const { stdout } = await runCaptured(["inspect", at("stored.npz")]);
  // Where zipfile wrote the data: behind the local header and the .npy header of 128 bytes.
  const positions: number[] = JSON.parse(
    execFileSync("python3", [
      "-c",
      "import sys,json,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nout=[]\nfor i in z.infolist():\n  f=z.open(i)\n  out.append(f._orig_compress_start+128)\nprint(json.dumps(out))",
      at("stored.npz"),
    ]).toString(),
  );
  const alignments = positions.map((position) => Math.min(4096, position & -position));
  t.deepEqual(stdout.split("\n").slice(1, 4), [
    "  member  dtype        shape   order  version  data offset  data bytes  method  in file  alignment",
    `  a       int64 <i8    (2, 3)  C      1.0              128          48  stored      176  ${String(alignments[0]).padStart(9)}`,
    `  b       float16 <f2  (2, 2)  F      1.0              128           8  stored      136  ${String(alignments[1]).padStart(9)}`,
  ]);
});

test("members that npystream writes are aligned to 64 bytes or more", async (t) => {
  const bytes = encodeNpz({ x: NdArray.zeros("float64", [5]), y: NdArray.zeros("uint8", [3]) });
  const { stdout } = await runCaptured(["inspect", "-"], { stdin: bytes });
  const rows = stdout.trimEnd().split("\n").slice(2);
  t.is(rows.length, 2);
  for (const row of rows) t.true(Number(row.trim().split(/\s+/).at(-1)) >= 64, row);
});

test("deflated members have no alignment, and members that are no arrays are listed without control characters", async (t) => {
  const { stdout } = await runCaptured(["inspect", at("deflated.npz"), at("mixed.npz"), at("none.npz")]);
  t.regex(stdout, /a {7}int64 <i8 {4}\(2, 3\) .* deflated +\d+ +-\n/);
  t.regex(stdout, /note\\x1b\[2J\.txt {2}- +- .* stored +5 +-\n/);
  t.regex(stdout, /none\.npz {2}npz, 0 members, 22 bytes\n$/);
});

test("a record's fields are listed as Python writes them", async (t) => {
  const { stdout } = await runCaptured(["inspect", at("record.npy")]);
  t.is(
    stdout.split("\n")[1],
    "  dtype        struct [(('title', 'x'), '<f4'), ('n', '>i8', (2,)), ('in', [('name', '<U3')])]",
  );
});

test("stdin is inspected as a file is", async (t) => {
  const { stdout } = await runCaptured(["inspect", "--json", "-"], { stdin: readFileSync(at("stored.npz")) });
  t.deepEqual(JSON.parse(stdout), { ...expected.find(({ path }) => path === at("stored.npz")), path: "-" });
});

test("every file and member gets its turn, also after one that fails", async (t) => {
  const { code, stdout, stderr } = await runCaptured(["inspect", at("no.npy"), at("bad.npz"), at("scalar.npy")]);
  t.is(code, 1);
  t.is(
    stderr,
    `error ENOENT ${at("no.npy")}: no such file\nerror ERR_NPY_OBJECT ${at("bad.npz")}#bad: dtype "|O" holds pickled Python objects, which are code and never unpickled\n`,
  );
  t.regex(stdout, /fine .*int64/);
  t.regex(stdout, /bad +- /);
  t.regex(stdout, /dtype +bool/);
});

test("a member that is not there is an error that names those that are", async (t) => {
  const { code, stdout, stderr } = await runCaptured(["inspect", at("stored.npz#c"), at("plain.npy#c")]);
  t.deepEqual([code, stdout], [1, ""]);
  t.is(
    stderr,
    `error ERR_NPZ_MEMBER ${at("stored.npz")}#c: the archive has no such array; it has "a", "b"\nerror ERR_NPZ_MEMBER ${at("plain.npy")}#c: the file is a .npy, a single array without members\n`,
  );
});
