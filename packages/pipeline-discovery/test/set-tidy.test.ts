import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { discover, nameTemplate, runStage } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

async function runOver(root: string, after: NonNullable<Parameters<typeof runStage>[2]>["after"]) {
  const logger = new MemoryLogger();
  const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, logger });
  const result = await runStage(found, () => undefined, { logger, ...(after === undefined ? {} : { after }) });
  return { result, logger };
}

test("files of sets that are done stay, go or get another name, as asked", async (t) => {
  const root = makeFolder();
  await python.run(`for key in "ab": pair("${root}", key)`);
  await runOver(root, undefined);
  t.is((await readdir(root)).length, 4);
  await runOver(root, { move: nameTemplate("done/{role}/{key}.npy") });
  t.deepEqual((await readdir(root, { recursive: true })).sort(), [
    "done",
    "done/features",
    "done/features/a.npy",
    "done/features/b.npy",
    "done/labels",
    "done/labels/a.npy",
    "done/labels/b.npy",
  ]);
  await python.run(`pair("${root}", "c")`);
  await runOver(root, "delete");
  t.deepEqual(await readdir(root), ["done"]);
});

test("what cannot be put away is told of, and the set is done all the same", async (t) => {
  const root = makeFolder();
  await python.run(`pair("${root}", "a")`);
  const { result, logger } = await runOver(root, { move: nameTemplate("done/{other}.{role}.npy") });
  t.is(result.done, 1);
  t.deepEqual(logger.messages("warn"), ["the files of a set that is done could not be put away"]);
  t.regex(String(logger.entries.find(({ level }) => level === "warn")?.fields["err"]), /other/);
  t.is((await readdir(join(root))).length, 2);
});
