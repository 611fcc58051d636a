import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isNpyError, nameTemplate } from "@npystream/codec";
import { openNpy, openNpz } from "@npystream/reader-stream";
import test, { type ExecutionContext } from "ava";
import { discover, type IncompleteSet, openLedger, runStage } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const malformed = join(import.meta.dirname, "..", "..", "..", "test", "fixtures", "malformed.py");

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

test("poison among 1,000 good sets keeps none of them back, and each is set aside for its own reason", async (t) => {
  t.timeout(120_000);
  const root = makeFolder();
  const ledger = join(makeFolder(), "ledger.db");
  await python.run(`
for i in range(1000): pair("${root}", f"good-{i:04}")
for key in ("throws", "hangs", "wrong", "objects", "cut", "orphan"): pair("${root}", f"bad-{key}")
np.save("${root}/bad-wrong.labels.npy", labels(9))
np.save("${root}/bad-objects.labels.npy", np.array([{}], dtype=object))
os.truncate("${root}/bad-cut.features.npy", 150)
os.unlink("${root}/bad-orphan.labels.npy")`);
  const reports: IncompleteSet[] = [];
  const logger = new MemoryLogger();
  const onIncomplete = { onReport: (set: IncompleteSet): void => void reports.push(set) };
  const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, ledger, onIncomplete, logger });
  const runs = new Map<string, number>();
  const result = await runStage(
    found,
    async (set, { signal }) => {
      runs.set(set.key, (runs.get(set.key) ?? 0) + 1);
      if (set.key === "bad-throws") {
        throw new Error("this is poison");
      }
      if (set.key === "bad-hangs") {
        await sleep(600_000, undefined, { signal });
      }
      await using labels = await set.arrays.labels.open();
      await labels.read();
    },
    { concurrency: 2, timeoutMs: 2000, retry: { attempts: 2, baseMs: 10, maxMs: 50 }, logger },
  );
  t.like(result, { done: 1000, failed: 2, aborted: false });
  t.is([...runs.values()].filter((count) => count === 1).length, 1000);
  t.deepEqual([runs.get("bad-throws"), runs.get("bad-hangs")], [2, 2]);
  const reasons = found.quarantined.map(({ key, error }) => `${key}: ${isNpyError(error) ? error.code : error}`);
  t.deepEqual(reasons.sort(), [
    "bad-hangs: ERR_STAGE_TIMEOUT",
    "bad-objects: ERR_NPY_OBJECT",
    "bad-throws: ERR_STAGE_FAILED",
    "bad-wrong: ERR_SET_CONTRACT",
  ]);
  t.deepEqual(reports.map(({ key }) => key).sort(), ["bad-cut", "bad-orphan"]);
  await using opened = await openLedger(ledger, { readOnly: true });
  t.like(opened.count(), { done: 1000, failed: 2, quarantined: 2, ready: 0, claimed: 0 });
});

/** What a file that is still written may have: it is not refused, but not delivered either. */
const UNFINISHED = /^(ERR_NPY_TRUNCATED|ERR_NPY_TRAILING|ERR_NPZ_DIRECTORY|ERR_NPY_MAGIC-zeros)/;

/** Reads every array of a file to its end. */
async function readAll(path: string): Promise<void> {
  if (path.endsWith(".npy")) {
    await using array = await openNpy(path);
    await array.read();
    return;
  }
  await using archive = await openNpz(path);
  for (const name of archive.names) {
    await using array = await archive.open(name);
    await array.read();
  }
}

const survives = test.macro({
  title: (_, suffix: string) => {
    return `hostile ${suffix} files of every kind are refused with their code or held back, and the good ones beside them come`;
  },
  async exec(t: ExecutionContext, suffix: ".npy" | ".npz") {
    t.timeout(120_000);
    const [made, root] = [makeFolder(), makeFolder()];
    await python.run(`
import subprocess
subprocess.run([sys.executable, ${JSON.stringify(malformed)}, ${JSON.stringify(made)}], check=True, stdout=subprocess.DEVNULL)
for key in ("0-first", "zz-last"):
    np.save(f"${root}/{key}.npy", features(9))
    np.savez(f"${root}/{key}.npz", x=features(9))`);
    const files = (await readdir(join(made, "malformed"))).filter((name) => name.endsWith(suffix));
    t.true(files.length > 50);
    await Promise.all(files.map((name) => copyFile(join(made, "malformed", name), join(root, name))));
    const held: string[] = [];
    const onIncomplete = { onReport: ({ key }: IncompleteSet): void => void held.push(key) };
    const options = { once: true, settleMs: 20, onIncomplete, logger: new MemoryLogger() };
    const names = nameTemplate(`{key}${suffix}`);
    const found = discover({ roots: root, names, sets: { roles: { x: {} } }, ...options });
    const came: string[] = [];
    const surprises: string[] = [];
    for await (const set of found) {
      came.push(set.key);
      if (set.key.startsWith("ERR")) {
        // A fault that only the data has, or a member that nobody asked for, shows when that is read.
        const error = await readAll(set.arrays.x.path).catch((reason: unknown) => reason);
        if (!isNpyError(error) || !set.key.startsWith(error.code)) {
          surprises.push(`${set.key} was delivered and gives ${error}`);
        }
      }
      await set.ack();
    }
    for (const { key, error } of found.quarantined) {
      const isOwn = isNpyError(error) && (key.startsWith(error.code) || error.code === "ERR_SET_CONTRACT");
      surprises.push(...(isOwn ? [] : [`${key} was refused with ${error}`]));
    }
    surprises.push(...held.filter((key) => !UNFINISHED.test(key)).map((key) => `${key} is held back`));
    t.deepEqual(surprises, []);
    t.deepEqual(
      came.filter((key) => !key.startsWith("ERR")),
      ["0-first", "zz-last"],
    );
    t.is(came.length + held.length + found.quarantined.length, files.length + 2);
    t.log(`${found.quarantined.length} refused, ${held.length} held back, ${came.length - 2} delivered and unreadable`);
  },
});

test.serial(survives, ".npy");
test.serial(survives, ".npz");
