import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { runCaptured } from "./run-captured.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-stats-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

interface Expected {
  readonly count: number[];
  readonly mean: number[];
  readonly std: number[];
  readonly min: (number | null)[];
  readonly max: (number | null)[];
  readonly nonFinite: number[];
  readonly histogram: number[][];
}

const expected: Readonly<Record<string, Expected>> = JSON.parse(
  execFileSync(
    "python3",
    [
      "-W",
      "ignore",
      "-c",
      `
import json, os, sys
import numpy as np
os.chdir(sys.argv[1])
rng = np.random.default_rng(7)
arrays = {
    'floats': rng.normal(5, 2, (20_000, 3)).astype(np.float32),
    'holes': np.where(rng.random((1000, 2)) < 0.1, [np.nan, np.inf], rng.random((1000, 2))),
    'fortran': np.asfortranarray(rng.integers(-100, 100, (500, 2, 2), np.int16)),
    'line': rng.integers(0, 10, 3000),
    'flags': rng.random((100, 2)) < 0.5,
    'empty': np.zeros((0, 2)),
    'nothing': np.full((4, 1), np.nan),
    'half': rng.normal(0, 1, (300, 2)).astype(np.float16),
}
out = {}
for name, array in arrays.items():
    np.save(name + '.npy', array)
    columns = array.reshape(len(array), int(np.prod(array.shape[1:]))).astype(np.float64).T
    finite = [c[np.isfinite(c)] for c in columns]
    out[name] = dict(
        count=[len(c) for c in finite],
        mean=[float(c.mean()) if len(c) else 0 for c in finite],
        std=[float(c.std()) if len(c) else 0 for c in finite],
        min=[float(c.min()) if len(c) else None for c in finite],
        max=[float(c.max()) if len(c) else None for c in finite],
        nonFinite=[int((~np.isfinite(c)).sum()) for c in columns],
        histogram=[np.histogram(c, 20)[0].tolist() if len(c) else [0] * 20 for c in finite],
    )
np.savez_compressed('set.npz', x=arrays['floats'], y=arrays['line'], names=np.array(['a', 'b']))
np.save('zero.npy', np.float64(3))
np.save('complex.npy', np.zeros(3, complex))
np.save('wide.npy', np.ones((3, 150)))
np.save('images.npy', rng.integers(0, 255, (5, 8, 8, 3), np.uint8))
print(json.dumps(out))
`,
      folder,
    ],
    { encoding: "utf8" },
  ),
);

const isAsNumpySays = test.macro({
  title: (_, name: string) => `stats of ${name} are what NumPy says`,
  async exec(t: ExecutionContext, name: string) {
    const { code, stdout, stderr } = await runCaptured(["stats", "--json", at(`${name}.npy`)]);
    t.deepEqual([code, stderr], [0, ""]);
    const found = JSON.parse(stdout);
    const wanted = expected[name];
    t.is(found.path, at(`${name}.npy`));
    for (const key of ["count", "min", "max", "nonFinite"] as const) t.deepEqual(found[key], wanted?.[key], key);
    for (const key of ["mean", "std"] as const) {
      for (const [column, value] of (wanted?.[key] ?? []).entries()) {
        t.true(Math.abs(found[key][column] - value) <= 1e-12 * Math.max(1, Math.abs(value)), `${key} ${column}`);
      }
    }
  },
});
for (const name of Object.keys(expected)) test(isAsNumpySays, name);

/** What a column of NumPy's counts looks like. */
const drawn = (counts: readonly number[]): string => {
  const most = Math.max(1, ...counts);
  return counts.map((count) => " ▁▂▃▄▅▆▇█"[Math.ceil((count / most) * 8)]).join("");
};

test("on a terminal each column has NumPy's histogram behind it", async (t) => {
  for (const name of ["line", "holes", "fortran", "half"]) {
    const { code, stdout } = await runCaptured(["stats", at(`${name}.npy`)], { terminal: 80 });
    t.is(code, 0);
    const lines = stdout.trimEnd().split("\n").slice(2);
    for (const [column, counts] of (expected[name]?.histogram ?? []).entries()) {
      t.true(lines[column]?.endsWith(`  ${drawn(counts)}`.trimEnd()), `${name}: ${lines[column]} ${drawn(counts)}`);
    }
  }
});

test("elsewhere there is a table, with a histogram where it is asked for", async (t) => {
  const plain = await runCaptured(["stats", at("line.npy")]);
  t.regex(
    plain.stdout,
    /^.*line\.npy: int64, shape \(3000,\)\ncolumn +count +mean +std +min +max +nan\/inf\n +- +3000 +4\.\d+ +2\.\d+ +0 +9 +0\n$/,
  );
  const drawnOne = await runCaptured(["stats", at("line.npy"), "--histogram"]);
  t.regex(drawnOne.stdout, /0 {2}[▁▂▃▄▅▆▇█][▁▂▃▄▅▆▇█ ]+\n$/u);
  const none = await runCaptured(["stats", at("nothing.npy"), "--no-histogram"], { terminal: 80 });
  t.regex(none.stdout, / +0 +0 +- +- +- +- +4\n$/);
});

test("an archive has the stats of each of its arrays, and tells of those that have none", async (t) => {
  const { code, stdout, stderr } = await runCaptured(["stats", "--json", at("set.npz")]);
  const documents = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.deepEqual(
    documents.map(({ member, dtype }) => [member, dtype]),
    [
      ["x", "float32"],
      ["y", "int64"],
    ],
  );
  t.is(stderr, `error: ${at("set.npz")}#names holds str, and stats are of real numbers\n`);
  t.is(code, 2);
  const one = await runCaptured(["stats", "--json", "-#y"], { stdin: readFileSync(at("set.npz")) });
  t.like(JSON.parse(one.stdout), { path: "-", member: "y", count: [3000] });
});

test("the columns of images are their channels where that is asked for", async (t) => {
  const { stdout } = await runCaptured(["stats", "--json", "--columns", "last-axis", at("images.npy")]);
  t.deepEqual(JSON.parse(stdout).count, [320, 320, 320]);
  const all = await runCaptured(["stats", at("images.npy")]);
  t.regex(all.stdout, /\n +7,7,2 +5 /);
});

test("a table to look at lists the first and the last columns", async (t) => {
  const { stdout } = await runCaptured(["stats", at("wide.npy")], { terminal: 80 });
  t.is(stdout.split("\n").length, 2 + 41 + 1);
  t.regex(stdout, /\n +19 .*\n +\.\.\.\n +130 /);
  const piped = await runCaptured(["stats", at("wide.npy")]);
  t.is(piped.stdout.split("\n").length, 2 + 150 + 1);
});

test("arrays that have no columns of numbers are wrong use", async (t) => {
  for (const [name, message] of [
    ["zero", "is 0-d"],
    ["complex", "holds complex128"],
  ] as const) {
    const { code, stderr } = await runCaptured(["stats", at(`${name}.npy`)]);
    t.is(code, 2);
    t.true(stderr.startsWith(`error: ${at(`${name}.npy`)} ${message}`), stderr);
  }
});
