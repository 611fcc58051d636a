import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { createNpyWriteStream } from "../src/npy-write-stream.ts";
import { createShardWriter } from "../src/shard-writer.ts";
import { python } from "./numpy-references.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-append-crash-"));
const children = new Set<ChildProcess>();
test.after.always(async () => {
  // Whoever is left of a round that failed would go on writing.
  for (const child of children) if (child.exitCode === null && child.signalCode === null) await kill(child);
  rmSync(folder, { recursive: true });
});

/** Rounds of each kind; the suite makes a few, NPYSTREAM_CRASH_ROUNDS asks for more. */
const ROUNDS = Number(process.env["NPYSTREAM_CRASH_ROUNDS"] ?? 4);
const AT_ONCE = 2;
const script = join(import.meta.dirname, "append-process.ts");

function start(...args: readonly string[]): ChildProcess {
  const nodeArguments = ["--conditions=@npystream/source", "--import=tsx", script, ...args];
  const child = spawn(process.execPath, nodeArguments, { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  return child;
}

/** Numbers that a process prints, until it ends. */
function lines(child: ChildProcess): string[] {
  const seen: string[] = [];
  if (child.stdout !== null) createInterface(child.stdout).on("line", (line) => seen.push(line));
  return seen;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "close");
}

/** Waits until a process has printed, so that its start is not counted among the moments at which it is killed. */
async function untilPrinted(child: ChildProcess): Promise<string[]> {
  const seen = lines(child);
  while (seen.length === 0 && child.exitCode === null) await sleep(2);
  return seen;
}

async function inLanes(round: (number: number) => Promise<void>): Promise<void> {
  const lane = async (first: number): Promise<void> => {
    for (let number = first; number < ROUNDS; number += AT_ONCE) await round(number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => lane(first)));
}

test.serial(
  "an appender killed at any moment leaves the rows of whole appends, and the next one goes on",
  async (t) => {
    t.timeout(60_000 + ROUNDS * 20_000);
    const told: Record<string, number> = {};
    let waste = 0;
    await inLanes(async (number) => {
      const place = join(folder, `append-${number}`);
      mkdirSync(place);
      const path = join(place, "x.npy");
      const child = start("append", path);
      const seen = await untilPrinted(child);
      await sleep(Math.random() * 80);
      await kill(child);
      if (readdirSync(place).length > 1) waste++;
      told[path] = Number(seen.at(-1));
    });
    // np.load first, before anything of ours has touched the files: whole appends, none that was told of missing.
    const program = `
import sys, json, numpy as np
for path, told in json.loads(sys.argv[1]).items():
    rows, at = np.load(path), 0
    assert (rows == rows[:, :1]).all() and len(rows) >= told, path
    while at < len(rows):
        count = rows[at, 0] // 1000
        assert (rows[at : at + count, 0] == count * 1000 + np.arange(count)).all() and at + count <= len(rows), path
        at += count
print("whole")`;
    t.is(python(program, JSON.stringify(told)).trim(), "whole");
    for (const path of Object.keys(told)) {
      const out = createNpyWriteStream(path, { mode: "append" });
      await out.push(new Int32Array(512));
      const { shape, byteLength } = await out.finish();
      t.true((shape[0] ?? 0) > (told[path] ?? 0));
      t.is(byteLength, 128 + (shape[0] ?? 0) * 2048);
      t.deepEqual(readdirSync(join(path, "..")), ["x.npy"]);
    }
    t.true(waste > 0);
    t.log(`${ROUNDS} kills: all files whole, ${waste} locks of dead processes taken over`);
  },
);

test.serial(
  "a shard writer killed at any moment leaves whole shards, a manifest only of all of them, and the next one tidies up",
  async (t) => {
    t.timeout(60_000 + ROUNDS * 20_000);
    const places: string[] = [];
    let interrupted = 0;
    await inLanes(async (number) => {
      const place = join(folder, `shards-${number}`);
      mkdirSync(place);
      const child = start("shards", place);
      await untilPrinted(child);
      await sleep(Math.random() * 80);
      await kill(child);
      places.push(place);
      if (!existsSync(join(place, "features.manifest.json"))) interrupted++;
    });
    const program = `
import sys, os, json, glob, hashlib, numpy as np
for place in sys.argv[1:]:
    for path in glob.glob(place + "/*.npy"):
        np.load(path)
    if os.path.exists(place + "/features.manifest.json"):
        manifest = json.load(open(place + "/features.manifest.json"))
        named, labels, features = set(), [], []
        for shard in manifest["shards"]:
            for role, rows in (("features", features), ("labels", labels)):
                file = shard["files"][role]
                content = open(place + "/" + file["name"], "rb").read()
                assert len(content) == file["byteLength"] and hashlib.sha256(content).hexdigest() == file["sha256"], file
                rows.append(np.load(place + "/" + file["name"]))
                assert len(rows[-1]) == shard["rows"]
                named.add(file["name"])
        x, y = np.concatenate(features), np.concatenate(labels)
        assert len(y) == manifest["rows"] and (x == y[:, None]).all() and (np.diff(y) == 1).all()
        assert named == {os.path.basename(path) for path in glob.glob(place + "/*.npy")}
print("whole")`;
    t.is(python(program, ...places).trim(), "whole");
    for (const place of places) {
      const names = { features: join(place, "features-{shard:03}.npy"), labels: join(place, "labels-{shard:03}.npy") };
      const out = createShardWriter(names, { maxRows: 3, overwrite: true });
      await out.push({ features: [1, 2, 3], labels: [1n, 2n, 3n] });
      await out.finish();
      t.deepEqual(readdirSync(place).sort(), ["features-000.npy", "features.manifest.json", "labels-000.npy"]);
    }
    if (ROUNDS > 20) t.true(interrupted > 0);
    t.log(`${ROUNDS} kills: ${interrupted} without a manifest, ${ROUNDS - interrupted} with one that is true`);
  },
);

test.serial("two processes that append to one file at once exclude each other and lose nothing", async (t) => {
  t.timeout(120_000);
  const path = join(folder, "both.npy");
  const both = [start("append", path, "12"), start("append", path, "12")];
  const seen = both.map(lines);
  await Promise.all(both.map((child) => once(child, "close")));
  t.deepEqual(
    seen.map(({ length }) => length),
    [12, 12],
  );
  const rows = Array.from({ length: 12 }, (_, round) => 1 + ((round * 197) % 900)).reduce((a, b) => a + b);
  const program = "import sys, numpy as np\na = np.load(sys.argv[1])\nprint(len(a), (a == a[:, :1]).all())";
  t.is(python(program, path).trim(), `${2 * rows} True`);
  // No number of rows was told twice: none wrote where the other did.
  t.is(new Set(seen.flat()).size, 24);
});

test.serial(
  "an appender of another process is ERR_WRITE_LOCKED while it is alive, and taken over when it is killed",
  async (t) => {
    const path = join(folder, "held.npy");
    await createNpyWriteStream(path, { dtype: "float64", rowShape: [2] }).finish();
    const holder = start("hold", path);
    await untilPrinted(holder);
    const error = await t.throwsAsync(createNpyWriteStream(path, { mode: "append" }).push([1, 2]), {
      code: "ERR_WRITE_LOCKED",
      message: new RegExp(`process ${holder.pid} writes`),
    });
    t.like(error, { path });
    await kill(holder);
    const out = createNpyWriteStream(path, { mode: "append" });
    await out.push([1, 2]);
    t.deepEqual([...(await out.finish()).shape], [1, 2]);
  },
);
