import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import test from "ava";
import { toBatches } from "../../examples/etl/readings.ts";
import { openSource } from "../../examples/etl/source-file.ts";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const MAIN = join(root, "examples/etl/main.ts");
const NODE_ARGUMENTS = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, MAIN];
const MANIFEST = "readings.manifest.json";

let folder = "";
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "npystream-etl-"));
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

const etl = (...args: readonly string[]): ReturnType<typeof run> => run(process.execPath, [...NODE_ARGUMENTS, ...args]);

/** Reads the shards, and what Python's own csv and json modules make of the source. */
const CHECK = `
import csv, json, sys, numpy as np
out, source = sys.argv[1:]
manifest = json.load(open(f"{out}/${MANIFEST}"))
parts = {role: [np.load(f"{out}/{shard['files'][role]['name']}") for shard in manifest["shards"]] for role in ("features", "labels")}
assert [len(part) for part in parts["labels"]] == [shard["rows"] for shard in manifest["shards"]]
x, y = (np.concatenate(parts[role]) for role in ("features", "labels"))
with open(source, encoding="utf8", newline="") as file:
    rows = list(csv.DictReader(file) if source.endswith(".csv") else map(json.loads, file))
stations = ["Oslo, Blindern", "Åre", 'Kap "Arkona"', "Zürich", "Nuuk", "Reykjavík", "Tórshavn", "Bergen, Florida"]
number = lambda value: float("nan") if value in ("", None) else float(value)
names = ["temperature", "humidity", "pressure", "wind"]
want = np.array([[stations.index(r["station"]), int(r["time"][11:13]), *(number(r[name]) for name in names)] for r in rows])
assert x.dtype == "f4" and x.shape == (len(rows), 6) and np.array_equal(x, want.astype("f4"), equal_nan=True)
assert np.isnan(x).any(axis=0).tolist() == [False, False, True, True, True, True]
assert y.dtype == "u1" and (y == [["ok", "drift", "stuck"].index(r["outcome"]) for r in rows]).all() and set(y) == {0, 1, 2}
print(len(rows), len(manifest["shards"]))
`;

test.serial("CSV and JSON lines become the same shards, which NumPy compares with the source", async (t) => {
  t.timeout(120_000);
  const manifests: unknown[] = [];
  for (const format of ["csv", "jsonl"]) {
    const out = join(folder, format);
    const { stdout } = await etl("--out", out, "--rows", "50000", "--shard-rows", "12000", "--format", format);
    const lines = stdout.toString().trimEnd().split("\n");
    t.regex(lines[0] ?? "", /^making .*, 50000 rows$/);
    t.regex(lines[1] ?? "", /^\d+0% read, \d+ rows$/);
    t.regex(lines.at(-1) ?? "", /^50000 rows in 5 shards, [\d.]+ s, [\d.]+ MB\/s: .*readings\.manifest\.json$/);
    t.false(stdout.toString().includes("\u001b"));
    const checked = await run("python3", ["-c", CHECK, out, join(out, `readings-50000.${format}`)]);
    t.is(checked.stdout, "50000 5\n");
    manifests.push(JSON.parse(readFileSync(join(out, MANIFEST), "utf8")));
    t.is(readdirSync(out).length, 12);
  }
  t.deepEqual(manifests[0], manifests[1]);
});

test.serial("on a terminal there is a bar", async (t) => {
  const program = "import pty, sys\nsys.exit(pty.spawn(sys.argv[1:]))";
  const args = [...NODE_ARGUMENTS, "--out", join(folder, "bar"), "--rows", "3000"];
  const { stdout } = await run("python3", ["-c", program, process.execPath, ...args]);
  t.regex(stdout, /█{30} 100% {2}3,000 rows/);
  t.regex(stdout, /3000 rows in 1 shard, /);
});

