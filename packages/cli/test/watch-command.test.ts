import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import test, { type ExecutionContext } from "ava";
import { type Captured, runCaptured } from "./run-captured.ts";
import { NODE, RunningCommand } from "./start-command.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-watch-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);

execFileSync("python3", [
  "-c",
  `
import os, sys
import numpy as np
os.chdir(sys.argv[1])

def pair(folder, key, rows=3, dtype=np.int64):
    os.makedirs(folder, exist_ok=True)
    np.save(f'{folder}/{key}.features.npy', np.ones((rows, 4), np.float32))
    np.save(f'{folder}/{key}.labels.npy', np.arange(rows, dtype=dtype))

for key in 'a', 'b':
    pair('good', key)
    pair('mixed', key)
pair('mixed', 'wrong', dtype=np.int32)
np.save('mixed/orphan.features.npy', np.ones((3, 4), np.float32))
os.makedirs('archives/train')
np.savez("archives/train/it's $(touch pwned).npz", x=np.ones((5, 2)), y=np.arange(5))
pair('one', 'a')
for i in range(12):
    pair('many', f'{i:02}', rows=10)
for key in 'abc':
    pair('three', key, rows=1000)
`,
  folder,
]);

const NAMES = ["--names", "{key}.{role}.npy"];
const ROLES = ["--roles", "features,labels"];
const CONTRACT = JSON.stringify({ features: { dtype: "float32", shape: ["N", 4] }, labels: { dtype: "int64" } });
const PAIRS = [...NAMES, ...ROLES];

const watch = (name: string, ...options: string[]): Promise<Captured> => {
  return runCaptured(["watch", at(name), "--once", ...options], { environment: { PATH: process.env["PATH"] ?? "" } });
};
const eventsOf = ({ stdout }: Captured): Record<string, unknown>[] => {
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};

test("each set is a line of JSON where stdout is no terminal", async (t) => {
  const run = await watch("good", ...PAIRS);
  t.deepEqual([run.code, run.stderr], [0, ""]);
  t.deepEqual(
    eventsOf(run),
    ["a", "b"].map((key) => ({
      event: "set",
      key,
      fields: { key },
      arrays: {
        features: { path: at("good", `${key}.features.npy`), dtype: "float32", shape: [3, 4] },
        labels: { path: at("good", `${key}.labels.npy`), dtype: "int64", shape: [3] },
      },
    })),
  );
});

test("a set that breaks the contract and one that lacks a file are told of, and the first is a failure", async (t) => {
  const run = await watch("mixed", ...NAMES, "--contract", CONTRACT);
  t.deepEqual([run.code, run.stderr], [1, ""]);
  const events = eventsOf(run);
  t.deepEqual(
    events.filter(({ event }) => event === "set").map(({ key }) => key),
    ["a", "b"],
  );
  t.deepEqual(
    events.find(({ event }) => event === "quarantined"),
    {
      event: "quarantined",
      key: "wrong",
      code: "ERR_SET_CONTRACT",
      message: "labels is int32, the contract asks for int64",
      paths: [at("mixed", "wrong.features.npy"), at("mixed", "wrong.labels.npy")],
    },
  );
  t.deepEqual(
    events.find(({ event }) => event === "incomplete"),
    {
      event: "incomplete",
      key: "orphan",
      message: "there is no file of labels",
      missing: ["labels"],
      paths: [at("mixed", "orphan.features.npy")],
    },
  );
  t.is(events.length, 4);
});

test("a contract may stand in a file", async (t) => {
  writeFileSync(at("contract.json"), CONTRACT);
  const run = await watch("mixed", ...NAMES, "--contract", at("contract.json"));
  t.is(run.code, 1);
  t.is(eventsOf(run).filter(({ event }) => event === "quarantined").length, 1);
});

