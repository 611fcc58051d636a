import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const program = join(import.meta.dirname, "programs", "stage-program.ts");
const SETS = 40;

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

function start(root: string, out: string): ChildProcess {
  const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`];
  return spawn(process.execPath, [...node, program, root, out], { stdio: ["ignore", "pipe", "inherit"] });
}

test("a runner that is killed at any time leaves each result absent or whole, and the next run makes the rest", async (t) => {
  t.timeout(60_000);
  const [root, out] = [makeFolder(), makeFolder()];
  await python.run(`for i in range(${SETS}): pair("${root}", i, 20_000)`);
  const check = `
for name in os.listdir("${out}"):
    if not name.startswith("."):
        assert (np.load(f"${out}/{name}") == features(20_000) * 2).all(), name`;
  const visible = async (): Promise<string[]> => (await readdir(out)).filter((name) => !name.startsWith("."));
  for (const results of [1, 9, 25]) {
    const child = start(root, out);
    // At work on the first, or on some behind the results of the runs before, which are made again.
    while ((await readdir(out)).length < results && child.exitCode === null) {
      await sleep(2);
    }
    child.kill("SIGKILL");
    await once(child, "close");
    await python.run(check);
  }
  const child = start(root, out);
  const [line] = await once(child.stdout ?? child, "data");
  t.like(JSON.parse(String(line)), { done: SETS, failed: 0, aborted: false });
  await once(child, "close");
  await python.run(check);
  t.is((await visible()).length, SETS);
  t.deepEqual(
    (await readdir(out)).filter((name) => name.startsWith(".")),
    [],
    "the unfinished files of the dead are removed",
  );
});
