import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeNpy, NdArray, parseShardManifest } from "@npystream/codec";
import test from "ava";
import { partialName } from "../src/partial-file.ts";
import { ownLife } from "../src/process-life.ts";
import { createShardWriter, type ShardWriter } from "../src/shard-writer.ts";
import { python } from "./numpy-references.ts";
import { openFiles } from "./open-files.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-shards-"));
test.after.always(() => rmSync(folder, { recursive: true }));
let folders = 0;
const newFolder = (): string => {
  const path = join(folder, `${folders++}`);
  mkdirSync(path);
  return path;
};
const ramp = (rows: number, columns: number, start = 0): NdArray =>
  NdArray.from(
    Float32Array.from({ length: rows * columns }, (_, i) => start * columns + i),
    [rows, columns],
  );

/** Has NumPy check every file against a manifest, and tells rows a shard and whether all rows are there in order. */
function checkByNumPy(manifest: string): string {
  const program = `
import sys, os, json, hashlib, numpy as np
path = sys.argv[1]
manifest, out = json.load(open(path)), []
for role, array in manifest["arrays"].items():
    parts = []
    for shard in manifest["shards"]:
        file = shard["files"][role]
        content = open(os.path.join(os.path.dirname(path), file["name"]), "rb").read()
        assert hashlib.sha256(content).hexdigest() == file["sha256"] and len(content) == file["byteLength"], file
        part = np.load(os.path.join(os.path.dirname(path), file["name"]))
        assert part.dtype == np.dtype(array["descr"]) and list(part.shape[1:]) == array["rowShape"]
        parts.append(part)
    whole = np.concatenate(parts)
    assert len(whole) == manifest["rows"] and (whole.ravel() == np.arange(whole.size)).all(), role
    out.append(f"{role} {[len(part) for part in parts]}")
print(", ".join(out))`;
  return python(program, manifest).trim();
}

test("rows go into shards of maxRows, whatever the chunks, and the manifest tells what NumPy finds", async (t) => {
  for (const size of [1, 3, 10, 11, 40, 100]) {
    const place = newFolder();
    const out = createShardWriter(join(place, "features-{shard:05}.npy"), { maxRows: 10 });
    for (let row = 0; row < 100; row += size) await out.push(ramp(Math.min(size, 100 - row), 3, row));
    const { path, manifest, byteLength } = await out.finish();
    t.is(path, join(place, "features.manifest.json"));
    t.is(checkByNumPy(path), `features [${Array(10).fill(10).join(", ")}]`);
    t.deepEqual(parseShardManifest(readFileSync(path, "utf8")), manifest);
    t.is(byteLength, 10 * (128 + 120));
    t.is(readdirSync(place).length, 11);
    t.deepEqual(openFiles(place), []);
  }
});

test("the last shard is shorter, its digest that of its own header", async (t) => {
  for (const rows of [1, 9, 11, 25]) {
    const place = newFolder();
    const out = createShardWriter(join(place, "x.{shard:03}.npy"), { maxRows: 10, dtype: "float32", rowShape: [2] });
    // A row larger than what is gathered makes the header leave before the end is known.
    for (let row = 0; row < rows; row++) await out.push(Float32Array.of(2 * row, 2 * row + 1));
    const { path } = await out.finish();
    const shards = [...Array(Math.floor(rows / 10)).fill(10), ...(rows % 10 === 0 ? [] : [rows % 10])];
    t.is(checkByNumPy(path), `x [${shards.join(", ")}]`);
  }
  const place = newFolder();
  const out = createShardWriter(join(place, "x-{shard:03}.npy"), { maxRows: 9, highWaterMark: 256 });
  await out.push(ramp(25, 200));
  t.is(checkByNumPy((await out.finish()).path), "x [9, 9, 7]");
});

