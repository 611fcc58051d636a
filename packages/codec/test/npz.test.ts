import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeNpz, encodeNpz, fromNested, NdArray } from "@npystream/codec";
import test from "ava";

const folder = mkdtempSync(join(tmpdir(), "npystream-npz-"));
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

for (const compress of [false, true]) {
  test(`NumPy and zipfile read an .npz written ${compress ? "deflated" : "stored"}`, (t) => {
    const path = join(folder, `written-${compress}.npz`);
    writeFileSync(path, encodeNpz(members, { compress }));
    const program =
      "import sys,json,zipfile,numpy as np\nassert zipfile.ZipFile(sys.argv[1]).testzip() is None\nz=np.load(sys.argv[1])\nprint(json.dumps([z.files,[str(z[k].dtype) for k in z.files],[z[k].shape for k in z.files],z['features'].tolist(),z['labels'].tolist()]))";
    const [names, dtypes, shapes, features, labels] = JSON.parse(python(program, path));
    t.deepEqual(names, Object.keys(members));
    t.deepEqual(dtypes, ["float32", "int64", "complex128", "float64"]);
    t.deepEqual(shapes, [[100, 6], [100], [2, 0], []]);
    t.deepEqual(features, members.features.toNested() as never);
    t.deepEqual(
      labels,
      Array.from({ length: 100 }, (_, i) => i - 50),
    );
  });

  test(`what NumPy writes ${compress ? "deflated" : "stored"} is read, members that are no arrays passed over`, (t) => {
    const path = join(folder, `numpy-${compress}.npz`);
    python(
      `import sys,zipfile,numpy as np\nnp.savez${compress ? "_compressed" : ""}(sys.argv[1],np.arange(10.),x=np.asfortranarray(np.arange(6).reshape(2,3)))\nz=zipfile.ZipFile(sys.argv[1],'a')\nz.comment=b'PK\\5\\6 in a comment'\nz.writestr('note.txt','hello')\nz.close()`,
      path,
    );
    const arrays = decodeNpz(readFileSync(path));
    t.deepEqual(Object.keys(arrays).sort(), ["arr_0", "x"]);
    t.deepEqual(arrays["x"]?.toNested() as never, [
      [0n, 1n, 2n],
      [3n, 4n, 5n],
    ]);
    t.is(arrays["x"]?.order, "F");
  });
}

/** An archive of one array with bytes changed at offsets from its start, its central header or its end record. */
function broken(change: (view: DataView, central: number, end: number) => void, compress = false): Uint8Array {
  const bytes = encodeNpz({ x: members.features }, { compress });
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  change(view, view.getUint32(end + 16, true), end);
  return bytes;
}

const refused = test.macro({
  exec: (t, bytes: Uint8Array, code: string) => {
    t.throws(() => decodeNpz(bytes), { code });
  },
  title: (name, _, code) => `refuses ${name} with ${code}`,
});
test("an archive cut by one byte", refused, encodeNpz(members).subarray(0, -1), "ERR_NPZ_DIRECTORY");
test("an empty file", refused, new Uint8Array(0), "ERR_NPZ_DIRECTORY");
test(
  "a directory outside the file",
  refused,
  broken((v, _, end) => v.setUint32(end + 16, 1 << 30, true)),
  "ERR_NPZ_DIRECTORY",
);
test(
  "a member outside the file",
  refused,
  broken((v, central) => v.setUint32(central + 42, 1 << 30, true)),
  "ERR_NPZ_DIRECTORY",
);
test(
  "a directory that ends early",
  refused,
  broken((v, _, end) => v.setUint16(end + 10, 2, true)),
  "ERR_NPZ_DIRECTORY",
);
test(
  "an encrypted member",
  refused,
  broken((v, central) => v.setUint16(central + 8, 1, true)),
  "ERR_NPZ_ENCRYPTED",
);
test(
  "bzip2",
  refused,
  broken((v, central) => v.setUint16(central + 10, 12, true)),
  "ERR_NPZ_METHOD",
);
test(
  "a flipped data byte",
  refused,
  broken((v) => v.setUint8(1000, v.getUint8(1000) ^ 1)),
  "ERR_NPZ_CRC",
);
test(
  "two sizes of a stored member",
  refused,
  broken((v, central) => v.setUint32(central + 24, 77, true)),
  "ERR_NPZ_SIZE",
);
test(
  "a size that deflate cannot reach",
  refused,
  broken((v, central) => v.setUint32(central + 24, 2 ** 31, true), true),
  "ERR_NPZ_SIZE",
);
test(
  "a deflated member larger than declared",
  refused,
  broken((v, central) => v.setUint32(central + 24, 100, true), true),
  "ERR_NPZ_SIZE",
);
test(
  "a broken deflate stream",
  refused,
  broken((v) => v.setUint8(55, 0xff), true),
  "ERR_NPZ_DEFLATE",
);
test(
  "two members of one name",
  refused,
  (() => {
    const bytes = encodeNpz({ a: members.scalar, b: members.scalar });
    const view = new DataView(bytes.buffer);
    const central = view.getUint32(bytes.length - 6, true);
    bytes[central + 46] = 0x62;
    return bytes;
  })(),
  "ERR_NPZ_DUPLICATE",
);

/** The archive that a program of Python writes to `f`. */
function written(program: string): Uint8Array {
  const hex = execFileSync(
    "python3",
    ["-c", `import io, zipfile, numpy as np\nf = io.BytesIO()\n${program}\nprint(f.getvalue().hex())`],
    {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  );
  return new Uint8Array(Buffer.from(hex.trim(), "hex"));
}

test("a member that inflates past its own header is refused before it is inflated", (t) => {
  const bomb = written(
    "x = io.BytesIO(); np.save(x, np.arange(4)); x.write(bytes(50_000_000))\nz = zipfile.ZipFile(f, 'w', zipfile.ZIP_DEFLATED); z.writestr('x.npy', x.getvalue()); z.writestr('note.txt', bytes(50_000_000)); z.close()",
  );
  t.true(bomb.length < 200_000);
  const before = process.memoryUsage().arrayBuffers;
  t.throws(() => decodeNpz(bomb), { code: "ERR_NPZ_SIZE" });
  t.true(process.memoryUsage().arrayBuffers - before < 16 << 20);
});

test("members that are compressed otherwise are refused, notes among them passed over", (t) => {
  const note = written(
    "x = io.BytesIO(); np.save(x, np.arange(4))\nz = zipfile.ZipFile(f, 'w'); z.writestr('x.npy', x.getvalue()); z.writestr('note.txt', 'hello', zipfile.ZIP_LZMA); z.close()",
  );
  t.is(decodeNpz(note)["x"]?.length, 4);
  const array = written(
    "x = io.BytesIO(); np.save(x, np.arange(4))\nz = zipfile.ZipFile(f, 'w'); z.writestr('x.npy', x.getvalue(), zipfile.ZIP_BZIP2); z.close()",
  );
  t.throws(() => decodeNpz(array), { code: "ERR_NPZ_METHOD" });
});

test("a local header of another member, or one that reaches into the next, is refused", (t) => {
  const bytes = encodeNpz({ a: fromNested([1, 2], "int8"), b: fromNested([3], "int8") });
  const renamed = bytes.slice();
  renamed[30] = 0x62;
  t.throws(() => decodeNpz(renamed), { code: "ERR_NPZ_DIRECTORY" });
  const longer = bytes.slice();
  new DataView(longer.buffer).setUint16(28, 4000, true);
  t.throws(() => decodeNpz(longer), { code: "ERR_NPZ_DIRECTORY" });
});
