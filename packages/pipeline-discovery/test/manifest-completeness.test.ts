import { copyFile, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createShardWriter } from "@npystream/writer-stream";
import test from "ava";
import { discover, nameTemplate, runStage } from "../src/index.ts";
import { makeFolder, removeFolders, takeKeys, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";

test.after.always(removeFolders);

const names = nameTemplate("{split}.manifest.json");
const sets = {
  roles: { features: { dtype: "float32", shape: ["N", 2] }, labels: { dtype: "int64", shape: ["N"] } },
} as const;

async function writeShards(folder: string, rows = 10): Promise<void> {
  const paths = { features: join(folder, "x-{shard:03}.npy"), labels: join(folder, "y-{shard:03}.npy") };
  const roles = { features: { dtype: "float32", rowShape: [2] }, labels: { dtype: "int64", rowShape: [] } } as const;
  const out = createShardWriter(paths, { maxRows: 4, manifest: "train.manifest.json", roles });
  for (let row = 0; row < rows; row++) {
    await out.push({ features: new Float32Array([row, row + 0.5]), labels: new BigInt64Array([BigInt(row)]) });
  }
  await out.finish();
}

const look = (root: string, logger = new MemoryLogger()) =>
  discover({ roots: root, names, sets, once: true, settleMs: 0, logger });

test("a manifest is a set, whose arrays are those of its shards", async (t) => {
  const root = makeFolder();
  await writeShards(root);
  const found = look(root);
  const [set] = await takeSets(found, 1);
  t.is(set?.key, "train");
  t.deepEqual(set?.arrays.features.shape, [10, 2]);
  t.is(set?.arrays.features.byteLength, 80);
  t.is(set?.arrays.features.path, join(root, "train.manifest.json"));
  t.deepEqual(
    set?.arrays.labels.shards,
    [0, 1, 2].map((at) => join(root, `y-00${at}.npy`)),
  );
  await using features = await set?.arrays.features.open();
  t.deepEqual((await features?.rows(3, 6))?.toNested(), [
    [3, 3.5],
    [4, 4.5],
    [5, 5.5],
  ]);
  await using labels = await set?.arrays.labels.open();
  t.deepEqual((await labels?.read())?.toNested(), [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n]);
  await found.close();
});

test("a manifest of no rows is a set of empty arrays", async (t) => {
  const root = makeFolder();
  await writeShards(root, 0);
  const [set] = await takeSets(look(root), 1);
  await using features = await set?.arrays.features.open();
  t.deepEqual((await features?.read())?.shape, [0, 2]);
});

test("a manifest waits for shards that come after it, whole", async (t) => {
  const [made, root] = [makeFolder(), makeFolder()];
  await writeShards(made);
  await using found = discover({ roots: root, names, sets, sweepMs: 50, settleMs: 0, logger: new MemoryLogger() });
  const next = takeSets(found, 1);
  const files = (await readdir(made)).sort();
  t.is(files[0], "train.manifest.json");
  for (const name of files.slice(0, -1)) {
    await copyFile(join(made, name), join(root, name));
  }
  const last = await readFile(join(made, files.at(-1) ?? ""));
  await writeFile(join(root, files.at(-1) ?? ""), last.subarray(0, 100));
  t.is(await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 200, "waiting"))]), "waiting");
  await writeFile(join(root, files.at(-1) ?? ""), last);
  t.is((await next)[0]?.key, "train");
});

test("a manifest that is cut off is waited for at every length", async (t) => {
  const root = makeFolder();
  await writeShards(root);
  const path = join(root, "train.manifest.json");
  const { length } = (await readFile(path, "utf8")).trimEnd();
  const logger = new MemoryLogger();
  for (let size = length - 1; size > 0; size -= 13) {
    await truncate(path, size);
    t.deepEqual(await takeKeys(look(root, logger)), []);
  }
  t.deepEqual(
    logger.messages("warn").filter((message) => message === "a set is quarantined"),
    [],
  );
});

test("a shard that is not what the manifest says is refused, and the set with it", async (t) => {
  const root = makeFolder();
  await writeShards(root);
  await rename(join(root, "x-002.npy"), join(root, "x-001.npy"));
  await copyFile(join(root, "x-001.npy"), join(root, "x-002.npy"));
  const found = look(root);
  t.deepEqual(await takeKeys(found), []);
  t.like(found.quarantined[0], { key: "train" });
  t.like(found.quarantined[0]?.error, { code: "ERR_MANIFEST" });
});

test("a manifest that is none is refused with its code", async (t) => {
  const root = makeFolder();
  await writeFile(join(root, "train.manifest.json"), JSON.stringify({ format: "other" }));
  const found = look(root);
  t.deepEqual(await takeKeys(found), []);
  t.like(found.quarantined[0]?.error, { code: "ERR_MANIFEST" });
});

test("a shard that was replaced after the delivery is noticed when the array is opened", async (t) => {
  const root = makeFolder();
  await writeShards(root);
  const [set] = await takeSets(look(root), 1);
  await writeFile(join(root, "y-001.npy"), await readFile(join(root, "y-000.npy")));
  await t.throwsAsync(async () => await set?.arrays.labels.open(), { code: "ERR_SET_CHANGED" });
  await t.notThrowsAsync(async () => (await set?.arrays.features.open())?.close());
});

test("a manifest and its shards are deleted when the set is done, and are not moved", async (t) => {
  const root = makeFolder();
  await writeShards(root);
  const logger = new MemoryLogger();
  t.like(
    await runStage(look(root), () => undefined, { after: { move: nameTemplate("done/{split}.{role}.npy") }, logger }),
    {
      done: 1,
    },
  );
  t.regex(String(logger.entries[0]?.fields["err"]), /cannot be moved/);
  await runStage(look(root), () => undefined, { after: "delete", logger });
  t.deepEqual(await readdir(root), []);
  await rm(root, { recursive: true });
});

test("a shard that is replaced makes another set of the manifest, without anybody giving the first one back", async (t) => {
  const root = makeFolder();
  await writeShards(root);
  await using found = discover({ roots: root, names, sets, settleMs: 0, sweepMs: 50, logger: new MemoryLogger() });
  const iterator = found[Symbol.asyncIterator]();
  const first = (await iterator.next()).value;
  await writeFile(join(root, "y-001.npy"), await readFile(join(root, "y-000.npy")));
  await t.throwsAsync(async () => await first?.arrays.labels.open(), { code: "ERR_SET_CHANGED" });
  const second = (await iterator.next()).value;
  t.is(second?.key, "train");
  t.not(second?.generation, first?.generation);
});

test("by its content a manifest whose shards are copied is the same set, and one with a shard of other rows is another", async (t) => {
  const root = makeFolder();
  await writeShards(root);
  const generation = async (): Promise<string | undefined> => {
    const options = { roots: root, names, sets, once: true, settleMs: 0, logger: new MemoryLogger() } as const;
    await using found = discover({ ...options, verify: "digest" });
    return (await takeSets(found, 1))[0]?.generation;
  };
  const first = await generation();
  await copyFile(join(root, "y-001.npy"), join(root, "y.copy"));
  await rename(join(root, "y.copy"), join(root, "y-001.npy"));
  t.is(await generation(), first);
  await copyFile(join(root, "y-000.npy"), join(root, "y-001.npy"));
  t.not(await generation(), first);
});
