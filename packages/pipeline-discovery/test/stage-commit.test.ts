import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { isNpyError, NdArray, nameTemplate } from "@npystream/codec";
import type { openNpy } from "@npystream/reader-stream";
import test, { type ExecutionContext } from "ava";
import { discover, runStage, type StageContext } from "../src/index.ts";
import { createCommit } from "../src/stage-commit.ts";
import { makeFolder, pairNames, pairSets, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const logger = new MemoryLogger();

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** Runs a stage over one pair, and gives the root and what it was quarantined with. */
async function runOnce(
  work: (
    context: StageContext & { readonly root: string; readonly features: () => ReturnType<typeof openNpy> },
  ) => unknown,
  out?: string,
): Promise<{ root: string; error: unknown }> {
  const root = makeFolder();
  await python.run(`pair("${root}", "a")`);
  const found = discover({ roots: root, names: pairNames, sets: pairSets, logger, once: true });
  const options = { logger, retry: { attempts: 1 }, ...(out === undefined ? {} : { out }) };
  await runStage(
    found,
    (set, context) => work({ ...context, root, features: () => set.arrays.features.open() }),
    options,
  );
  return { root, error: found.quarantined[0]?.error.cause };
}

/** What is in a folder, hidden files too. */
async function namesIn(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).sort();
}

const inputs = ["a.features.npy", "a.labels.npy"];

test("a stream is committed under the formatted name, in folders that are made for it, as np.save would write it", async (t) => {
  const names = nameTemplate("{stage}/{key}.{role}.npy");
  const { root, error } = await runOnce(async ({ commit, signal, features }) => {
    await using x = await features();
    const path = await commit(names, { stage: "out", key: "a", role: "copy" }, (out) =>
      pipeline(x.stream(), out, { signal }),
    );
    t.true(path.endsWith(join("out", "a.copy.npy")));
  });
  t.is(error, undefined);
  t.deepEqual(await namesIn(root), [...inputs, "out", "out/a.copy.npy"]);
  t.deepEqual(await readFile(join(root, "out/a.copy.npy")), await readFile(join(root, "a.features.npy")));
});

test("rows may be pushed, and the stream is finished for whoever leaves it open", async (t) => {
  const { root } = await runOnce(async ({ commit }) => {
    await commit(
      pairNames,
      { key: "a", role: "sums" },
      async (out) => {
        await out.push(Float64Array.of(1, 2, 3, 4));
        await out.push(Float64Array.of(5, 6));
      },
      { dtype: "float64", rowShape: [2] },
    );
  });
  await python.run(`assert np.load("${root}/a.sums.npy").tolist() == [[1, 2], [3, 4], [5, 6]]`);
  t.deepEqual(await namesIn(root), [...inputs, "a.sums.npy"]);
});

test("whole arrays are committed as .npy, and several as .npz, below another folder where one is given", async (t) => {
  const out = makeFolder();
  const { root } = await runOnce(async ({ commit }) => {
    const ids = BigInt64Array.of(1n, 2n);
    await commit(pairNames, { key: "a", role: "ids" }, ids);
    await commit(
      nameTemplate("{key}.npz"),
      { key: "a" },
      { ids, zeros: NdArray.zeros("float32", [2, 2]) },
      { compress: true },
    );
  }, out);
  await python.run(`
assert np.load("${out}/a.ids.npy").tolist() == [1, 2]
archive = np.load("${out}/a.npz")
assert archive["ids"].tolist() == [1, 2] and archive["zeros"].shape == (2, 2)`);
  t.deepEqual(await namesIn(out), ["a.ids.npy", "a.npz"]);
  t.deepEqual(await namesIn(root), inputs);
});

test("a result takes the place of an earlier one of the same name", async (t) => {
  const { root } = await runOnce(async ({ commit }) => {
    await commit(pairNames, { key: "a", role: "n" }, Float32Array.of(1));
    await commit(pairNames, { key: "a", role: "n" }, Float32Array.of(2));
  });
  await python.run(`assert np.load("${root}/a.n.npy").tolist() == [2]`);
  t.pass();
});

test("what fails half-way leaves nothing behind, not even an unfinished file", async (t) => {
  const fault = new Error("half-way");
  const { root, error } = await runOnce(async ({ commit }) => {
    await commit(pairNames, { key: "a", role: "n" }, async (out) => {
      await out.push(Float32Array.of(1, 2, 3));
      throw fault;
    });
  });
  t.is(error, fault);
  t.deepEqual(await namesIn(root), inputs);
});

test("an attempt that is aborted while its result is being opened leaves no unfinished file", async (t) => {
  const out = makeFolder();
  // After so many turns of the event loop: before, while and after the file is opened.
  for (let turns = 0; turns < 12; turns++) {
    const end = new AbortController();
    const commit = createCommit({ out, signal: end.signal, verify: async () => undefined });
    const array = NdArray.zeros("float32", [4]);
    const committed = commit(nameTemplate("{key}.npy"), { key: "a" }, (stream) => stream.push(array));
    for (let turn = 0; turn < turns; turn++) {
      await setImmediate();
    }
    end.abort(new Error("enough"));
    await committed.catch((error: unknown) => t.like(error, { message: "enough" }));
  }
  t.deepEqual(
    (await namesIn(out)).filter((name) => name !== "a.npy"),
    [],
  );
});

test("nothing is committed of a set that changed meanwhile", async (t) => {
  let runs = 0;
  const { root } = await runOnce(async ({ commit, root: at }) => {
    runs += 1;
    if (runs > 1) {
      return;
    }
    const committing = commit(pairNames, { key: "a", role: "n" }, async (out) => {
      await out.push(Float32Array.of(1, 2, 3));
      await python.run(`pair("${at}", "a", 5)`);
    });
    const error = await t.throwsAsync(committing);
    t.true(isNpyError(error) && error.code === "ERR_SET_CHANGED");
  });
  t.is(runs, 2, "the set comes again as it is then");
  t.deepEqual(await namesIn(root), inputs);
});

const refuses = test.macro({
  title: (_, what: string) => `commit refuses ${what}`,
  async exec(t: ExecutionContext, _what: string, wrong: (context: StageContext) => Promise<unknown>, expected: string) {
    const { root, error } = await runOnce(wrong);
    t.is(isNpyError(error) ? error.code : String(error), expected);
    t.deepEqual(await namesIn(root), inputs);
  },
});

test(
  refuses,
  "fields that are no safe name",
  ({ commit }) => commit(pairNames, { key: "../a", role: "n" }, Float32Array.of(1)),
  "ERR_TEMPLATE_PATH",
);
test(
  refuses,
  "a template of other files",
  ({ commit }) => commit(nameTemplate("{key}.txt"), { key: "a" }, Float32Array.of(1)),
  "TypeError: the template {key}.txt must end in .npy or .npz",
);
test(
  refuses,
  "a stream for a .npz",
  ({ commit }) => commit(nameTemplate("{key}.npz"), { key: "a" }, () => undefined),
  "TypeError: a result of {key}.npz is an object of arrays",
);
