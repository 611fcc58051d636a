import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { openLedger } from "../src/index.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const program = join(import.meta.dirname, "programs", "kill-program.ts");
const SETS = 12;
const CONCURRENCY = 3;
/** Kills of each round; NPYSTREAM_KILLS asks for more. */
const KILLS = Number(process.env["NPYSTREAM_KILLS"] ?? 8);
const POINTS = ["write", "sync", "synced", "rename", "renamed", "ack", "acked", "any time"];

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** Runs the program until it ends or is killed; gives what it printed and which signal ended it. */
async function run(parameters: readonly string[], killAfterMs?: number) {
  const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`];
  const child = spawn(process.execPath, [...node, program, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (text) => {
    printed += text;
  });
  const ended = once(child, "close");
  if (killAfterMs !== undefined) {
    await Promise.race([ended, sleep(killAfterMs).then(() => child.kill("SIGKILL"))]);
  }
  await ended;
  return { printed, signal: child.signalCode };
}

test("a runner killed anywhere between write, fsync, rename and acknowledgement leaves every set one right result", async (t) => {
  t.timeout(KILLS * 30_000);
  const [root, out, state] = [makeFolder(), makeFolder(), makeFolder()];
  const [ledger, runs] = [join(state, "ledger.db"), join(state, "runs.txt")];
  await writeFile(runs, "");
  let made = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await python.run(`for i in range(${made}, ${made + SETS}): pair("${root}", i, 5_000)`);
    made += SETS;
    const point = POINTS[kill % POINTS.length] ?? "";
    const nth = 1 + Math.floor(Math.random() * CONCURRENCY * 2);
    const isAnyTime = point === "any time";
    const parameters = [root, out, ledger, runs, isAnyTime ? "none" : point, String(nth)];
    const { signal } = await run(parameters, isAnyTime ? 300 + Math.random() * 1500 : undefined);
    if (!isAnyTime) {
      t.is(signal, "SIGKILL", `it was to be killed at ${point}`);
    }
  }
  const { printed } = await run([root, out, ledger, runs, "none"]);
  t.like(JSON.parse(printed), { failed: 0, aborted: false });
  await python.run(`
for name in os.listdir("${out}"):
    assert (np.load(f"${out}/{name}") == features(5_000) * 2).all(), name`);
  const results = (await readdir(out)).sort();
  t.deepEqual(
    results,
    Array.from({ length: made }, (_, at) => `${at}.doubled.npy`).sort(),
    "one result a set, and no rest",
  );
  const begun = (await readFile(runs, "utf8")).trim().split("\n");
  t.is(new Set(begun).size, made, "no set is forgotten");
  const repeated = begun.length - made;
  t.true(repeated <= KILLS * CONCURRENCY, `${repeated} of what was in flight were run again`);
  await using opened = await openLedger(ledger, { readOnly: true });
  t.like(opened.count(), { done: made, claimed: 0, ready: 0, failed: 0 });
});
