import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const MAIN = join(root, "examples/two-workers/main.ts");
const NODE_ARGUMENTS = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, MAIN];
const SETS = 40;

test("two worker processes do every set once, NumPy finds the right means, and a second run does nothing again", async (t) => {
  t.timeout(120_000);
  const folder = await mkdtemp(join(tmpdir(), "npystream-workers-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const options = ["--out", folder, "--sets", String(SETS)];
  const { stdout } = await run(process.execPath, [...NODE_ARGUMENTS, ...options]);
  t.regex(stdout, new RegExp(`^${SETS} of ${SETS} sets done, 0 failed`, "m"));
  const done = [...stdout.matchAll(/^worker \d+: (\d+) sets done, 0 failed$/gm)].map(([, count]) => Number(count));
  t.is(done.length, 2);
  t.is((done[0] ?? 0) + (done[1] ?? 0), SETS);

  const check = `
import os, sys, numpy as np
folder = sys.argv[1]
names = sorted(os.listdir(f"{folder}/results"))
assert names == [f"{i:04}.means.npy" for i in range(${SETS})], names
for i in range(${SETS}):
    x = np.load(f"{folder}/incoming/{i:04}.features.npy").astype("f8")
    y = np.load(f"{folder}/incoming/{i:04}.labels.npy")
    means = np.stack([x[y == c].mean(axis=0) for c in range(4)])
    assert np.allclose(np.load(f"{folder}/results/{i:04}.means.npy"), means, rtol=1e-12), i
`;
  await run("python3", ["-c", check, folder]);

  const again = await run(process.execPath, [...NODE_ARGUMENTS, ...options]);
  t.regex(again.stdout, new RegExp(`^0 of ${SETS} sets done, 0 failed`, "m"));
});

test("a number of sets that cannot be is wrong use", async (t) => {
  const error = await t.throwsAsync(run(process.execPath, [...NODE_ARGUMENTS, "--sets", "few"]));
  t.like(error, { code: 2, stderr: "--sets is a number from 1, not few\n" });
});
