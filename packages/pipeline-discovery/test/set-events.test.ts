import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import test from "ava";
import { type ArraySet, discover, type SetEvent } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

test("what happens to sets is published to whoever subscribes", async (t) => {
  const root = makeFolder();
  await python.run(`for key in "ab": pair("${root}", key)`);
  const events: SetEvent[] = [];
  const onEvent = (event: unknown): number => events.push(event as SetEvent);
  subscribe("npystream:set", onEvent);
  const logger = new MemoryLogger();
  const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, pipeline: "p", logger });
  const iterator = found[Symbol.asyncIterator]();
  await (await iterator.next()).value?.release();
  await (await iterator.next()).value?.quarantine("it is odd");
  t.is((await takeSets(found, 2)).length, 1);
  unsubscribe("npystream:set", onEvent);
  t.deepEqual(
    events.map(({ event, key, reason }) => [event, key, reason]),
    [
      ["delivered", "a", undefined],
      ["released", "a", undefined],
      ["delivered", "b", undefined],
      ["quarantined", "b", "it is odd"],
      ["delivered", "a", undefined],
      ["done", "a", undefined],
    ],
  );
  t.like(events[0], { pipeline: "p", root });
});

test("sets come as a stream of objects, and destroying it closes the discovery", async (t) => {
  const root = makeFolder();
  await python.run(`for key in "abc": pair("${root}", key)`);
  const all: string[] = [];
  for await (const set of discover({ roots: root, names: pairNames, sets: pairSets, once: true }).stream()) {
    all.push((set as ArraySet).key);
    await (set as ArraySet).ack();
  }
  t.deepEqual(all, ["a", "b", "c"]);
  const found = discover({ roots: root, names: pairNames, sets: pairSets });
  const stream = found.stream();
  await once(stream, "readable");
  t.is((stream.read() as ArraySet).key, "a");
  stream.destroy();
  await once(stream, "close");
  t.deepEqual(await takeSets(found, 1), [], "it is closed");
});

test("orphans are delivered with what there is, where that is asked for, and again when they are whole", async (t) => {
  const root = makeFolder();
  await python.run(`np.save("${root}/a.features.npy", features(3)); pair("${root}", "b")`);
  const logger = new MemoryLogger();
  const onIncomplete = { action: "emit", afterMs: 50 } as const;
  const options = { roots: root, names: pairNames, sets: pairSets, settleMs: 0, logger, onIncomplete };
  const sets = await takeSets(discover({ ...options, once: true }), 9);
  t.deepEqual(
    sets.map(({ key, missing }) => [key, missing]),
    [
      ["b", []],
      ["a", ["labels"]],
    ],
  );
  t.deepEqual(Object.keys(sets[1]?.arrays ?? {}), ["features"]);
  await using features = await sets[1]?.arrays.features.open();
  t.deepEqual(features?.shape, [3, 4]);
  await using found = discover(options);
  t.is((await takeSets(found, 2)).length, 2);
  await python.run(`np.save("${root}/a.labels.npy", labels(3))`);
  const [whole] = await takeSets(found, 1);
  t.like(whole, { key: "a", missing: [] });
});