test("maxBytes counts the header, a longer row is a shard by itself, and the smaller of two bounds holds", async (t) => {
  const shards = async (options: { maxBytes: number; maxRows?: number }): Promise<readonly number[]> => {
    const place = newFolder();
    const out = createShardWriter(join(place, "x-{shard:02}.npy"), options);
    await out.push(ramp(7, 4));
    const { manifest } = await out.finish();
    for (const name of readdirSync(place).filter((entry) => entry.endsWith(".npy"))) {
      t.true(readFileSync(join(place, name)).length <= Math.max(options.maxBytes, 144));
    }
    return manifest.shards.map(({ rows }) => rows);
  };
  t.deepEqual(await shards({ maxBytes: 128 + 3 * 16 }), [3, 3, 1]);
  t.deepEqual(await shards({ maxBytes: 128 + 3 * 16 - 1 }), [2, 2, 2, 1]);
  t.deepEqual(await shards({ maxBytes: 1 }), [1, 1, 1, 1, 1, 1, 1]);
  t.deepEqual(await shards({ maxBytes: 128 + 48, maxRows: 5 }), [3, 3, 1]);
  t.deepEqual(await shards({ maxBytes: 1 << 20, maxRows: 5 }), [5, 2]);
});

test("several roles roll over together: a shard of each has the same rows", async (t) => {
  for (const size of [1, 4, 7, 64]) {
    const place = newFolder();
    const names = { features: join(place, "features-{shard:05}.npy"), labels: join(place, "labels-{shard:05}.npy") };
    const out = createShardWriter(names, { maxRows: 7, roles: { labels: { dtype: "int64", rowShape: [] } } });
    for (let row = 0; row < 64; row += size) {
      const rows = Math.min(size, 64 - row);
      const labels = BigInt64Array.from({ length: rows }, (_, i) => BigInt(row + i));
      await out.push({ features: ramp(rows, 5, row), labels });
    }
    const { path, manifest } = await out.finish();
    const rows = [...Array(9).fill(7), 1].join(", ");
    t.is(checkByNumPy(path), `features [${rows}], labels [${rows}]`);
    t.is(basename(path), "features.manifest.json");
    t.deepEqual(manifest.shards[3]?.files["labels"]?.name, "labels-00003.npy");
  }
});

test("a pipeline ends in a manifest, and an array without rows is one empty shard", async (t) => {
  const place = newFolder();
  const out = createShardWriter(join(place, "x-{shard:02}.npy"), { maxRows: 4 });
  await pipeline(async function* () {
    for (let row = 0; row < 10; row++) yield [row];
  }, out);
  t.is(checkByNumPy(join(place, "x.manifest.json")), "x [4, 4, 2]");
  const none = createShardWriter(join(place, "{shard:02}.npy"), { maxRows: 4, dtype: "int8", rowShape: [3] });
  const { path, manifest } = await none.finish();
  t.is(basename(path), "shards.manifest.json");
  t.deepEqual(
    manifest.shards.map(({ rows }) => rows),
    [0],
  );
  t.deepEqual([...decodeNpy(readFileSync(join(place, "00.npy"))).shape], [0, 3]);
  const unknown = createShardWriter(join(place, "y-{shard:02}.npy"), { maxRows: 4 });
  await t.throwsAsync(unknown.finish(), { code: "ERR_WRITE_DTYPE", message: /y/ });
});

test("a shard has its name as soon as it is full, and the manifest comes last", async (t) => {
  const place = newFolder();
  const out = createShardWriter(join(place, "x-{shard:02}.npy"), { maxRows: 2 });
  await out.push([1, 2]);
  for (let i = 0; i < 500 && !existsSync(join(place, "x-00.npy")); i++) await sleep(10);
  t.deepEqual(
    readdirSync(place).filter((name) => !name.startsWith(".")),
    ["x-00.npy"],
  );
  await out.push([3]);
  await out.finish();
  t.deepEqual(readdirSync(place).sort(), ["x-00.npy", "x-01.npy", "x.manifest.json"]);
});

