import { execFile, spawn } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { openLedger } from "@npystream/pipeline-discovery";
import test, { type ExecutionContext } from "ava";
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
for path in sorted(glob.glob(f"{folder}/ingested/*.features.npy")):
    x, y = np.load(path), np.load(path.replace("features", "labels"))
    assert x.dtype == "f4" and x.shape[1:] == (64,) and y.dtype == "i8" and y.shape == x.shape[:1], path
    assert x.min() >= 0 and x.max() <= 1 and set(y) <= set(range(10)), path
    raw = [np.load(path.replace("ingested", "incoming").replace("features", role)) for role in ("features", "labels")]
    assert raw[0].dtype == "u1" and (raw[0] == x * 16).all() and raw[1].dtype == "i8" and (raw[1] == y).all(), path
    dropped.append(y)
dropped = np.bincount(np.concatenate(dropped))
load = lambda role: np.load(f"{folder}/standardised/digits.{role}.npy")
parts = {p: [load(f"{p}-{role}") for role in ("features", "labels")] for p in ("train", "test")}
(x, y), (tx, ty) = parts["train"], parts["test"]
assert x.dtype == tx.dtype == "f4" and y.dtype == ty.dtype == "i8"
std = x.std(0, dtype="f8")
assert abs(x.mean(0, dtype="f8")).max() < 1e-5 and (np.isclose(std, 1, atol=1e-5) | (std == 0)).all()
assert load("mean").shape == (64,) and (load("std")[std == 0] == 0).all()
held = np.bincount(ty)
assert (held + np.bincount(y) == dropped).all() and (abs(held - dropped / 5) < 1).all()
m = np.load(f"{folder}/trained/digits.npz")
z = np.load(f"{folder}/predicted/digits.npz")
p, q, truth = z["predictions"], z["probabilities"], z["labels"]
assert p.dtype == "i8" and q.dtype == "f4" and q.shape == (len(p), 10) and np.allclose(q.sum(1), 1, atol=1e-5)
assert (q.argmax(1) == p).all() and (truth == ty).all() and ((tx @ m["weights"] + m["bias"]).argmax(1) == p).all()
print(json.dumps({"rows": {k: len(v[1]) for k, v in parts.items()}, "accuracy": float((p == truth).mean())}))
`;

/** Every shard that is dropped. */
const SHARDS = Array.from({ length: 15 }, (_, shard) => String(shard).padStart(4, "0"));
const PAIRS = SHARDS.flatMap((shard) => [`digits-${shard}.features.npy`, `digits-${shard}.labels.npy`]);
const PARTS = ["test-features", "test-labels", "train-features", "train-labels"];

/** Every file that a run leaves in the folders of its stages. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  incoming: PAIRS,
  ingested: [...PAIRS, "digits.manifest.json"],
  predicted: ["digits.npz"],
  standardised: ["mean", "std", ...PARTS].map((role) => `digits.${role}.npy`).sort(),
  trained: ["digits.npz"],
};

/** Every set that a stage has worked on. */
const SETS = [
  ...SHARDS.map((shard) => `ingest digits/${shard} done`),
  ...["standardise", "train", "predict"].map((stage) => `${stage} digits done`),
];

const ACCURACY = /^test accuracy ([\d.]+) \((\d+) of (\d+) held-out digits\)$/;

/** Says of every result of a run what is in it, of hidden files too, and how often sets were taken. */
async function lookAt(t: ExecutionContext, out: string): Promise<{ content: string[]; deliveries: number }> {
  const found = Object.keys(FILES).map((name) => [name, readdirSync(join(out, name)).sort()]);
  t.deepEqual(Object.fromEntries(found), FILES);
  // Of the ledger SQLite may have more files beside it while it is read, and of training nothing is left.
  t.deepEqual(readdirSync(out).sort(), [...Object.keys(FILES), "state"].sort());
  t.true(readdirSync(join(out, "state")).every((name) => name.startsWith("ledger.db")));
  await using ledger = await openLedger(join(out, "state/ledger.db"), { readOnly: true });
  const entries = [...ledger.find()];
  t.deepEqual(entries.map(({ pipeline, key, state }) => `${pipeline} ${key} ${state}`).sort(), [...SETS].sort());
  return {
    content: Object.entries(FILES).flatMap(([name, files]) =>
      files.map((file) => `${file} ${digestOf(join(out, name, file))}`),
    ),
    deliveries: entries.reduce((sum, entry) => sum + entry.deliveries, 0),
  };
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

test.serial("the digits pipeline ends with its accuracy, and NumPy reads every file", async (t) => {
  t.timeout(240_000);
  const out = join(folder, "run");
  const { stdout, stderr } = await run(process.execPath, [...NODE_ARGUMENTS, "--out", out]);
  t.is(stderr, "");
  const lines = stdout.trimEnd().split("\n");
  t.is(lines.filter((line) => /^ingested digits\/\d{4}: \d+ rows$/.test(line)).length, 15);
  t.true(lines.includes("standardised digits: 1438 rows to train, 359 held out"));
  t.true(lines.some((line) => /^epoch 30 of 30: loss 0\.\d+$/.test(line)));
  t.true(lines.some((line) => /^15 pairs ingested, \d+ of them before/.test(line)));
  const [, accuracy = "", right, tested] = ACCURACY.exec(lines.at(-1) ?? "") ?? [];
  t.true(Number(accuracy) > 0.93, lines.at(-1));
  const checked = JSON.parse((await run("python3", ["-c", CHECK, out])).stdout);
  t.deepEqual(checked.rows, { train: 1438, test: 359 });
  t.is(tested, "359");
  t.is(checked.accuracy.toFixed(4), (Number(right) / 359).toFixed(4));
  t.is(checked.accuracy.toFixed(4), accuracy);
  t.is((await lookAt(t, out)).deliveries, SETS.length);
});

test("a second start finds everything done, touches nothing and says the same", async (t) => {
  t.timeout(120_000);
  const out = join(folder, "run");
  const times = (): number[] => {
    return FILES["ingested"]?.map((name) => statSync(join(out, "ingested", name)).mtimeMs) ?? [];
  };
  const before = times();
  const { stdout, stderr } = await run(process.execPath, [...NODE_ARGUMENTS, "--out", out]);
  t.is(stderr, "");
  t.regex(stdout, /^\neverything was done already; remove .* to have it done again\n/);
  t.regex(stdout.trimEnd().split("\n").at(-1) ?? "", ACCURACY);
  t.deepEqual(times(), before);
  t.is((await lookAt(t, out)).deliveries, SETS.length);
});

/** When a run is killed: once it has said this, or once this file is there. */
type Moment = RegExp | string;

/** A run that is killed at a moment, and gives what it had said, or that ends by itself where the moment does not come. */
async function runUntil(out: string, moment: Moment, delayMs = 0): Promise<string> {
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, "--out", out], { stdio: ["ignore", "pipe", "ignore"] });
  // The producer has the same output, which is closed when it has gone as well.
  const closed = once(child, "close");
  let [said, isClosed] = ["", false];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.once("exit", () => {
    isClosed = true;
  });
  while (!isClosed && !(typeof moment === "string" ? existsSync(join(out, moment)) : moment.test(said))) {
    await sleep(1);
  }
  await sleep(delayMs);
  child.kill("SIGKILL");
  await closed;
  return said;
}

const killed = test.macro(
  async (t: ExecutionContext, moments: readonly (readonly [moment: Moment, delayMs?: number])[]) => {
    t.timeout(280_000);
    const out = await mkdtemp(join(folder, "killed-"));
    const said: string[] = [];
    for (const [moment, delayMs] of moments) {
      t.log(`killed ${delayMs ?? 0} ms behind ${moment}`);
      said.push(await runUntil(out, moment, delayMs));
    }
    const { stdout, stderr } = await run(process.execPath, [...NODE_ARGUMENTS, "--out", out]);
    t.is(stderr, "");
    said.push(stdout);
    for (const [at, text] of said.entries()) {
      if (/^epoch 2 of/m.test(text) && !/^trained /m.test(text)) {
        t.regex(said[at + 1] ?? "", /^going on behind \d+ epochs and \d+ rows\n/);
      }
    }
    t.regex(stdout.trimEnd().split("\n").at(-1) ?? "", ACCURACY);
    const [undisturbed, disturbed] = [await lookAt(t, join(folder, "run")), await lookAt(t, out)];
    t.deepEqual(disturbed.content, undisturbed.content);
    // What was in flight is all that is repeated.
    t.true(disturbed.deliveries <= SETS.length + moments.length, `${disturbed.deliveries} sets were taken`);
  },
);

test("a pipeline that is killed in every stage ends with the very same files, and each set with one result", killed, [
  [/^ingested digits\/0003/m],
  ["standardised/digits.test-features.npy"],
  [/^epoch 7 of 30/m],
  ["trained/digits.npz"],
  ["predicted/digits.npz"],
]);

test("a pipeline that is killed at random ends with the very same files, and each set with one result", killed, [
  [new RegExp(`^(?:.*\\n){${randomInt(1, 15)}}`), randomInt(40)],
  [new RegExp(`^(?:.*\\n){${randomInt(1, 30)}}`), randomInt(40)],
]);

test("a folder that holds somebody's files is refused and left as it is", async (t) => {
  const out = join(folder, "taken");
  await mkdir(out);
  await writeFile(join(out, "thesis.txt"), "mine");
  const error = await t.throwsAsync<Error & { code: number; stderr: string }>(
    run(process.execPath, [...NODE_ARGUMENTS, "--out", out]),
  );
  t.is(error?.code, 1);
  t.regex(error?.stderr ?? "", /^digits: .*thesis\.txt.*\n$/);
});

test("an option that there is not is wrong use", async (t) => {
  const error = await t.throwsAsync<Error & { code: number; stderr: string }>(
    run(process.execPath, [...NODE_ARGUMENTS, "--into", folder]),
  );
  t.is(error?.code, 2);
  t.regex(error?.stderr ?? "", /--into/);
});

test("on a terminal there is a progress bar", async (t) => {
  t.timeout(120_000);
  const pty = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
  const args = ["-c", pty, process.execPath, ...NODE_ARGUMENTS, "--out", join(folder, "terminal")];
  const { stdout } = await run("python3", args, { env: { ...process.env, TERM: "xterm" } });
  t.regex(stdout, /\u2588+\u2591* *\d+%/);
  t.regex(stdout, /100% {2}predicted digits: 359 held-out digits/);
  t.regex(stdout.trimEnd(), /test accuracy 0\.9\d+ \(\d+ of 359 held-out digits\)$/);
});
