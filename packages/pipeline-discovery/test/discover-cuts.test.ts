import { join } from "node:path";
import { nameTemplate } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { discover, type IncompleteSet } from "../src/index.ts";
import { Arrivals } from "./helpers/arrivals.ts";
import { makeFolder, removeFolders, takeKeys } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const sets = { roles: { x: { dtype: "float32", shape: [6, 4] } } } as const;

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** Files of `data`, each cut at another byte, left by a writer that was at work on all of them when it was killed. */
const CUT = `
def cut(folder, suffix):
    writer = os.fork()
    if writer == 0:
        for length in range(len(data)):
            file = os.open(f"{folder}/{length:04}{suffix}", os.O_WRONLY | os.O_CREAT, 0o644)
            os.write(file, data[:length])
        os.kill(os.getpid(), 9)
    assert os.WTERMSIG(os.waitpid(writer, 0)[1]) == 9

def finish(folder, suffix):
    for length in range(len(data)):
        with open(f"{folder}/{length:04}{suffix}", "ab") as file:
            file.write(data[length:])
`;

const PRODUCTS: Readonly<Record<string, string>> = {
  "np.save": "data = saved(features(6))",
  "a header of version 3": `
file = io.BytesIO()
np.lib.format.write_array(file, features(6), version=(3, 0))
data = file.getvalue()`,
  "np.savez": "file = io.BytesIO(); np.savez(file, x=features(6)); data = file.getvalue()",
  "np.savez_compressed": "file = io.BytesIO(); np.savez_compressed(file, x=features(6)); data = file.getvalue()",
};

const holdsBack = test.macro({
  title: (_, product: string) => {
    return `files of ${product} that are cut at every byte offset by a writer's death: nothing is delivered before its last byte, and everything with it`;
  },
  async exec(t: ExecutionContext, product: string) {
    t.timeout(120_000);
    const root = makeFolder();
    const suffix = product.startsWith("np.savez") ? ".npz" : ".npy";
    const told: IncompleteSet[] = [];
    const options = { roots: root, names: nameTemplate(`{key}${suffix}`), sets, logger: new MemoryLogger() };
    const count = Number(
      await python.run(`${CUT}\n${PRODUCTS[product]}\ncut(${JSON.stringify(root)}, "${suffix}")\nanswer = len(data)`),
    );
    t.true(count > 150);
    const onReport = (set: IncompleteSet): void => void told.push(set);
    const glance = discover({ ...options, once: true, onIncomplete: { onReport } });
    t.deepEqual(await takeKeys(glance), []);
    t.deepEqual([glance.quarantined.length, told.length], [0, count], "each is only unfinished");

    await using found = discover(options);
    const arrivals = new Arrivals(found);
    await python.run(`finish(${JSON.stringify(root)}, "${suffix}")`);
    await arrivals.waitFor(count);
    await python.run(`open("${join(root, `last${suffix}`)}", "wb").write(data)`);
    await arrivals.waitFor(count + 1);
    t.is(new Set(arrivals.keys).size, count + 1, "each once");
    for (const { data } of arrivals.sets) {
      const values = Array.from(data["x"] ?? [], Number);
      t.true(values.length === 24 && values.reduce((sum, value) => sum + value, 0) === 300);
    }
  },
});

for (const product of Object.keys(PRODUCTS)) {
  test.serial(holdsBack, product);
}
