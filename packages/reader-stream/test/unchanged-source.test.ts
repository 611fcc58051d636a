import { utimesSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { bytesSource, mappedSource, openNpy, openNpz } from "../src/index.ts";
import { checkUnchanged, isWatched } from "../src/unchanged-source.ts";
import { numpy, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("unchanged");
numpy(
  `
x = np.arange(8000, dtype='f4').reshape(1000, 8)
for name in 'abc':
    np.save(f'{sys.argv[1]}/{name}.npy', x)
np.savez(sys.argv[1] + '/x.npz', x=x.astype('u1'))
`,
  folder,
);

/** Changes a file's modification time, as a write does. */
function touch(name: string): void {
  const later = new Date(Date.now() + 10_000);
  utimesSync(join(folder, name), later, later);
}

test("only a source that can tell is asked", (t) => {
  const source = bytesSource(new Uint8Array(1));
  t.false(isWatched(source));
  t.notThrows(() => checkUnchanged(source));
});

test("a gather, rows and a slice of a mapped file that was changed are ERR_SOURCE_CHANGED", async (t) => {
  const path = join(folder, "a.npy");
  await using handle = await openNpy(mappedSource(path));
  t.is((await handle.gather([999, 0])).get(0, 7), 7999);
  const column = handle.slice(null, 3);
  t.is((await column.read()).get(999), 7995);
  touch("a.npy");
  const changed = { code: "ERR_SOURCE_CHANGED" };
  t.like(await t.throwsAsync(handle.gather([1]), changed), { path });
  await t.throwsAsync(handle.rows(0, 1), changed);
  await t.throwsAsync(column.read(), changed);
  await t.throwsAsync(handle.slice(null, 0).stream().toArray(), changed);
});

test("a stored member of a mapped archive that was changed is ERR_SOURCE_CHANGED", async (t) => {
  const path = join(folder, "x.npz");
  await using archive = await openNpz(mappedSource(path));
  await using handle = await archive.open("x");
  t.is((await handle.gather([1])).get(0, 0), 8);
  touch("x.npz");
  t.like(await t.throwsAsync(handle.gather([1]), { code: "ERR_SOURCE_CHANGED" }), { path, member: "x" });
});

test("of several shards only those are asked that are looked at, and the changed one is named", async (t) => {
  await using handle = await openNpy([mappedSource(join(folder, "b.npy")), mappedSource(join(folder, "c.npy"))]);
  touch("c.npy");
  t.is((await handle.gather([0, 999])).get(1, 0), 7992);
  const error = await t.throwsAsync(handle.gather([0, 1000]), { code: "ERR_SOURCE_CHANGED" });
  t.like(error, { path: join(folder, "c.npy") });
});
