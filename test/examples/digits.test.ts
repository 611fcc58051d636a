import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const MAIN = join(root, "examples/digits/main.ts");
const NODE_ARGUMENTS = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, MAIN];

let folder = "";
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "npystream-digits-"));
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

/**
 * Loads every file that a run left, and checks dtypes, shapes, that training rows are standardised, that a fifth of each
 * digit is held out, that the model predicts what the predictions say, and that those are what the accuracy says.
 */
const CHECK = `
import glob, json, sys
import numpy as np
folder = sys.argv[1]
dropped = []
for path in sorted(glob.glob(f"{folder}/incoming/*.features.npy")):
    x, y = np.load(path), np.load(path.replace("features", "labels"))
    assert x.dtype == "f4" and x.shape[1:] == (64,) and y.dtype == "i8" and y.shape == x.shape[:1], path
    assert x.min() >= 0 and x.max() <= 1 and set(y) <= set(range(10)), path
    dropped.append(y)
dropped = np.bincount(np.concatenate(dropped))
parts = {p: [np.load(f"{folder}/standardised/{p}.{role}.npy") for role in ("features", "labels")] for p in ("train", "test")}
(x, y), (tx, ty) = parts["train"], parts["test"]
assert x.dtype == tx.dtype == "f4" and y.dtype == ty.dtype == "i8"
std = x.std(0, dtype="f8")
assert abs(x.mean(0, dtype="f8")).max() < 1e-5 and (np.isclose(std, 1, atol=1e-5) | (std == 0)).all()
held = np.bincount(ty)
assert (held + np.bincount(y) == dropped).all() and (abs(held - dropped / 5) < 1).all()
m = np.load(f"{folder}/model.npz")
z = np.load(f"{folder}/predictions.npz")
p, q, truth = z["predictions"], z["probabilities"], z["labels"]
assert p.dtype == "i8" and q.dtype == "f4" and q.shape == (len(p), 10) and np.allclose(q.sum(1), 1, atol=1e-5)
assert (q.argmax(1) == p).all() and (truth == ty).all() and ((tx @ m["weights"] + m["bias"]).argmax(1) == p).all()
files = glob.glob(f"{folder}/**/*", recursive=True)
print(json.dumps({"rows": {k: len(v[1]) for k, v in parts.items()}, "accuracy": float((p == truth).mean()), "files": sum(f.endswith((".npy", ".npz")) for f in files)}))
`;

/** Everything in a run folder that has to be the same whenever and however often a run was stopped. */
const RESULTS = ["model.npz", "predictions.npz", "standardised/train.features.npy", "standardised/stats.json"];

const ACCURACY = /^test accuracy ([\d.]+) \((\d+) of (\d+) held-out digits\)$/;

test.serial(
  "the digits pipeline ends with its accuracy, a second run starts clean, and NumPy reads every file",
  async (t) => {
    t.timeout(240_000);
    const out = join(folder, "run");
    const results: string[] = [];
    for (const _ of [1, 2]) {
      const { stdout, stderr } = await run(process.execPath, [...NODE_ARGUMENTS, "--out", out]);
      t.is(stderr, "");
      const lines = stdout.trimEnd().split("\n");
      t.is(lines.filter((line) => line.startsWith("delivered ")).length, 15);
      t.true(lines.some((line) => /^epoch 30 of 30: loss 0\.\d+$/.test(line)));
      const [, accuracy = "", right, tested] = ACCURACY.exec(lines.at(-1) ?? "") ?? [];
      t.true(Number(accuracy) > 0.93, lines.at(-1));
      const checked = JSON.parse((await run("python3", ["-c", CHECK, out])).stdout);
      t.deepEqual(checked.rows, { train: 1438, test: 359 });
      t.is(checked.files, 36);
      t.is(tested, "359");
      t.is(checked.accuracy.toFixed(4), (Number(right) / 359).toFixed(4));
      t.is(checked.accuracy.toFixed(4), accuracy);
      results.push(digestOf(out));
    }
    t.is(results[1], results[0]);
  },
);

test.serial(
  "a run that is killed while it trains goes on behind its checkpoint, and ends with the very same numbers",
  async (t) => {
    t.timeout(240_000);
    const out = join(folder, "killed");
    let lines: readonly string[] = [];
    for (const epoch of [7, 19]) {
      const child = spawn(process.execPath, [...NODE_ARGUMENTS, "--out", out], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(child, "exit");
      let text = "";
      for await (const chunk of child.stdout.setEncoding("utf8")) {
        text += chunk;
        if (text.includes(`epoch ${epoch} of 30`)) child.kill("SIGKILL");
      }
      t.deepEqual(await ended, [null, "SIGKILL"]);
      lines = text.split("\n");
      t.true(existsSync(join(out, "checkpoint.npz")));
      t.false(existsSync(join(out, "predictions.npz")));
      t.is(lines.filter((line) => line.startsWith("delivered ")).length, epoch === 7 ? 15 : 0);
    }
    const { stdout } = await run(process.execPath, [...NODE_ARGUMENTS, "--out", out]);
    t.regex(stdout, /^going on behind (?:1[89]|2\d) epochs and \d+ rows\n/);
    t.false(existsSync(join(out, "checkpoint.npz")));
    t.is(digestOf(out), digestOf(join(folder, "run")));
    t.regex(stdout.trimEnd().split("\n").at(-1) ?? "", ACCURACY);
  },
);

/** Says what the results of a run are, bit by bit. */
function digestOf(out: string): string {
  return RESULTS.map((name) =>
    createHash("sha256")
      .update(readFileSync(join(out, name)))
      .digest("hex"),
  ).join();
}

test.serial("a folder that holds somebody's files is refused and left as it is", async (t) => {
  const out = join(folder, "taken");
  await mkdir(out);
  await writeFile(join(out, "thesis.txt"), "mine");
  const error = await t.throwsAsync<Error & { code: number; stderr: string }>(
    run(process.execPath, [...NODE_ARGUMENTS, "--out", out]),
  );
  t.is(error?.code, 1);
  t.regex(error?.stderr ?? "", /^digits: .*thesis\.txt.*\n$/);
});

test.serial("an option that there is not is wrong use", async (t) => {
  const error = await t.throwsAsync<Error & { code: number; stderr: string }>(
    run(process.execPath, [...NODE_ARGUMENTS, "--into", folder]),
  );
  t.is(error?.code, 2);
  t.regex(error?.stderr ?? "", /--into/);
});

test.serial("on a terminal there is a progress bar", async (t) => {
  t.timeout(120_000);
  const pty = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
  const args = ["-c", pty, process.execPath, ...NODE_ARGUMENTS, "--out", join(folder, "terminal")];
  const { stdout } = await run("python3", args, { env: { ...process.env, TERM: "xterm" } });
  t.regex(stdout, /\u2588+\u2591* *\d+%/);
  t.regex(stdout, /100% {2}predicted 359 held-out digits/);
  t.regex(stdout.trimEnd(), /test accuracy 0\.9\d+ \(\d+ of 359 held-out digits\)$/);
});