test("shards or a manifest that exist are ERR_WRITE_EXISTS, by name, and stay", async (t) => {
  for (const name of ["x-00042.npy", "x.manifest.json"]) {
    const place = newFolder();
    writeFileSync(join(place, name), "old");
    writeFileSync(join(place, "y-00000.npy"), "other");
    const out = createShardWriter(join(place, "x-{shard:05}.npy"), { maxRows: 2 });
    const error = await t.throwsAsync(out.push([1, 2, 3]), { code: "ERR_WRITE_EXISTS" });
    t.like(error, { path: join(place, name) });
    t.is(readFileSync(join(place, name), "utf8"), "old");
    t.is(readdirSync(place).length, 2);
  }
});

test("overwrite replaces the earlier run: its manifest goes first, its further shards before the new one is there", async (t) => {
  const place = newFolder();
  const names = join(place, "x-{shard:05}.npy");
  const write = async (rows: number): Promise<void> => {
    const out = createShardWriter(names, { maxRows: 2, overwrite: true });
    await out.push(Float64Array.from({ length: rows }, (_, i) => i));
    await out.finish();
  };
  await write(9);
  writeFileSync(join(place, "x-1.npy"), "not of these names");
  const refused = createShardWriter(names, { maxRows: 2, overwrite: true, dtype: "int8" });
  await t.throwsAsync(refused.push([1.5]), { code: "ERR_WRITE_DTYPE" });
  // Nothing was replaced, so the old set stands.
  t.is(checkByNumPy(join(place, "x.manifest.json")), "x [2, 2, 2, 2, 1]");
  const failed = createShardWriter(names, { maxRows: 2, overwrite: true });
  await failed.push([7, 8, 9]);
  await t.throwsAsync(failed.push("no" as unknown as number[]), { code: "ERR_WRITE_DTYPE" });
  t.false(existsSync(join(place, "x.manifest.json")));
  t.is(readdirSync(place).filter((name) => name.startsWith(".")).length, 0);
  await write(3);
  t.is(checkByNumPy(join(place, "x.manifest.json")), "x [2, 1]");
  t.deepEqual(readdirSync(place).sort(), ["x-00000.npy", "x-00001.npy", "x-1.npy", "x.manifest.json"]);
});

test("partials of dead writers are removed, also of shards that this run does not come to", async (t) => {
  const place = newFolder();
  const dead = { ...ownLife(), start: "0badc0ffee" };
  const stay = [partialName("x-00009.npy"), partialName("y-00009.npy", dead)];
  for (const name of [partialName("x-00009.npy", dead), partialName("x.manifest.json", dead), ...stay]) {
    writeFileSync(join(place, name), "");
  }
  const out = createShardWriter(join(place, "x-{shard:05}.npy"), { maxRows: 2 });
  await out.push([1]);
  await out.finish();
  t.deepEqual(
    readdirSync(place)
      .filter((name) => name.startsWith("."))
      .sort(),
    stay.sort(),
  );
});

test("one writer at a time has the names", async (t) => {
  const place = newFolder();
  const names = join(place, "x-{shard:05}.npy");
  const first = createShardWriter(names, { maxRows: 2, overwrite: true });
  await first.push([1]);
  await t.throwsAsync(createShardWriter(names, { maxRows: 2, overwrite: true }).push([1]), {
    code: "ERR_WRITE_LOCKED",
  });
  await first.finish();
  await createShardWriter(names, { maxRows: 2, overwrite: true, dtype: "int8", rowShape: [] }).finish();
});

test("writers that share the shards or the manifest exclude each other, others do not", async (t) => {
  const place = newFolder();
  const at = (name: string): string => join(place, name);
  const options = { maxRows: 2, overwrite: true };
  const first = createShardWriter(at("x-{shard:05}.npy"), { ...options, manifest: "a.json" });
  await first.push([1]);
  for (const [names, manifest] of [
    [at("x-{shard:05}.npy"), "b.json"],
    [at("x-{shard:02}.npy"), "b.json"],
    [{ y: at("y-{shard:05}.npy"), x: at("x-{shard:05}.npy") }, "b.json"],
    [at("y-{shard:05}.npy"), "a.json"],
  ] as const) {
    const out = createShardWriter(names as string, { ...options, manifest });
    await t.throwsAsync(out.push([1]), { code: "ERR_WRITE_LOCKED" });
  }
  const other = createShardWriter(at("y-{shard:05}.npy"), { ...options, manifest: "b.json" });
  await other.push([0]);
  await other.finish();
  await first.push([2, 3]);
  t.is((await first.finish()).manifest.rows, 3);
  t.deepEqual(readdirSync(place).sort(), ["a.json", "b.json", "x-00000.npy", "x-00001.npy", "y-00000.npy"]);
});

