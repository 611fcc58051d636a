import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const MAIN = join(root, "examples/batches-tfjs/main.ts");
const NODE_ARGUMENTS = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, MAIN];

/** Does what the network does with the weights that were written: its accuracy over all digits. */
const CHECK = `
import sys, numpy as np
folder = sys.argv[1]
x, y = np.load(f"{folder}/features.npy"), np.load(f"{folder}/labels.npy")
assert x.dtype == "f4" and x.shape == (1797, 64) and y.dtype == "i8" and y.shape == (1797,)
w = np.load(f"{folder}/weights.npz")
hidden = np.maximum(((x - w["mean"]) / w["scale"]) @ w["w1"] + w["b1"], 0)
print(float((np.argmax(hidden @ w["w2"] + w["b2"], 1) == y).mean()))
`;

test("a network of TensorFlow.js learns from batches, leaks no tensor, comes out the same, and NumPy has its weights", async (t) => {
  t.timeout(180_000);
  const folder = await mkdtemp(join(tmpdir(), "npystream-tfjs-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const outputs: string[] = [];
  for (const _ of [1, 2]) {
    const { stdout, stderr } = await run(process.execPath, [...NODE_ARGUMENTS, "--out", folder]);
    t.is(stderr, "");
    outputs.push(stdout);
  }
  t.is(outputs[1], outputs[0]);
  const lines = (outputs[0] ?? "").trimEnd().split("\n");
  t.is(lines.filter((line) => /^epoch \d+ of 12: loss \d\.\d{4}$/.test(line)).length, 12);
  // Those of the model and of Adam; each of 540 batches would leave two and more.
  t.regex(lines.at(-2) ?? "", /^\d\d tensors are left$/);
  t.true(Number.parseInt(lines.at(-2) ?? "", 10) <= 20, lines.at(-2));
  const [, accuracy = "", right, tested] =
    /^test accuracy ([\d.]+) \((\d+) of (\d+) held-out digits\)$/.exec(lines.at(-1) ?? "") ?? [];
  t.is(tested, "359");
  t.is(accuracy, (Number(right) / 359).toFixed(4));
  t.true(Number(accuracy) > 0.95, accuracy);
  t.true(Number((await run("python3", ["-c", CHECK, folder])).stdout) > 0.98);
});
