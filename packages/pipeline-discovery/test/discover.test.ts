import { chmod, copyFile, mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isNpyError, type NpyErrorCode } from "@npystream/codec";
import type { ArrayHandle } from "@npystream/reader-stream";
import test, { type ExecutionContext } from "ava";
import { expectTypeOf } from "expect-type";
import { discover, nameTemplate, type QuarantinedSet } from "../src/index.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeKeys, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
/** Sets that are replaced file by file wait this long for the rest. */
const settleMs = 300;

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** Makes a root with pairs of these keys. */
async function makeRoot(...keys: string[]): Promise<string> {
  const root = makeFolder();
  await python.run(`for key in ${JSON.stringify(keys)}: pair(${JSON.stringify(root)}, key)`);
  return root;
}

async function throwsCode(t: ExecutionContext, promise: Promise<unknown>, code: NpyErrorCode): Promise<void> {
  const error = await t.throwsAsync(promise);
  t.true(isNpyError(error) && error.code === code, String(error));
}

const logger = new MemoryLogger();
const pairs = { names: pairNames, sets: pairSets, logger, settleMs };

test("once: every complete pair is delivered once, with what its headers say, and the loop ends", async (t) => {
  const root = await makeRoot("a", "b", "c");
  await python.run(`np.save("${root}/late.features.npy", features(3))`);
  await using found = discover({ ...pairs, roots: root, once: true });
  const sets = await takeSets(found, 99);
  t.deepEqual(sets.map(({ key }) => key).sort(), ["a", "b", "c"]);
  for (const { key, fields, root: at, arrays } of sets) {
    t.deepEqual(fields, { key });
    t.is(at, root);
    t.is(arrays.features.path, join(root, `${key}.features.npy`));
    t.deepEqual(arrays.features.shape, [3, 4]);
    t.is(arrays.labels.dtype, "int64");
    t.is(arrays.labels.role, "labels");
    await using features = await arrays.features.open();
    t.deepEqual((await features.rows(1, 2)).toNested(), [[5, 6, 7, 8]]);
  }
  t.deepEqual(await takeKeys(found), [], "and none again");
});

test("once waits for what only time can show to be complete", async (t) => {
  const root = makeFolder();
  await python.run(`
np.save("${root}/zeros.features.npy", features(3) * 0)
np.save("${root}/zeros.labels.npy", labels(3))`);
  await using found = discover({ ...pairs, roots: root, once: true });
  t.deepEqual(await takeKeys(found), ["zeros"]);
});

test("the types follow from the template and the contract", async (t) => {
  const root = makeFolder();
  await using found = discover({
    roots: root,
    names: nameTemplate("{split}/{shard:04}.{role}.npy"),
    sets: pairSets,
    once: true,
  });
  for await (const set of found) {
    expectTypeOf(set.fields).toEqualTypeOf<{ readonly split: string; readonly shard: number }>();
    expectTypeOf(set.arrays.features.dtype).toEqualTypeOf<"float32">();
    expectTypeOf(set.arrays.labels.open).returns.resolves.toEqualTypeOf<ArrayHandle<"int64">>();
    // @ts-expect-error there is no such role
    set.arrays.other;
  }
  t.pass();
});

test("a set that breaks its contract is quarantined with both sides, and delivered when it is mended", async (t) => {
  const root = await makeRoot("good");
  const own = new MemoryLogger();
  const told: QuarantinedSet[] = [];
  await python.run(`
np.save("${root}/bad.features.npy", features(3))
np.save("${root}/bad.labels.npy", labels(4))
np.save("${root}/double.features.npy", features(3).astype(float))
np.save("${root}/double.labels.npy", labels(3))`);
  await using found = discover({ ...pairs, roots: root, logger: own, onQuarantine: (set) => told.push(set) });
  t.deepEqual((await takeSets(found, 1))[0]?.key, "good");
  const bad = "features of shape [3, 4] has N = 3 and labels of shape [4] has N = 4";
  while (found.quarantined.length < 2) {
    await new Promise(setImmediate);
  }
  t.deepEqual(
    found.quarantined.map(({ key, reason }) => `${key}: ${reason}`),
    [`bad: ${bad}`, "double: features is float64, the contract asks for float32"],
  );
  const [first] = found.quarantined;
  t.true(isNpyError(first?.error) && first.error.code === "ERR_SET_CONTRACT");
  t.deepEqual(first?.paths, [join(root, "bad.features.npy"), join(root, "bad.labels.npy")]);
  t.deepEqual(told, [...found.quarantined]);
  t.is(own.messages("warn").length, 2);
  t.is(found.stats().quarantined, 2);
  await python.run(`np.save("${root}/bad.labels.npy", labels(3))`);
  const [mended] = await takeSets(found, 1);
  t.is(mended?.key, "bad");
  t.deepEqual(mended?.arrays.labels.shape, [3]);
  t.is(found.quarantined.length, 1);
});