/** Starts a run of many small shards and waits until some are there. */
async function begin(out: string): Promise<{ child: ReturnType<typeof spawn>; ended: Promise<unknown[]> }> {
  const args = [...NODE_ARGUMENTS, "--out", out, "--rows", "400000", "--shard-rows", "5000"];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const ended = once(child, "exit");
  while (!existsSync(join(out, "labels-00003.npy")) && child.exitCode === null) await sleep(5);
  return { child, ended };
}

test.serial(
  "a run that is killed or stopped leaves whole shards and no manifest, and the next one replaces them",
  async (t) => {
    t.timeout(120_000);
    const out = join(folder, "stopped");
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const { child, ended } = await begin(out);
      child.kill(signal);
      t.deepEqual(await ended, signal === "SIGKILL" ? [null, "SIGKILL"] : [1, null]);
      t.false(existsSync(join(out, MANIFEST)));
      if (signal === "SIGTERM")
        t.deepEqual(
          readdirSync(out).filter((name) => name.startsWith(".")),
          [],
        );
      const sizes =
        "import sys, glob, numpy as np\nprint({len(np.load(p)) for p in glob.glob(sys.argv[1] + '/*.npy')})";
      t.is((await run("python3", ["-c", sizes, out])).stdout, "{5000}\n");
    }
    await etl("--out", out, "--rows", "4000", "--shard-rows", "5000");
    t.deepEqual(readdirSync(out).sort(), [
      "features-00000.npy",
      "labels-00000.npy",
      "readings-4000.csv",
      "readings-400000.csv",
      MANIFEST,
    ]);
  },
);

const HEADER = "time,station,temperature,humidity,pressure,wind,outcome";
const GOOD = "2026-01-01T00:00:00Z,Nuuk,1,2,3,4,ok";

test.serial("a row that is no reading ends the run, told with its number, and no shard of it is left", async (t) => {
  const out = join(folder, "bad");
  await mkdir(out);
  const file = join(folder, "bad.csv");
  await writeFile(file, `${HEADER}\n${GOOD}\n${GOOD.replace(",1,", ",one,")}\n`);
  const error = await t.throwsAsync<Error & { code: number; stderr: string }>(etl("--out", out, "--in", file));
  t.like(error, { code: 1, stderr: 'etl: row 2: temperature is "one", not a number\n' });
  t.deepEqual(readdirSync(out), []);
});

test.serial("what is no source is told by its line, row or name", async (t) => {
  for (const [name, text, message] of [
    ["b.csv", `${HEADER}\n${GOOD},5\n`, /Invalid Record Length.*line 2/],
    ["c.csv", `${HEADER}\n${GOOD}\n${GOOD.replace("Nuuk", "Rome")}\n`, /row 2: station is "Rome", not one of/],
    ["d.csv", `${HEADER}\n${GOOD.replace("T00", "T24")}\n`, /row 1: time is "2026-01-01T24:00:00Z", not a time/],
    ["d.jsonl", '{"time": 1}\n', /row 1: time is 1, not a time|row 1: station is undefined/],
    ["e.jsonl", '\n{"time": \n', /line 2 is no JSON: /],
    ["f.jsonl", "[]\n", /line 1 is no JSON object/],
    ["g.txt", "", /neither a \.csv nor a \.jsonl/],
    ["absent.csv", undefined, /ENOENT/],
  ] as const) {
    const file = join(folder, name);
    if (text !== undefined) await writeFile(file, text);
    const read = async (): Promise<void> => {
      for await (const _ of toBatches((await openSource(file)).records, 10));
    };
    await t.throwsAsync(read, { message }, name);
  }
});

test.serial("options that cannot be are wrong use", async (t) => {
  for (const [args, message] of [
    [["--rows", "many"], /--rows is a whole number from 1, not many/],
    [["--format", "xml"], /--format is csv or jsonl, not xml/],
    [["--into", "x"], /--into/],
  ] as const) {
    const error = await t.throwsAsync<Error & { code: number; stderr: string }>(etl(...args));
    t.is(error?.code, 2);
    t.regex(error?.stderr ?? "", message);
  }
});
