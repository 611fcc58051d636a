import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteSink } from "@npystream/codec";
import { createNpzWriter } from "@npystream/writer-stream";
import test from "ava";
import { python } from "./numpy-references.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-npz-large-"));
test.after.always(() => rmSync(folder, { recursive: true }));

/** Whether what takes minutes and 5 GB of disk is run too: archives of more than 4 GiB that are read whole. */
const isThorough = process.env["NPYSTREAM_LARGE"] === "1";

const ZEROS = Buffer.alloc(8 << 20);

/** A file with holes where zeros are, so that an archive of more than 4 GiB takes no disk and little time. */
async function sparseSink(path: string): Promise<ByteSink> {
  const file = await open(path, "w");
  let end = 0;
  return {
    seekable: true,
    async write(bytes, position = end) {
      end = Math.max(end, position + bytes.length);
      if (bytes.length === ZEROS.length && ZEROS.equals(bytes)) return;
      await file.write(bytes, 0, bytes.length, position);
    },
    async commit() {
      await file.close();
    },
    async abort() {
      await file.close();
    },
  };
}

test.serial("an array past 4 GiB and what lies behind it are where NumPy and zipfile look for them", async (t) => {
  t.timeout(600_000);
  const path = join(folder, "zeros.npz");
  const archive = createNpzWriter(isThorough ? path : await sparseSink(path));
  const rows = 513 * (8 << 20);
  const zeros = archive.member("zeros", { dtype: "uint8", rowShape: [] });
  for (let done = 0; done < rows; done += ZEROS.length) await zeros.push(ZEROS);
  t.deepEqual((await zeros.finish()).shape, [rows]);
  await archive.write("behind", Int32Array.of(1, 2, 3));
  t.is((await archive.finish()).byteLength > 2 ** 32, true);
  const program = `
import sys, zipfile, numpy as np
path, rows = sys.argv[1], int(sys.argv[2])
z = np.load(path)
assert z['behind'].tolist() == [1, 2, 3]
with zipfile.ZipFile(path) as archive:
    info = archive.getinfo('zeros.npy')
    assert info.file_size == info.compress_size == rows + 128 and archive.getinfo('behind.npy').header_offset > rows
    with archive.open('zeros.npy') as file:
        assert np.lib.format.read_magic(file) == (1, 0)
        assert np.lib.format.read_array_header_1_0(file) == ((rows,), False, np.dtype('u1'))
    if len(sys.argv) > 3:
        assert archive.testzip() is None
        assert z['zeros'].shape == (rows,) and not z['zeros'].any()
print('ok')`;
  t.is(python(program, path, `${rows}`, ...(isThorough ? ["whole"] : [])).trim(), "ok");
  if (isThorough) t.true(execFileSync("unzip", ["-tq", path], { encoding: "utf8" }).includes("No errors"));
});

// Deflating and inflating 4 GiB takes most of a minute, so it is part of the thorough run alone.
if (isThorough) {
  test.serial("a deflated array past 4 GiB is read by NumPy and zipfile", async (t) => {
    t.timeout(600_000);
    const path = join(folder, "deflated.npz");
    const archive = createNpzWriter(path, { compress: true, level: 1 });
    const rows = 513 * (8 << 20);
    const zeros = archive.member("zeros", { dtype: "uint8", rowShape: [] });
    for (let done = 0; done < rows; done += ZEROS.length) await zeros.push(ZEROS);
    await zeros.finish();
    await archive.write("behind", Int32Array.of(1, 2, 3));
    await archive.finish();
    const program = `
import sys, zipfile, numpy as np
z = np.load(sys.argv[1])
assert z['behind'].tolist() == [1, 2, 3]
a = z['zeros']
assert a.shape == (int(sys.argv[2]),) and not a.any()
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
print('ok')`;
    t.is(python(program, path, `${rows}`).trim(), "ok");
    t.true(execFileSync("unzip", ["-tq", path], { encoding: "utf8" }).includes("No errors"));
  });
}

test.serial("70,000 members are read by NumPy, and more can be added", async (t) => {
  t.timeout(120_000);
  const path = join(folder, "many.npz");
  const archive = createNpzWriter(path);
  for (let i = 0; i < 70_000; i++) await archive.write(`m${i}`, Int32Array.of(i));
  await archive.finish();
  const more = createNpzWriter(path, { mode: "append" });
  await more.write("more", Int32Array.of(-1));
  await more.finish();
  const program = `
import sys, zipfile, numpy as np
z = np.load(sys.argv[1])
assert z.files == [f'm{i}' for i in range(70000)] + ['more']
for i in [0, 1, 65534, 65535, 65536, 69999]: assert z[f'm{i}'].tolist() == [i]
assert z['more'].tolist() == [-1]
assert z.zip.testzip() is None
print('ok')`;
  t.is(python(program, path).trim(), "ok");
});

const isFlat = test.macro({
  title: (_, compress: boolean) =>
    `memory does not grow with the arrays, ${compress ? "deflated" : "stored"}, one of them spooled`,
  exec(t, compress: boolean) {
    t.timeout(120_000);
    const script = join(import.meta.dirname, "writer-process.ts");
    const peak = (mebibytes: number): number => {
      const path = join(folder, `flat-${compress}.npz`);
      const nodeArguments = ["--conditions=@npystream/source", "--import=tsx", script, "archive", path];
      const printed = execFileSync(process.execPath, [...nodeArguments, `${mebibytes}`, `${compress}`], {
        encoding: "utf8",
      });
      return Number(printed);
    };
    const [little, much] = [peak(16), peak(160)];
    t.log(`${(little / 2 ** 20).toFixed(0)} MiB at 16 MiB a member, ${(much / 2 ** 20).toFixed(0)} at 160`);
    t.true(much - little < 48 << 20, `${little} and ${much} bytes`);
  },
});
test.serial(isFlat, false);
test.serial(isFlat, true);