test("a file that can never be read quarantines its set with the reader's code", async (t) => {
  const root = makeFolder();
  await python.run(`
np.save("${root}/a.features.npy", features(3))
np.save("${root}/a.labels.npy", np.array([None, {}]), allow_pickle=True)`);
  await using found = discover({ ...pairs, roots: root, once: true });
  t.deepEqual(await takeKeys(found), []);
  const [set] = found.quarantined;
  t.true(isNpyError(set?.error) && set.error.code === "ERR_NPY_OBJECT");
  t.is(isNpyError(set?.error) ? set.error.path : undefined, join(root, "a.labels.npy"));
  t.regex(set?.reason ?? "", /^labels: /);
});

test("a .npz whose members are the roles is a set by itself", async (t) => {
  const root = makeFolder();
  await python.run(`
np.savez("${root}/stored.npz", features=features(3), labels=labels(3), more=labels(9))
np.savez_compressed("${root}/deflated.npz", features=features(2), labels=labels(2))
np.savez("${root}/lacking.npz", features=features(3))
np.savez("${root}/uneven.npz", features=features(3), labels=labels(2))`);
  await using found = discover({ ...pairs, roots: root, names: nameTemplate("{key}.npz"), once: true });
  const sets = await takeSets(found, 99);
  t.deepEqual(sets.map(({ key }) => key).sort(), ["deflated", "stored"]);
  for (const { arrays } of sets) {
    t.is(arrays.labels.path, arrays.features.path);
    t.is(arrays.labels.member, "labels");
    await using labels = await arrays.labels.open();
    t.deepEqual((await labels.read()).toNested(), arrays.labels.shape[0] === 3 ? [1n, 2n, 3n] : [1n, 2n]);
  }
  t.deepEqual(
    found.quarantined.map(({ key, reason }) => `${key}: ${reason}`),
    ["lacking: it has no labels", "uneven: features of shape [3, 4] has N = 3 and labels of shape [2] has N = 2"],
  );
});

test("a template without {role} finds single arrays where the contract has one role", async (t) => {
  const root = makeFolder();
  await python.run(`np.save("${root}/x.npy", features(3))`);
  const sets = { roles: { image: { dtype: "float32" } } } as const;
  await using found = discover({
    roots: pathToFileURL(root),
    names: nameTemplate("{key}.npy"),
    sets,
    logger,
    once: true,
  });
  const [set] = await takeSets(found, 9);
  t.is(set?.arrays.image.path, join(root, "x.npy"));
});

test("a set that is released is delivered again, one that is acknowledged or quarantined is not", async (t) => {
  const root = await makeRoot("a");
  await using found = discover({ ...pairs, roots: root });
  const iterator = found[Symbol.asyncIterator]();
  const first = (await iterator.next()).value;
  t.is(found.stats().inFlight, 1);
  await first?.release();
  await first?.ack();
  const second = (await iterator.next()).value;
  t.is(second?.generation, first?.generation);
  await second?.quarantine("no good");
  t.deepEqual(
    found.quarantined.map(({ reason }) => reason),
    ["no good"],
  );
  await python.run(`pair("${root}", "b")`);
  const third = (await iterator.next()).value;
  t.is(third?.key, "b");
  await third?.ack();
  await third?.release();
  const { pending, ready, inFlight, done, quarantined } = found.stats();
  t.deepEqual(
    { pending, ready, inFlight, done, quarantined },
    { pending: 0, ready: 0, inFlight: 0, done: 1, quarantined: 1 },
  );
});

test("a file that changed before it is opened is ERR_SET_CHANGED, and what it became is delivered", async (t) => {
  const root = await makeRoot("a");
  await using found = discover({ ...pairs, roots: root });
  const [old] = await takeSets(found, 1);
  await python.run(`pair("${root}", "a", rows=5)`);
  await throwsCode(t, old?.arrays.labels.open() ?? Promise.resolve(), "ERR_SET_CHANGED");
  await throwsCode(t, old?.verify() ?? Promise.resolve(), "ERR_SET_CHANGED");
  const [replaced] = await takeSets(found, 1);
  t.not(replaced?.generation, old?.generation);
  t.deepEqual(replaced?.arrays.features.shape, [5, 4]);
  await rm(join(root, "a.labels.npy"));
  await throwsCode(t, replaced?.arrays.labels.open() ?? Promise.resolve(), "ERR_SET_CHANGED");
  await t.notThrowsAsync(async () => await (await replaced?.arrays.features.open())?.close());
});

