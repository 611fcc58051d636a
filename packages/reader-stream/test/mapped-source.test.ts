import { existsSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import {
  fileSource,
  type MappedSource,
  type MappedSourceOptions,
  mappedSource,
  openNpy,
  openNpz,
} from "../src/index.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";
import { sourceSuite } from "./source-suite.ts";

const folder = testFolder("mapped-source");
const path = join(folder, "x.npy");
const expected = numpy<{ gathered: number[][]; big: number[][] }>(
  `
x = np.arange(100_000 * 8, dtype='>i4').reshape(100_000, 8)
np.save(sys.argv[1] + '/x.npy', x)
np.savez(sys.argv[1] + '/x.npz', x=x[:100])
big = np.lib.format.open_memmap(sys.argv[1] + '/big.npy', 'w+', 'f4', (20 << 20, 256))
big[19_000_000, :3] = [1, 2, 3]; big[12, 0] = 4
print(json.dumps(dict(gathered=x[[99_999, 0, 50_000]].tolist(), big=big[[19_000_000, 12, 5], :4].tolist())))
`,
  folder,
);
const content = readFileSync(path);

for (const windowBytes of [undefined, 65_536]) {
  sourceSuite(test, `a file mapped ${windowBytes === undefined ? "whole" : "by windows"}`, async (_, name, bytes) => {
    const file = join(folder, `${name}-${windowBytes}`);
    if (!existsSync(file)) writeFileSync(file, bytes);
    const source = mappedSource(file, windowBytes === undefined ? {} : { windowBytes });
    return { source, held: () => openDescriptors(file) };
  });
}

function open(options?: MappedSourceOptions): MappedSource {
  return mappedSource(path, options);
}

for (const windowBytes of [undefined, 1, 65_536, 1_000_000]) {
  test(`ranges are the file's bytes with windows of ${windowBytes ?? "the whole file"}`, async (t) => {
    const source = open(windowBytes === undefined ? {} : { windowBytes });
    t.is(source.byteLength, content.length);
    for (const [position, length] of [
      [0, 128],
      [128, 70_000],
      [70_128, 5],
      [65_530, 12],
      [2_000_000, 1_200_000],
      [999_999, 3],
      [content.length - 7, 7],
      [content.length, 0],
    ] as const) {
      const part = content.subarray(position, position + length);
      t.deepEqual(Buffer.from(source.bytes(position, length)), part);
      const [now, later] = [Buffer.alloc(length), Buffer.alloc(length)];
      source.readSync(now, position);
      t.deepEqual(now, part);
      await source.read(later, position);
      t.deepEqual(later, part);
    }
    await source.close();
  });
}

test("handles and archives read through it", async (t) => {
  const array = await openNpy(open({ windowBytes: 1 << 18 }));
  t.deepEqual(plain(await array.gather([99_999, 0, 50_000])), expected.gathered);
  t.is((await array.read()).get(99_999, 7), 799_999);
  let rows = 0;
  for await (const chunk of array.stream()) rows += chunk.length;
  t.is(rows, 100_000);
  await array.close();
  const archive = await openNpz(mappedSource(pathToFileURL(join(folder, "x.npz"))));
  t.is((await (await archive.open("x")).read()).get(99, 7), 799);
  await archive.close();
});

test("a file of 20 GiB is opened and read in parts", async (t) => {
  const array = await openNpy(mappedSource(join(folder, "big.npy")));
  t.deepEqual(array.shape, [20 << 20, 256]);
  const rows = await array.gather([19_000_000, 12, 5]);
  t.deepEqual(plain(rows.slice(null, { stop: 4 })), expected.big);
  t.is((await array.rows(18_999_999, 19_000_001)).get(1, 2), 3);
  await array.close();
});

test("a view is of the same pages while it is inside the window, and short ranges elsewhere move no window", (t) => {
  const source = open({ windowBytes: 1 << 17 });
  const first = source.bytes(0, 1000);
  const random = source.bytes(2_000_000, 100);
  t.not(random.buffer, first.buffer);
  t.is(random.byteLength, random.buffer.byteLength);
  t.is(source.bytes(500, 1000).buffer, first.buffer);
  // One that goes on where the last ended moves it.
  const next = source.bytes(1500, 1 << 17);
  t.not(next.buffer, first.buffer);
  t.true(next.buffer.byteLength > next.byteLength);
  t.deepEqual(Buffer.from(first), content.subarray(0, 1000));
});

test("a change of its bytes is not written to the file", async (t) => {
  const source = open();
  source.bytes(0, 10).fill(1);
  t.deepEqual(readFileSync(path), content);
  await source.close();
});

test("its version is that of a file source, so that fingerprints are the same", async (t) => {
  const [mapped, file] = [open(), await fileSource(path)];
  t.is(mapped.version, file.version);
  await file.close();
  await mapped.close();
});

test("a range past the end, and a file that was cut since, are ERR_SOURCE_TRUNCATED", async (t) => {
  const source = open();
  t.like(
    t.throws(() => source.bytes(content.length - 1, 2), { code: "ERR_SOURCE_TRUNCATED" }),
    { path },
  );
  await t.throwsAsync(source.read(new Uint8Array(2), content.length - 1), { code: "ERR_SOURCE_TRUNCATED" });
  await source.close();
  for (const windowBytes of [undefined, 1 << 17]) {
    const cut = join(folder, `cut-${windowBytes ?? "whole"}.bin`);
    writeFileSync(cut, content);
    const other = mappedSource(cut, windowBytes === undefined ? {} : { windowBytes });
    truncateSync(cut, content.length - 1);
    t.throws(() => other.bytes(0, 10), { code: "ERR_SOURCE_TRUNCATED" });
    await t.throwsAsync(other.read(new Uint8Array(10), 0), { code: "ERR_SOURCE_TRUNCATED" });
    await other.close();
  }
});

test("a file that was modified since it was opened is ERR_SOURCE_CHANGED, before and after it came into view", async (t) => {
  const changed = join(folder, "changed.bin");
  writeFileSync(changed, content);
  const [unseen, seen] = [mappedSource(changed), mappedSource(changed)];
  t.is(seen.bytes(0, 10).length, 10);
  const later = new Date(Date.now() + 10_000);
  utimesSync(changed, later, later);
  t.throws(() => unseen.bytes(0, 10), { code: "ERR_SOURCE_CHANGED" });
  t.like(await t.throwsAsync(seen.read(new Uint8Array(10), 0), { code: "ERR_SOURCE_CHANGED" }), { path: changed });
  await unseen.close();
  await seen.close();
});

test("views outlive its close, after which there are no others and no descriptor", async (t) => {
  const file = join(folder, "closed.npy");
  writeFileSync(file, content);
  const source = mappedSource(file);
  const bytes = source.bytes(0, content.length);
  await source.close();
  await source.close();
  t.deepEqual(Buffer.from(bytes), content);
  t.throws(() => source.bytes(0, 1), { instanceOf: TypeError, message: /closed/ });
  await t.throwsAsync(source.read(new Uint8Array(1), 0), { instanceOf: TypeError });
  t.is(openDescriptors(file), 0);
});

test("an aborted read rejects with the reason, and a file without bytes takes no mapping", async (t) => {
  const source = open();
  const reason = new Error("enough");
  t.is(await t.throwsAsync(source.read(new Uint8Array(1), 0, { signal: AbortSignal.abort(reason) })), reason);
  await source.close();
  writeFileSync(join(folder, "empty"), "");
  const empty = mappedSource(join(folder, "empty"));
  t.is(empty.bytes(0, 0).length, 0);
  await empty.close();
  await t.throwsAsync(openNpy(mappedSource(join(folder, "empty"))), { code: "ERR_NPY_TRUNCATED" });
});

test("options that cannot be are refused, and nothing stays open", (t) => {
  t.throws(() => open({ windowBytes: 0 }), { instanceOf: RangeError });
  t.throws(() => open({ windowBytes: 1.5 }), { instanceOf: RangeError });
  t.throws(() => open({ window: 1 } as MappedSourceOptions), { instanceOf: TypeError, message: /no option window/ });
  t.throws(() => mappedSource(join(folder, "missing")), { code: "ENOENT" });
  t.throws(() => mappedSource(folder), { instanceOf: TypeError });
});