test("overwrite removes every manifest that tells of the shards it replaces, and no other JSON", async (t) => {
  const place = newFolder();
  const at = (name: string): string => join(place, name);
  const names = { f: at("f-{shard:05}.npy"), l: at("l-{shard:05}.npy") };
  const both = createShardWriter(names, { maxRows: 2 });
  await both.push({ f: [0, 1, 2], l: [0, 1, 2] });
  await both.finish();
  const other = createShardWriter(at("o-{shard:05}.npy"), { maxRows: 2 });
  await other.push([0]);
  await other.finish();
  writeFileSync(at("notes.json"), '{"l-00000.npy": 1}');
  writeFileSync(at("cut.json"), '{"format": "npystream-shards", "version": 1, "l-00000.npy"');
  mkdirSync(at("folder.json"));
  const one = createShardWriter(names.l, { maxRows: 2, overwrite: true, manifest: "second.json" });
  await one.push([0]);
  t.true(existsSync(at("f.manifest.json")), "nothing is replaced yet");
  await one.finish();
  t.deepEqual(
    readdirSync(place).filter((name) => name.endsWith("json")),
    ["cut.json", "folder.json", "notes.json", "o.manifest.json", "second.json"],
  );
  t.is(checkByNumPy(at("second.json")), "l [1]");
  t.is(checkByNumPy(at("o.manifest.json")), "o [1]");
});

const ends = test.macro({
  title: (how) => `${how} leaves whole shards, no manifest and nothing else`,
  async exec(t, end: (out: ShardWriter, controller: AbortController) => Promise<unknown>, expected: unknown) {
    const place = newFolder();
    const controller = new AbortController();
    const { signal } = controller;
    const out = createShardWriter(join(place, "x-{shard:05}.npy"), { maxRows: 1000, highWaterMark: 4096, signal });
    await out.push(ramp(2500, 16));
    t.is(await end(out, controller).catch((error: unknown) => error), expected);
    if (!out.closed) await new Promise((resolve) => out.once("close", resolve));
    for (const name of readdirSync(place)) {
      t.regex(name, /^x-0000[01]\.npy$/);
      t.is(decodeNpy(readFileSync(join(place, name)), { strict: true }).length, 1000);
    }
    t.deepEqual(openFiles(place), []);
    await createShardWriter(join(place, "x-{shard:05}.npy"), {
      maxRows: 9,
      overwrite: true,
      dtype: "int8",
      rowShape: [],
    }).finish();
    t.deepEqual(readdirSync(place).sort(), ["x-00000.npy", "x.manifest.json"]);
  },
});
const upstream = new Error("upstream");
test(
  "an abort",
  ends,
  async (out, controller) => {
    controller.abort(upstream);
    return await out.finish();
  },
  upstream,
);
test(
  "an abort while a push goes on",
  ends,
  async (out, controller) => {
    const pushed = out.push(ramp(100_000, 16));
    setImmediate(() => controller.abort(upstream));
    return await pushed;
  },
  upstream,
);
test(
  "an error upstream",
  ends,
  async (out) => {
    const rows = async function* (): AsyncGenerator<NdArray> {
      yield ramp(3000, 16);
      throw upstream;
    };
    return await pipeline(rows(), out);
  },
  upstream,
);