test("a pair that is replaced one file after the other is delivered once, and not half old", async (t) => {
  const root = await makeRoot("a");
  await using found = discover({ ...pairs, roots: root });
  await takeSets(found, 1);
  await python.run(`
np.save("${root}/.new.npy", features(3) + 1)
os.rename("${root}/.new.npy", "${root}/a.features.npy")
time.sleep(0.1)
np.save("${root}/.new.npy", labels(3) + 1)
os.rename("${root}/.new.npy", "${root}/a.labels.npy")
time.sleep(0.1)
pair("${root}", "last")`);
  const sets = await takeSets(found, 2);
  t.deepEqual(sets.map(({ key }) => key).sort(), ["a", "last"]);
  const labels = await sets.find(({ key }) => key === "a")?.arrays.labels.open();
  t.deepEqual((await labels?.read())?.toNested(), [2n, 3n, 4n]);
  await labels?.close();
});

test("the same files are not delivered again after a change of rights, a look away, or a move there and back", async (t) => {
  const root = await makeRoot("a");
  await using found = discover({ ...pairs, roots: root });
  await takeSets(found, 1);
  await chmod(join(root, "a.labels.npy"), 0o600);
  await rename(join(root, "a.labels.npy"), join(root, ".away"));
  await rename(join(root, "a.features.npy"), join(root, ".away2"));
  await python.run(`pair("${root}", "b")`);
  await takeSets(found, 1);
  await rename(join(root, ".away"), join(root, "a.labels.npy"));
  await rename(join(root, ".away2"), join(root, "a.features.npy"));
  await python.run(`pair("${root}", "c")`);
  t.deepEqual(
    (await takeSets(found, 1)).map(({ key }) => key),
    ["c"],
  );
});

test("links, pipes and folders with the name of a file, and unfinished names, are never seen and never block", async (t) => {
  const root = await makeRoot("real");
  await mkdir(join(root, "folder.features.npy"));
  await symlink(join(root, "real.features.npy"), join(root, "link.features.npy"));
  await symlink(root, join(root, "loop"));
  await python.run(`os.mkfifo("${root}/pipe.features.npy"); os.mkfifo("${root}/pipe.labels.npy")`);
  for (const name of ["folder", "link"]) {
    await copyFile(join(root, "real.labels.npy"), join(root, `${name}.labels.npy`));
  }
  for (const name of [".x.features.npy", "_x.features.npy", "x.features.npy.tmp", "x.features.npy.part"]) {
    await copyFile(join(root, "real.features.npy"), join(root, name));
    await copyFile(join(root, "real.labels.npy"), join(root, name.replace("features", "labels")));
  }
  await using found = discover({
    ...pairs,
    roots: root,
    names: nameTemplate("{...rest}/{key}.{role}.npy"),
    once: true,
  });
  t.deepEqual(await takeKeys(found), ["real"]);
});

test("several roots are followed side by side, and their sets are told apart", async (t) => {
  const roots = [await makeRoot("a", "b"), await makeRoot("a")];
  await using found = discover({ ...pairs, roots, once: true });
  const sets = await takeSets(found, 9);
  t.deepEqual(sets.map(({ key, root }) => `${roots.indexOf(root)} ${key}`).sort(), ["0 a", "0 b", "1 a"]);
});

test("several loops share the sets", async (t) => {
  const root = await makeRoot("a", "b", "c", "d");
  await using found = discover({ ...pairs, roots: root, once: true });
  const keys = await Promise.all([takeKeys(found), takeKeys(found), takeKeys(found)]);
  t.deepEqual(keys.flat().sort(), ["a", "b", "c", "d"]);
});

const refuses = test.macro({
  title: (_, what: string) => `discover refuses ${what}`,
  exec(t: ExecutionContext, _what: string, options: object, instanceOf: ErrorConstructor) {
    t.throws(() => discover({ ...pairs, roots: "incoming", ...options }), { instanceOf });
  },
});

test(refuses, "an option that there is not", { settleMS: 1 }, TypeError);
test(refuses, "no roots", { roots: [] }, TypeError);
test(refuses, "an empty root", { roots: "" }, TypeError);
test(refuses, "a root in a root", { roots: ["in", "in/deeper"] }, TypeError);
test(refuses, "the same root twice", { roots: ["in", "./in"] }, TypeError);
test(refuses, "names that are no template", { names: "{key}.{role}.npy" }, TypeError);
test(refuses, "sets without roles", { sets: { roles: {} } }, TypeError);
test(refuses, "a way of completion that there is not", { completion: "size" }, TypeError);
test(refuses, "hints that there are not", { hints: "inotify" }, TypeError);
test(refuses, "no room for sets", { maxPending: 0 }, RangeError);
test(refuses, "a time that is none", { settleMs: -1 }, RangeError);
test(refuses, "a time past what timers take", { sweepMs: 2 ** 31 }, RangeError);
test(refuses, "a time that is no number", { sweepMs: "5s" }, TypeError);
test(refuses, "an option of onIncomplete that there is not", { onIncomplete: { after: 1 } }, TypeError);
test(refuses, "an action that there is not", { onIncomplete: { action: "drop" } }, TypeError);
