import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLedger } from "@npystream/pipeline-discovery";
import test, { type ExecutionContext } from "ava";
import { type Captured, runCaptured } from "./run-captured.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-ledger-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);

execFileSync("python3", [
  "-c",
  `
import os, sys
import numpy as np
os.makedirs(sys.argv[1] + '/in')
os.chdir(sys.argv[1] + '/in')
for key in 'a', 'b', 'poison':
    np.save(f'{key}.x.npy', np.arange(3.0))
np.save('odd.x.npy', np.arange(3))
`,
  folder,
]);

const WATCH = ["watch", at("in"), "--names", "{key}.x.npy", "--contract", '{"x": {"dtype": "float64"}}', "--once"];
const EXEC = ["--attempts", "1", "--exec", 'test "$NPYSTREAM_KEY" != poison'];
const environment = { PATH: process.env["PATH"] ?? "", NO_COLOR: "1" };

test.before("a ledger is written by a run", async () => {
  await runCaptured([...WATCH, "--ledger", at("made.db"), ...EXEC], { environment });
});

/** A ledger of its own for a test. */
const copy = (name: string): string => {
  // What is not in the file yet is in the log beside it.
  for (const suffix of ["", "-wal"].filter((one) => existsSync(at(`made.db${one}`)))) {
    copyFileSync(at(`made.db${suffix}`), at(`${name}${suffix}`));
  }
  return at(name);
};
const ledger = (path: string, ...options: string[]): Promise<Captured> => runCaptured(["ledger", path, ...options]);
const keysOf = async (path: string, ...options: string[]): Promise<string[]> => {
  const { stdout } = await ledger(path, "list", "--json", ...options);
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line).key)
    .sort();
};