test("a command finds the set in its environment, and names are never part of its text", async (t) => {
  const exec = `printf '%s\\n' "$NPYSTREAM_KEY" "$NPYSTREAM_X" "$NPYSTREAM_Y" "$NPYSTREAM_FIELD_SPLIT" "$NPYSTREAM_ATTEMPT"`;
  const run = await watch("archives", "--names", "{split}/{key}.npz", "--roles", "x,y", "--exec", exec);
  const key = "train/it's $(touch pwned)";
  const path = at("archives", `${key}.npz`);
  t.is(run.stderr, [key, `${path}#x`, `${path}#y`, "train", "1"].map((line) => `${key}: ${line}\n`).join(""));
  const [set, done] = eventsOf(run);
  t.like(set, { event: "set", key, arrays: { x: { path, member: "x", dtype: "float64", shape: [5, 2] } } });
  t.like(done, { event: "done", key, attempt: 1, rows: 5 });
  t.is(run.code, 0);
  t.false(existsSync("pwned"));
});

test("a command that fails is tried again, and then its set is quarantined with what it said last", async (t) => {
  const exec = 'echo "attempt $NPYSTREAM_ATTEMPT"; echo "no luck" >&2; exit 3';
  const run = await watch("one", ...PAIRS, "--exec", exec, "--attempts", "2");
  t.is(run.code, 1);
  t.deepEqual(run.stderr.split("\n").sort(), ["", "a: attempt 1", "a: attempt 2", "a: no luck", "a: no luck"]);
  const message = "the command ended with exit code 3: no luck";
  const [, ...events] = eventsOf(run);
  t.deepEqual(events.slice(0, 2), [
    { event: "failed", key: "a", attempt: 1, code: "CommandError", message },
    { event: "failed", key: "a", attempt: 2, code: "CommandError", message },
  ]);
  t.like(events[2], { event: "quarantined", code: "ERR_STAGE_FAILED" });
  t.is(events.length, 3);
});

test("a command that the shell cannot run ends the run and blames no set", async (t) => {
  const ledger = at("unusable.db");
  const run = await watch("good", ...PAIRS, "--exec", "no-such-program-xyz", "--attempts", "1", "--ledger", ledger);
  t.is(run.code, 1);
  t.regex(
    run.stderr,
    /error CommandError .*good: the command ended with exit code 127: .*no-such-program-xyz.*not found\n$/,
  );
  t.deepEqual(
    eventsOf(run).map(({ event }) => event),
    ["set", "released"],
  );
  const list = await runCaptured(["ledger", ledger, "list", "--json"]);
  t.deepEqual(
    list.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line).state),
    ["ready", "ready"],
  );
});