test("chunks that do not fit are refused by role and chunk", async (t) => {
  const refused = async (
    code: string,
    message: RegExp,
    chunk: object,
    first: object = { x: [1], y: [2] },
  ): Promise<void> => {
    const place = newFolder();
    const out = createShardWriter(
      { x: join(place, "x-{shard:02}.npy"), y: join(place, "y-{shard:02}.npy") },
      { maxRows: 9 },
    );
    await out.push(first as { x: number[]; y: number[] });
    await t.throwsAsync(out.push(chunk as { x: number[]; y: number[] }), { code, message });
    t.deepEqual(readdirSync(place), []);
  };
  await refused("ERR_WRITE_SHAPE", /chunk 1: 2 rows of x and 1 of y/, { x: [1, 2], y: [3] });
  await refused("ERR_WRITE_SHAPE", /chunk 1: .*no rows of y/, { x: [1, 2] });
  await refused("ERR_WRITE_SHAPE", /chunk 1: .*"z"/, { x: [1], y: [1], z: [1] });
  await refused("ERR_WRITE_SHAPE", /chunk 1: .*no rows of x/, new Float64Array(2));
  await refused("ERR_WRITE_DTYPE", /chunk 1, y: /, { x: [1], y: Float32Array.of(1) });
});

test("a folder that is missing is ERR_WRITE_IO", async (t) => {
  const out = createShardWriter(join(newFolder(), "absent/x-{shard:02}.npy"), { maxRows: 9 });
  await t.throwsAsync(out.push([1]), { code: "ERR_WRITE_IO" });
});

test.serial("progress counts all shards, at most ten times a second and once more at the end", async (t) => {
  const seen: { rows: number; bytes: number }[] = [];
  const place = newFolder();
  const started = performance.now();
  const out = createShardWriter(join(place, "x-{shard:05}.npy"), {
    maxRows: 5000,
    onProgress: (progress) => seen.push(progress),
  });
  const row = new Float64Array(8);
  while (seen.length < 2) await out.push(NdArray.from(row, [1, 8]));
  const { manifest, byteLength } = await out.finish();
  t.true(seen.length <= 1 + (performance.now() - started) / 100);
  t.deepEqual(seen.at(-1), { rows: manifest.rows, bytes: byteLength });
  t.true(seen.every(({ rows, bytes }, i) => rows >= (seen[i - 1]?.rows ?? 0) && bytes >= (seen[i - 1]?.bytes ?? 0)));
});

test("options and names that are none are refused at once", (t) => {
  const create = (names: unknown, options: object) => (): unknown =>
    createShardWriter(names as string, options as { maxRows: 1 });
  const name = "x-{shard:05}.npy";
  const two = { x: "x-{shard:02}.npy", y: "y-{shard:02}.npy" };
  for (const [names, options] of [
    [name, {}],
    [name, { maxrows: 5 }],
    [name, { maxRows: 5, roles: {} }],
    [name, { maxRows: 5, rowShape: 3 }],
    [name, { maxRows: 5, manifest: "a/b.json" }],
    [name, { maxRows: 5, manifest: "x-00042.npy" }],
    [two, { maxRows: 5, dtype: "int8" }],
    [two, { maxRows: 5, roles: { z: {} } }],
    [two, { maxRows: 5, roles: { x: { shape: [] } } }],
    [{ x: "a/x-{shard:02}.npy", y: "b/y-{shard:02}.npy" }, { maxRows: 5 }],
    [{ x: name, y: name }, { maxRows: 5 }],
    [{ "a/b": name }, { maxRows: 5 }],
    [{}, { maxRows: 5 }],
    [5, { maxRows: 5 }],
  ] as const) {
    t.throws(create(names, options), { instanceOf: TypeError }, JSON.stringify([names, options]));
  }
  t.throws(create(name, undefined as never), { instanceOf: TypeError, message: /maxRows/ });
  t.throws(create(name, { maxRows: 0 }), { instanceOf: RangeError });
  t.throws(create(name, { maxBytes: 1.5 }), { instanceOf: RangeError });
  for (const odd of [
    "x.npy",
    "x-{shard}.npy",
    "x-{part:05}-{shard:05}.npy",
    "{key}-{shard:05}.npy",
    "{shard:05/x.npy",
  ]) {
    t.throws(create(odd, { maxRows: 5 }), { code: "ERR_TEMPLATE" }, odd);
  }
  t.throws(create(name, { maxRows: 5, dtype: "float33" }), { code: "ERR_NPY_DTYPE" });
});