test("list is a table with the number of sets in each state", async (t) => {
  const { code, stdout, stderr } = await ledger(at("made.db"), "list");
  t.deepEqual([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  t.regex(lines[0] ?? "", /^state +key +pipeline +id +taken +since +reason$/);
  t.true(
    lines.some((line) => /^done +a +\{key\}\.x\.npy +[0-9a-f]{12} +1 +20\S+Z$/.test(line)),
    stdout,
  );
  t.true(
    lines.some((line) => /^failed +poison .* ended with exit code 1$/.test(line)),
    stdout,
  );
  t.true(
    lines.some((line) => /^quarantined +odd .* x is int64, the contract asks for float64$/.test(line)),
    stdout,
  );
  t.deepEqual(lines.at(-1)?.split(": ")[1]?.split(", ").sort(), ["1 failed", "1 quarantined", "2 done"]);
});

test("list --json is an entry a line, and filters choose", async (t) => {
  const path = at("made.db");
  t.deepEqual(await keysOf(path), ["a", "b", "odd", "poison"]);
  t.deepEqual(await keysOf(path, "--state", "failed,quarantined"), ["odd", "poison"]);
  t.deepEqual(await keysOf(path, "--state", "done", "--key", "b"), ["b"]);
  t.deepEqual(await keysOf(path, "--pipeline", "another"), []);
  const { stdout } = await ledger(path, "list", "--json", "--key", "a");
  const entry = JSON.parse(stdout);
  t.like(entry, { key: "a", root: at("in"), state: "done", deliveries: 1, fields: { key: "a" }, reason: "" });
  t.deepEqual(entry.files, [{ role: "x", path: "a.x.npy" }]);
  t.deepEqual(await keysOf(path, "--id", entry.id.slice(0, 10)), ["a"]);
});

test("a set that is put back is delivered again, and no other", async (t) => {
  const path = copy("requeue.db");
  t.deepEqual(await ledger(path, "requeue", "--state", "failed"), { code: 0, stdout: "requeued 1 set\n", stderr: "" });
  t.deepEqual(await keysOf(path, "--state", "pending"), ["poison"]);
  const run = await runCaptured([...WATCH, "--ledger", path, "--exec", "true"], { environment });
  const events = run.stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  t.deepEqual(
    events.filter(({ event }) => event === "done").map(({ key }) => key),
    ["poison"],
  );
  // The other one that is set aside is told of by each run as long as it is there.
  t.deepEqual(
    events.filter(({ event }) => event === "quarantined").map(({ key }) => key),
    ["odd"],
  );
  t.is(run.code, 1);
});

test("sets are forgotten, and those without files pruned", async (t) => {
  const path = copy("forget.db");
  const json = await ledger(path, "forget", "--key", "a", "--json");
  t.deepEqual(JSON.parse(json.stdout), { path, action: "forget", sets: 1 });
  t.deepEqual(await keysOf(path), ["b", "odd", "poison"]);
  t.is((await ledger(path, "prune", "--older-than", "30d")).stdout, "pruned 0 sets\n");
  t.is((await ledger(path, "forget", "--all")).stdout, "forgot 3 sets\n");
  t.is((await ledger(path, "list")).stdout, "0 sets\n");
});

test("a ledger in use is listed, and not changed", async (t) => {
  const path = copy("used.db");
  const holder = await openLedger(path);
  try {
    t.deepEqual(await keysOf(path), ["a", "b", "odd", "poison"]);
    for (const argv of [["requeue", "--all"], ["forget", "--all"], ["prune"]]) {
      const run = await ledger(path, ...argv);
      t.deepEqual([run.code, run.stdout], [1, ""]);
      t.true(run.stderr.startsWith(`error ERR_LEDGER_LOCKED ${path}: `), run.stderr);
    }
    const run = await runCaptured([...WATCH, "--ledger", path], { environment });
    t.is(run.code, 1);
    t.true(run.stderr.startsWith(`error ERR_LEDGER_LOCKED ${path}: `), run.stderr);
  } finally {
    await holder.close();
  }
});

test("a file that is no ledger, and one that is not there, fail and are left so", async (t) => {
  writeFileSync(at("text.db"), "not a database, but long enough to be looked at as one".repeat(20));
  for (const action of [["list"], ["prune"]]) {
    const text = await ledger(at("text.db"), ...action);
    t.is(text.code, 1);
    t.true(text.stderr.startsWith(`error ERR_LEDGER_VERSION ${at("text.db")}: `), text.stderr);
    const none = await ledger(at("none.db"), ...action);
    t.deepEqual(none, { code: 1, stdout: "", stderr: `error ENOENT ${at("none.db")}: no such file\n` });
  }
  t.false(existsSync(at("none.db")));
  t.false(existsSync(at("text.db-lock")), "nothing is laid beside a file that is not ours");
});

const isWrongUse = test.macro({
  title: (_, what: string) => `${what} is wrong use`,
  async exec(t: ExecutionContext, _: string, argv: readonly string[], message: RegExp) {
    const run = await ledger(at("made.db"), ...argv);
    t.deepEqual([run.code, run.stdout], [2, ""]);
    t.regex(run.stderr, message);
  },
});
test(isWrongUse, "requeue without a filter", ["requeue"], /^error: requeue needs --state/);
test(isWrongUse, "forget without a filter", ["forget"], /^error: forget needs --state/);
test(isWrongUse, "--all beside a filter", ["forget", "--all", "--key", "a"], /^error: --all goes without/);
test(isWrongUse, "prune with a filter", ["prune", "--state", "done"], /^error: prune takes only --older-than/);
test(isWrongUse, "a key that no set has", ["requeue", "--key", "nope"], /made\.db has no such set: nope$/m);
test(isWrongUse, "an id that no set has", ["forget", "--id", "0000abcd"], /made\.db has no such set: id 0000abcd$/m);
test(isWrongUse, "list with an age", ["list", "--older-than", "1d"], /^error: --older-than goes with prune/);
test(isWrongUse, "a state that there is not", ["list", "--state", "lost"], /States are pending, ready/);
test(isWrongUse, "an id that is too short", ["list", "--id", "abc"], /^error: --id is 8 or more/);
test(isWrongUse, "an action that there is not", ["mend"], /Allowed choices are list, requeue, forget, prune/);
