import { join } from "node:path";
import { nameTemplate } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { discover } from "../src/index.ts";
import { Arrivals, type ArrivedSet } from "./helpers/arrivals.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { type Arrival, PRODUCER_TOOLS, type Producer, producers } from "./helpers/producers.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const pythons = Array.from({ length: 3 }, () => new PythonProducer());
let next = 0;

test.before(async () => {
  await Promise.all(pythons.map((python) => python.run(PRODUCER_TOOLS)));
});

test.after.always(async () => {
  await Promise.all(pythons.map((python) => python[Symbol.asyncDispose]()));
  removeFolders();
});

const sets = { roles: { x: { dtype: "float32", shape: ["N", 4] } } } as const;
/** What is to come "at once" may never wait for this to be over, and the rest has to. */
const SETTLE_MS: Readonly<Record<Arrival, number>> = {
  "at once": 120_000,
  "when it has settled": 1000,
  "when filled": 1000,
  "after each step": 120_000,
  "too early": 300,
};
/** The file system's clock goes in ticks, so that a change may seem that much older than it is. */
const TICK_MS = 50;

/** The last of a case's code, with what it needs; the time at which the file was about to be whole is the answer. */
function codeOf(path: string, step: string): string {
  return `
path, array = ${JSON.stringify(path)}, features(600)
data = saved(array)
${step}
answer = str(globals().get("last_ns"))`;
}

/** Whether what was delivered is what was written: 1, 2, 3 and so on, or as far as the zeros at its end. */
function isWhole({ data }: ArrivedSet, arrives: Arrival): boolean {
  const values = Array.from(data["x"] ?? [], Number);
  const zerosFrom = arrives === "when it has settled" ? values.length - 1024 : values.length;
  return values.length > 0 && values.every((value, at) => value === (at < zerosFrom ? at + 1 : 0));
}

const delivers = test.macro({
  title: (_, { kind, arrives }: Producer, hints = "auto") => {
    return `${kind}: it is delivered ${arrives}, ${arrives === "too early" ? "and once more when it is whole" : "whole and once"} (hints: ${hints})`;
  },
  async exec(t: ExecutionContext, { arrives, suffix, steps }: Producer, hints: "auto" | "none" = "auto") {
    t.timeout(100_000);
    const python = pythons[next++ % pythons.length];
    const root = makeFolder();
    const names = nameTemplate(`{key}${suffix}`);
    const settleMs = SETTLE_MS[arrives];
    await using found = discover({ roots: root, names, sets, settleMs, hints, logger: new MemoryLogger() });
    const arrivals = new Arrivals(found);
    let lastNs = 0n;
    for (const [at, step] of steps.entries()) {
      lastNs = BigInt(String(await python?.run(codeOf(join(root, `a${suffix}`), step))));
      if (arrives === "too early" && at > 0) {
        // No event tells of what is written to a mapping, but a look at the file does.
        await t.throwsAsync(async () => await arrivals.sets[0]?.set.verify(), { code: "ERR_SET_CHANGED" });
      }
      await arrivals.waitFor(at + 1);
    }
    const own = [...arrivals.sets];
    t.is(own.length, steps.length);
    for (const [at, set] of own.entries()) {
      t.is(isWhole(set, arrives), arrives !== "too early" || at > 0);
    }
    t.is(new Set(own.map(({ set }) => set.generation)).size, steps.length);
    const waitedMs = Number((own.at(-1)?.atNs ?? 0n) - lastNs) / 1e6;
    t.true(waitedMs > 0, `${waitedMs} ms after the write of the last byte began`);
    if (arrives === "when it has settled") {
      t.true(waitedMs >= settleMs - TICK_MS, `only ${waitedMs} ms after its last change`);
    }
    // What is dropped later comes later, so that nothing of the first is still on its way.
    for (const key of ["b", "c"]) {
      await python?.run(`np.savez("${root}/.x.npz", x=features(3)); np.save("${root}/.x.npy", features(3))
os.rename("${root}/.x${suffix}", "${root}/${key}${suffix}")`);
      await arrivals.waitFor(own.length + (key === "b" ? 1 : 2));
    }
    t.deepEqual(arrivals.keys, [...own.map(() => "a"), "b", "c"]);
  },
});

for (const producer of producers) {
  test(delivers, producer);
}
for (const producer of producers.filter(({ kind }) =>
  ["np.save", "a slow writer", "a hard link", "open_memmap that is filled soon"].includes(kind),
)) {
  test(delivers, producer, "none");
}

const waitsForMarker = test.macro({
  title: (_, { kind }: Producer) => `${kind}: with a marker it is delivered whole and once`,
  async exec(t: ExecutionContext, { steps, suffix }: Producer) {
    const python = pythons[next++ % pythons.length];
    const root = makeFolder();
    const names = nameTemplate(`{key}${suffix}`);
    const logger = new MemoryLogger();
    await using found = discover({ roots: root, names, sets, settleMs: 20, completion: "marker", logger });
    const arrivals = new Arrivals(found);
    const path = join(root, `a${suffix}`);
    const all = steps.map((step) => `${step}\ntime.sleep(0.1)`).join("\n");
    const mark = 'last(); open(path + ".done", "w").close()';
    const lastNs = BigInt(String(await python?.run(codeOf(path, `${all}\n${mark}`))));
    await arrivals.waitFor(1);
    await python?.run(`np.save("${root}/b.npy", features(3)); open("${root}/b.npy.done", "w").close()`);
    await arrivals.waitFor(2);
    t.deepEqual(arrivals.keys, ["a", "b"]);
    t.true(arrivals.sets.every((set) => isWhole(set, "at once")));
    t.true((arrivals.sets[0]?.atNs ?? 0n) > lastNs);
  },
});

for (const producer of producers.filter(({ steps }) => steps.length > 1)) {
  test(waitsForMarker, producer);
}

/** Ways to write a pair of which something else was there before. */
const secondTries = {
  "a writer that starts over": `
put(path, data[:150])
put(path, data, [4000])`,
  "a wrong file that is replaced": `
np.save(path, array[:1])
time.sleep(0.1)
np.save(path + ".tmp.npy", array)
os.rename(path + ".tmp.npy", path)`,
};

const replaces = test.macro({
  title: (_, way: string) => `${way}: the pair is delivered whole and once`,
  async exec(t: ExecutionContext, _way: string, code: string) {
    const python = pythons[next++ % pythons.length];
    const root = makeFolder();
    const logger = new MemoryLogger();
    await using found = discover({ roots: root, names: pairNames, sets: pairSets, settleMs: 300, logger });
    const taken = takeSets(found, 2);
    await python?.run(`
for role, array in (("features", features(600)), ("labels", labels(600))):
    path, data = f"${root}/a.{role}.npy", saved(array)
    ${code.trim().replaceAll("\n", "\n    ")}
time.sleep(0.05)
pair("${root}", "last", 2)`);
    const both = await taken;
    t.deepEqual(both.map(({ key }) => key).sort(), ["a", "last"]);
    for (const array of Object.values(both.find(({ key }) => key === "a")?.arrays ?? {})) {
      await using handle = await array.open();
      const { data, shape } = await handle.read();
      t.is(shape[0], 600);
      t.true(Array.from(data as ArrayLike<unknown>, Number).every((value, at) => value === at + 1));
    }
  },
});

for (const [way, code] of Object.entries(secondTries)) {
  test(replaces, way, code);
}
