import test, { type ExecutionContext } from "ava";
import { discover } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const producers = Array.from({ length: 3 }, () => new PythonProducer());
let next = 0;

test.after.always(async () => {
  await Promise.all(producers.map((python) => python[Symbol.asyncDispose]()));
  removeFolders();
});

/** Ways to produce `path` from `data`, the bytes of the finished file, or `array`. Each takes a few tenths of a second. */
const ways = {
  "np.save": "np.save(path, array)",
  "a slow writer": "slowly(path, data, 20, 0.01)",
  "a writer that stalls in the header": "slowly(path, data, 3, 0.15)",
  "a writer that is one byte short for a while":
    "f = open(path, 'wb', buffering=0); f.write(data[:-1]); time.sleep(0.2); f.write(data[-1:]); f.close()",
  "a rename": "slowly(path + '.tmp', data, 4, 0.03); os.rename(path + '.tmp', path)",
  "a rename from a hidden name":
    "hidden = os.path.join(os.path.dirname(path), '.' + os.path.basename(path)); slowly(hidden, data, 4, 0.03); os.rename(hidden, path)",
  "a hard link": "slowly(path + '.part', data, 4, 0.03); os.link(path + '.part', path); os.unlink(path + '.part')",
  cp: "slowly(path + '.tmp', data, 1, 0); import subprocess; subprocess.run(['cp', path + '.tmp', path], check=True); os.unlink(path + '.tmp')",
  "a copy that keeps the time":
    "slowly(path + '.tmp', data, 1, 0); os.utime(path + '.tmp', (1, 1)); shutil.copy2(path + '.tmp', path); os.unlink(path + '.tmp')",
  open_memmap:
    "m = np.lib.format.open_memmap(path, 'w+', array.dtype, array.shape); time.sleep(0.1); m[...] = array; m.flush(); del m",
  "a file that is extended first":
    "f = open(path, 'wb', buffering=0); f.truncate(len(data)); time.sleep(0.1); f.write(data); f.close()",
  "a file whose data comes before its header":
    "f = open(path, 'wb', buffering=0); f.seek(128); f.write(data[128:]); time.sleep(0.2); f.seek(0); f.write(data[:128]); f.close()",
  "a writer that starts over": "slowly(path, data[:150], 2, 0.05); slowly(path, data, 4, 0.03)",
  "a wrong file that is replaced":
    "np.save(path, array[:1]); time.sleep(0.1); np.save(path + '.tmp.npy', array); os.rename(path + '.tmp.npy', path)",
};

const delivers = test.macro({
  title: (_, way: string, hints: string) => `${way}: the pair is delivered whole and once (hints: ${hints})`,
  async exec(t: ExecutionContext, way: string, hints: "auto" | "none") {
    const code = Object.entries(ways).find(([name]) => name === way)?.[1] ?? "";
    const python = producers[next++ % producers.length];
    const root = makeFolder();
    const logger = new MemoryLogger();
    await using found = discover({ roots: root, names: pairNames, sets: pairSets, settleMs: 300, hints, logger });
    const taken = takeSets(found, 2);
    await python?.run(`
for role, array in (("features", features(600)), ("labels", labels(600))):
    path, data = f"${root}/a.{role}.npy", saved(array)
    ${code}
time.sleep(0.05)
pair("${root}", "last", 2)`);
    const sets = await taken;
    t.deepEqual(sets.map(({ key }) => key).sort(), ["a", "last"]);
    const set = sets.find(({ key }) => key === "a");
    for (const array of [set?.arrays.features, set?.arrays.labels]) {
      await using handle = await array?.open();
      const data = (await handle?.read())?.data ?? [];
      t.is(
        Array.from(data, Number).reduce((sum, value) => sum + value, 0),
        (data.length * (data.length + 1)) / 2,
      );
      t.true(data.length >= 600);
    }
  },
});

for (const way of Object.keys(ways)) {
  test(delivers, way, "auto");
}
for (const way of ["np.save", "a slow writer", "a rename", "open_memmap"]) {
  test(delivers, way, "none");
}
