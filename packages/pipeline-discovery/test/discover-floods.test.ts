import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { discover } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { openDescriptors } from "./helpers/open-resources.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
/** How long nothing else runs, and how many sets come meanwhile: NPYSTREAM_BLOCK_MS, NPYSTREAM_BLOCK_SETS. */
const BLOCK_MS = Number(process.env["NPYSTREAM_BLOCK_MS"] ?? 10_000);
const BLOCK_SETS = Number(process.env["NPYSTREAM_BLOCK_SETS"] ?? 10_000);
/** How many sets nobody takes: NPYSTREAM_FLOOD_SETS. */
const FLOOD_SETS = Number(process.env["NPYSTREAM_FLOOD_SETS"] ?? 50_000);
/** Sets that are there before, and are replaced behind everything that comes. */
const OLD_SETS = 200;

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** Pairs with the same bytes in each, which is quicker than to format a header for every file. */
const DROP = `
small = {role: saved(array) for role, array in (("features", features(2)), ("labels", labels(2)))}

def drop(folder, begin, end, hidden=False):
    for i in range(begin, end):
        for role, data in small.items():
            path = f"{folder}/{i:05}.{role}.npy"
            file = os.open(f"{folder}/.new" if hidden else path, os.O_WRONLY | os.O_CREAT, 0o644)
            os.write(file, data)
            os.close(file)
            if hidden: os.rename(f"{folder}/.new", path)
`;

test.serial(
  "20,000 files that come, and 400 that are replaced, while the event loop is blocked for 10 s are all found once",
  async (t) => {
    t.timeout(120_000);
    const root = makeFolder();
    await using found = discover({ roots: root, names: pairNames, sets: pairSets, logger: new MemoryLogger() });
    await python.run(`${DROP}\ndrop("${root}", 0, ${OLD_SETS})`);
    const generations = new Map((await takeSets(found, OLD_SETS)).map(({ key, generation }) => [key, generation]));
    t.is(generations.size, OLD_SETS);
    const done = python.run(`
drop("${root}", ${OLD_SETS}, ${OLD_SETS + BLOCK_SETS})
drop("${root}", 0, ${OLD_SETS}, hidden=True)
answer = time.monotonic_ns()`);
    await new Promise(setImmediate); // so that the order is written to the pipe
    const start = process.hrtime.bigint();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCK_MS);
    const end = process.hrtime.bigint();
    t.true(end - start >= BigInt(BLOCK_MS) * 999_000n);
    const wroteAt = BigInt(String(await done));
    t.log(`the last file was there ${(Number(wroteAt - end) / 1e6).toFixed(0)} ms after the loop went on`);
    const sets = await takeSets(found, BLOCK_SETS + OLD_SETS);
    t.is(new Set(sets.map(({ key }) => key)).size, BLOCK_SETS + OLD_SETS);
    const replaced = sets.filter(({ key }) => generations.has(key));
    t.true(replaced.every(({ key, generation }) => generation !== generations.get(key)));
    await python.run(`pair("${root}", "last")`);
    t.deepEqual(
      (await takeSets(found, 1)).map(({ key }) => key),
      ["last"],
      "and none of them again",
    );
  },
);

test.serial(
  "while nobody takes them, 50,000 sets that arrive cost some hundred bytes each and no file is open",
  async (t) => {
    t.timeout(240_000);
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    const heapUsed = (): number => {
      (collect as () => void)();
      return process.memoryUsage().heapUsed;
    };
    const root = makeFolder();
    const maxPending = 16;
    await using found = discover({
      roots: root,
      names: pairNames,
      sets: pairSets,
      maxPending,
      logger: new MemoryLogger(),
    });
    await python.run(`${DROP}\npair("${root}", "first")`);
    t.is((await takeSets(found, 1)).length, 1);
    const before = heapUsed();
    await python.run(`drop("${root}", 0, ${FLOOD_SETS})`);
    const { ready, pending, inFlight } = found.stats();
    t.true(ready <= maxPending, `${ready} are held ready`);
    t.true(pending <= 1000, `${pending} were sorted into sets`);
    t.is(inFlight, 0);
    const bytesPerSet = (heapUsed() - before) / FLOOD_SETS;
    t.log(`${bytesPerSet.toFixed(0)} bytes a set`);
    t.true(bytesPerSet < 500, `${bytesPerSet} bytes a set`);
    t.is(openDescriptors(root), 0);
    const keys = new Set((await takeSets(found, FLOOD_SETS)).map(({ key }) => key));
    t.is(keys.size, FLOOD_SETS, "when somebody takes them, each comes once");
  },
);