test("a command that takes too long is ended with all that it started", async (t) => {
  t.timeout(60_000);
  const exec = `echo $$ > '${at("pid")}'; trap '' TERM; sleep 60 & sleep 60`;
  const run = await watch("one", ...PAIRS, "--exec", exec, "--attempts", "1", "--timeout", "3s");
  t.is(run.code, 1);
  const codes = eventsOf(run).map(({ event, code }) => [event, code]);
  t.deepEqual(codes.slice(1).sort(), [
    ["failed", "ERR_STAGE_TIMEOUT"],
    ["quarantined", "ERR_STAGE_TIMEOUT"],
  ]);
  const group = readFileSync(at("pid"), "utf8").trim();
  const alive = execFileSync("ps", ["-eo", "pgid=,stat=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/ +/))
    .filter(([of, state]) => of === group && state?.startsWith("Z") === false);
  t.deepEqual(alive, []);
});

test("a folder of which no array is named as was said ends with 1, and one that is empty with 0", async (t) => {
  const misspelt = await watch("good", "--names", "{key}-{role}.npy", ...ROLES);
  t.deepEqual([misspelt.code, misspelt.stdout], [1, ""]);
  t.regex(misspelt.stderr, /no array in the root is named as the template and the roles say: a\.features\.npy$/m);
  t.is((await watch("good", ...NAMES, "--roles", "x,y")).code, 1);
  mkdirSync(at("empty"));
  t.deepEqual(await watch("empty", ...PAIRS), { code: 0, stdout: "", stderr: "" });
});

const isWrongUse = test.macro({
  title: (_, what: string) => `${what} is wrong use`,
  async exec(t: ExecutionContext, _: string, argv: readonly string[], message: RegExp) {
    const run = await runCaptured(["watch", at("good"), "--once", ...argv]);
    t.deepEqual([run.code, run.stdout], [2, ""]);
    t.regex(run.stderr, message);
  },
});
test(isWrongUse, "a template that is none", ["--names", "{key", ...ROLES], /^error: .*\{key/);
test(isWrongUse, "a template without roles", ["--names", "{key}.npy", ...ROLES], /^error: .*needs \{role\}/);
test(isWrongUse, "a command that is none", [...PAIRS, "--exec", " "], /^error: --exec is empty/);
test(isWrongUse, "no template", ROLES, /--names/);
test(isWrongUse, "no role", NAMES, /^error: there is no role: --roles takes .*--contract/);
test(
  isWrongUse,
  "a contract of another role",
  [...PAIRS, "--contract", '{"x": {}}'],
  /role x, which --roles does not name/,
);
test(isWrongUse, "a contract that is no JSON", [...PAIRS, "--contract", "{"], /^error: --contract cannot be read/);
test(isWrongUse, "a dtype that there is not", [...NAMES, "--contract", '{"x": {"dtype": "f5"}}'], /^error: .*f5/);
test(
  isWrongUse,
  "a contract that is not there",
  [...PAIRS, "--contract", "none.json"],
  /none\.json cannot be read: no such file/,
);
test(
  isWrongUse,
  "a role that is no variable of its own",
  [...NAMES, "--roles", "key,x", "--exec", "true"],
  /NPYSTREAM_KEY would stand/,
);
test(isWrongUse, "a time without a unit", [...PAIRS, "--timeout", "5"], /a number and a unit/);
test(isWrongUse, "no concurrency", [...PAIRS, "--concurrency", "0"], /1 or more/);
test(isWrongUse, "a command beside a queue", [...PAIRS, "--exec", "true", "--queue", "redis://x"], /npystream work/);
test(isWrongUse, "a queue of another kind", [...PAIRS, "--queue", "amqp://x"], /^error: connection must be a URL/);
test(
  isWrongUse,
  "a ledger in the folder",
  [...PAIRS, "--ledger", at("good", "l.db")],
  /^error: the ledger .* lies in the root/,
);

test("a folder that is not there fails a run over what is there", async (t) => {
  const run = await watch("nowhere", ...PAIRS);
  t.deepEqual([run.code, run.stdout], [1, ""]);
  t.regex(run.stderr, /^error ENOENT .*nowhere: no such file\n$/);
});

test("SIGTERM lets the command under way end, begins no other, and is the usual end", async (t) => {
  t.timeout(60_000);
  const root = at("later");
  const run = new RunningCommand(["watch", root, ...PAIRS, "--ledger", at("later.db"), "--exec", "sleep 1"]);
  await run.until(() => run.stderr.includes("does not exist yet; it is waited for"));
  // A writer that stops in the middle of the file for a while.
  const producer = spawn("python3", [
    "-c",
    `
import io, os, sys, time
import numpy as np
os.mkdir(sys.argv[1])
os.chdir(sys.argv[1])
for key in 'xyz':
    np.save(f'{key}.labels.npy', np.arange(5000))
    data = io.BytesIO()
    np.save(data, np.ones((5000, 4), np.float32))
    with open(f'{key}.features.npy', 'wb', buffering=0) as file:
        file.write(data.getvalue()[:40000])
        time.sleep(0.2)
        file.write(data.getvalue()[40000:])
`,
    root,
  ]);
  await run.until(() => run.events().length > 0);
  await new Promise((resolve) => (producer.exitCode === null ? producer.once("close", resolve) : resolve(undefined)));
  run.child.kill("SIGTERM");
  t.is(await run.end(), 0);
  const [set, done, ...rest] = run.events();
  t.like(set, { event: "set", arrays: { features: { shape: [5000, 4] } } });
  t.like(done, { event: "done", key: set?.["key"], rows: 5000 });
  t.deepEqual(rest, []);
  t.regex(run.stderr, /SIGTERM: sets under way have 20000 ms to end; again to end them now\n$/);
});

test("a set that is not done when the time to drain is over is given back", async (t) => {
  t.timeout(60_000);
  const options = ["--ledger", at("drain.db"), "--exec", "sleep 60", "--drain-ms", "100"];
  const run = new RunningCommand(["watch", at("one"), ...PAIRS, ...options]);
  await run.until(() => run.events().length > 0);
  run.child.kill("SIGINT");
  t.is(await run.end(), 0);
  t.deepEqual(
    run.events().map(({ event }) => event),
    ["set", "released"],
  );
});

test("after kill -9 what is done is not done again, and what was under way once more", async (t) => {
  t.timeout(60_000);
  const log = at("runs.log");
  const exec = `echo "$NPYSTREAM_KEY" >> '${log}'; sleep 0.1`;
  const argv = [
    "watch",
    at("many"),
    ...PAIRS,
    "--ledger",
    at("many.db"),
    "--concurrency",
    "2",
    "--once",
    "--exec",
    exec,
  ];
  const killed = new RunningCommand(argv);
  await killed.until(() => killed.events().filter(({ event }) => event === "done").length >= 3);
  killed.child.kill("SIGKILL");
  t.is(await killed.end(), "SIGKILL");
  const done = killed
    .events()
    .filter(({ event }) => event === "done")
    .map(({ key }) => key);
  const second = new RunningCommand(argv);
  t.is(await second.end(), 0, second.stderr);
  const runs = readFileSync(log, "utf8").trimEnd().split("\n");
  const keys = Array.from({ length: 12 }, (_, i) => String(i).padStart(2, "0"));
  t.deepEqual([...new Set(runs)].sort(), keys);
  const twice = keys.filter((key) => runs.filter((one) => one === key).length > 1);
  t.true(runs.length <= 12 + 2, runs.join(" "));
  t.deepEqual(
    twice.filter((key) => done.includes(key)),
    [],
  );
  const third = await watch("many", ...PAIRS, "--ledger", at("many.db"), "--exec", exec);
  t.deepEqual([third.code, third.stdout], [0, ""]);
});

const PTY = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

test("on a terminal there are lines of text above a view that is painted in place", async (t) => {
  t.timeout(60_000);
  const exec = 'test "$NPYSTREAM_KEY" != b || { echo boom >&2; exit 1; }; sleep 0.6';
  const argv = ["watch", at("three"), ...PAIRS, "--once", "--exec", exec, "--attempts", "1"];
  const run = new RunningCommand(["-c", PTY, ...NODE, ...argv], ["env", "TERM=xterm", "NO_COLOR=1", "python3"]);
  t.is(await run.end(), 1);
  const painted = run.stdout.replaceAll("\r\n", "\n");
  t.regex(
    painted,
    /ready \d {2}waiting \d {2}running 1 {2}done \d {2}failed \d {2}[\d,]+ rows\/s\nrunning: [abc] 0\.\d s\n/,
  );
  t.true(painted.includes("\r\x1b[2A\x1b[J"), "a view of two lines is gone back over");
  t.true(painted.includes("b: boom\n"));
  t.regex(painted, /quarantined b ERR_STAGE_FAILED: .*exit code 1: boom\n/);
  // The last view stays, and no mode of the terminal is left changed.
  t.regex(stripVTControlCharacters(painted).trimEnd(), /done 2 {2}failed 1 {2}[\d,]+ rows\/s\nquarantined 1: b$/);
  const sequences = painted
    .split("\x1b")
    .slice(1)
    .map((text) => /^\[[?0-9;]*[a-zA-Z]/.exec(text)?.[0]);
  t.deepEqual(
    [...new Set(sequences)].filter((sequence) => !/^\[(\dA|J)$/.test(sequence ?? "")),
    [],
  );
});
