import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isNpyError } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { openNpz } from "../src/index.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("archive");
numpy(
  `
rng = np.random.default_rng(3)
big = (rng.standard_normal((40_000, 8)) * 10).astype('f4').round()
np.savez(sys.argv[1] + '/stored.npz', big=big, small=np.arange(5))
np.savez_compressed(sys.argv[1] + '/deflated.npz', big=big, small=np.arange(5))
np.save(sys.argv[1] + '/big.npy', big)
`,
  folder,
);

/** Changes bytes of an archive; offsets of member `big`'s first data byte and of its central header are given. */
async function broken(
  kind: "stored" | "deflated",
  change: (bytes: Buffer, data: number, central: number) => void,
): Promise<string> {
  const bytes = await readFile(join(folder, `${kind}.npz`));
  const data = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
  change(bytes, data, bytes.readUInt32LE(bytes.length - 6));
  const path = join(folder, `broken-${Math.random().toString(36).slice(2)}.npz`);
  await writeFile(path, bytes);
  return path;
}

type Change = (bytes: Buffer, data: number, central: number) => void;

const refuses = test.macro({
  title: (_, what: string, code: string) => `${what} is ${code} with path and member, read whole and streamed`,
  async exec(t: ExecutionContext, _what: string, code: string, kind: "stored" | "deflated", change: Change) {
    const path = await broken(kind, change);
    for (const use of ["read", "stream"] as const) {
      await using archive = await openNpz(path);
      const error = await t.throwsAsync(async () => {
        await using array = await archive.open("big");
        if (use === "read") await array.read();
        else await array.stream().toArray();
      });
      t.true(isNpyError(error), String(error));
      t.like(error, { code, path, member: "big" });
    }
    t.is(openDescriptors(path), 0);
  },
});

test.serial(refuses, "a flipped byte of a stored member", "ERR_NPZ_CRC", "stored", (bytes, data) => {
  bytes[data + 500_000] = (bytes[data + 500_000] ?? 0) ^ 1;
});
test.serial(refuses, "a wrong checksum of a deflated member", "ERR_NPZ_CRC", "deflated", (bytes, _, central) => {
  bytes[central + 16] = (bytes[central + 16] ?? 0) ^ 1;
});
test.serial(refuses, "a broken deflate stream", "ERR_NPZ_DEFLATE", "deflated", (bytes, data) => {
  // A first block of type 3, which RFC 1951 section 3.2.3 reserves.
  bytes[data] = 0x07;
});
test.serial("a member larger than its own header declares is ERR_NPZ_SIZE", async (t) => {
  numpy(
    `
import io, zipfile
f = io.BytesIO(); np.save(f, np.arange(4)); f.write(b'more')
with zipfile.ZipFile(sys.argv[1] + '/longer.npz', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('x.npy', f.getvalue())
`,
    folder,
  );
  // The same archive whose directory leaves out the four bytes: its stream goes on past what it declares.
  const bytes = await readFile(join(folder, "longer.npz"));
  const central = bytes.readUInt32LE(bytes.length - 6);
  bytes.writeUInt32LE(bytes.readUInt32LE(central + 24) - 4, central + 24);
  await writeFile(join(folder, "inflating.npz"), bytes);
  await using inflating = await openNpz(join(folder, "inflating.npz"));
  await t.throwsAsync(inflating.open("x"), { code: "ERR_NPZ_SIZE", message: /inflates to more/ });
  await using archive = await openNpz(join(folder, "longer.npz"));
  await t.throwsAsync(archive.open("x"), { code: "ERR_NPZ_SIZE" });
});

test.serial("a size no deflate stream of that length can hold is ERR_NPZ_SIZE before it is inflated", async (t) => {
  const path = await broken("deflated", (bytes, _, central) => bytes.writeUInt32LE(0xfffffff0, central + 24));
  await using archive = await openNpz(path);
  await t.throwsAsync(archive.open("big"), { code: "ERR_NPZ_SIZE" });
});

test.serial("a part of a member is read without its checksum", async (t) => {
  const path = await broken("stored", (bytes, data) => {
    bytes[data + 500_000] = (bytes[data + 500_000] ?? 0) ^ 1;
  });
  await using archive = await openNpz(path);
  await using array = await archive.open("big");
  t.is((await array.rows(30_000, 30_001)).length, 1);
});

test.serial("two streams over one deflated member go forward without sending each other back", async (t) => {
  await using archive = await openNpz(join(folder, "deflated.npz"));
  await using array = await archive.open("big");
  const expected = plain(await array.read());
  const [first, second] = [array.stream(), array.stream({ start: 10 })];
  const iterators = [first[Symbol.asyncIterator](), second[Symbol.asyncIterator]()];
  const rows: unknown[][] = [[], []];
  for (let done = false; !done; ) {
    for (const [index, iterator] of iterators.entries()) {
      const step = await iterator.next();
      done = step.done === true;
      if (!done) rows[index]?.push(...(plain(step.value) as unknown[]));
    }
  }
  for await (const chunk of first) rows[0]?.push(...(plain(chunk) as unknown[]));
  t.deepEqual(rows[0], expected);
  t.deepEqual(rows[1]?.[0], (expected as unknown[])[10]);
});

test.serial("a stream of a deflated member that is left early leaves nothing behind", async (t) => {
  {
    await using archive = await openNpz(join(folder, "deflated.npz"));
    await using array = await archive.open("big");
    for await (const chunk of array.stream({ chunkBytes: 1000 })) {
      t.is(chunk.rowStart, 0);
      break;
    }
    await array.rows(20_000, 20_001);
  }
  t.is(openDescriptors(folder), 0);
});

test.serial("an archive that is none is ERR_NPZ_DIRECTORY with its path", async (t) => {
  const path = join(folder, "big.npy");
  t.like(await t.throwsAsync(openNpz(path)), { code: "ERR_NPZ_DIRECTORY", path });
  t.is(openDescriptors(folder), 0);
});
