import { statSync } from "node:fs";
import { mkdir, readlink, rename, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nameTemplate } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { discover, type IncompleteSet } from "../src/index.ts";
import { Arrivals } from "./helpers/arrivals.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeKeys, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const pairs = { names: pairNames, sets: pairSets, logger: new MemoryLogger(), settleMs: 100 };
const nested = { ...pairs, names: nameTemplate("{split}/{key}.{role}.npy") };

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** Makes a tree of `count` pairs, `train/00` and so on. */
async function makeTree(root: string, count: number): Promise<void> {
  await python.run(`
os.makedirs("${root}/train")
for i in range(${count}): pair("${root}/train", f"{i:02}")`);
}

/** Waits until nothing is pending that the sweep does not know to have gone. */
async function untilGone(found: { stats(): { readonly pending: number; readonly ready: number } }): Promise<void> {
  for (let calm = 0; calm < 3; await sleep(60)) {
    const { pending, ready } = found.stats();
    calm = pending + ready === 0 ? calm + 1 : 0;
  }
}

test("a tree that is moved in, out and back is delivered once, and what changed meanwhile again", async (t) => {
  const [root, outside] = [makeFolder(), makeFolder()];
  await makeTree(outside, 20);
  await using found = discover({ ...nested, roots: root, sweepMs: 100 });
  const arrivals = new Arrivals(found);
  await sleep(50);
  for (let round = 0; round < 3; round++) {
    await rename(join(outside, "train"), join(root, "train"));
    await arrivals.waitFor(20);
    await untilGone(found);
    await rename(join(root, "train"), join(outside, "train"));
    await sleep(200);
  }
  await python.run(`pair("${outside}/train", "07", rows=5)`);
  await rename(join(outside, "train"), join(root, "train"));
  await arrivals.waitFor(21);
  await python.run(`pair("${root}/train", "last")`);
  await arrivals.waitFor(22);
  t.is(new Set(arrivals.keys.slice(0, 20)).size, 20);
  t.deepEqual(arrivals.keys.slice(20), ["train/07", "train/last"]);
});

const comesBack = test.macro({
  title: (_, when: string) =>
    `a set whose tree is moved out and back while it is worked on comes again, given back ${when}`,
  async exec(t: ExecutionContext, _when: string, isBack: boolean) {
    const [root, outside] = [makeFolder(), makeFolder()];
    await makeTree(root, 1);
    await using found = discover({ ...nested, roots: root, sweepMs: 50 });
    const iterator = found[Symbol.asyncIterator]();
    const set = (await iterator.next()).value;
    await rename(join(root, "train"), join(outside, "train"));
    await t.throwsAsync(async () => await set?.verify(), { code: "ERR_SET_CHANGED" });
    await sleep(200);
    if (isBack) {
      await rename(join(outside, "train"), join(root, "train"));
      await python.run(`pair("${root}/train", "01")`);
      t.is((await iterator.next()).value?.key, "train/01", "what is in somebody's hands is not delivered again");
      await set?.release();
    } else {
      await set?.release();
      await rename(join(outside, "train"), join(root, "train"));
    }
    t.is((await iterator.next()).value?.key, "train/00");
  },
});

test(comesBack, "before it is back", false);
test(comesBack, "after it is back", true);

test("a set in quarantine is in it again when its tree was moved out and back", async (t) => {
  const [root, outside] = [makeFolder(), makeFolder()];
  await makeTree(root, 1);
  await python.run(`np.save("${root}/train/00.labels.npy", labels(9))`);
  await using found = discover({ ...nested, roots: root, sweepMs: 50 });
  const arrivals = new Arrivals(found);
  const until = async (count: number): Promise<void> => {
    while (found.quarantined.length !== count) await sleep(10);
  };
  await until(1);
  await rename(join(root, "train"), join(outside, "train"));
  await until(0);
  await rename(join(outside, "train"), join(root, "train"));
  await until(1);
  t.deepEqual(arrivals.keys, []);
});

/** Removes a folder and makes it again, where that can be with the inode that it had; tells whether it has that. */
async function makeAgain(folder: string): Promise<boolean> {
  const { ino } = statSync(folder);
  await rm(folder, { recursive: true });
  await mkdir(folder);
  for (let attempt = 0; attempt < 100 && statSync(folder).ino !== ino; attempt++) {
    await rmdir(folder);
    await mkdir(folder);
  }
  return statSync(folder).ino === ino;
}

const isMadeAgain = test.macro({
  title: (_, what: string) => `${what} that is deleted and made again at once is followed, whatever inode it is given`,
  async exec(t: ExecutionContext, _what: string, options: typeof pairs | typeof nested, made: string, inner: string) {
    const [root, other] = [makeFolder(), makeFolder()];
    const folder = join(root, inner);
    await mkdir(folder, { recursive: true });
    // By names and times alone a sweep would not find the pair that has the names of the one before.
    await using found = discover({ ...options, roots: root, sweepMs: 2000 });
    const arrivals = new Arrivals(found);
    await python.run(`pair("${folder}", "a")`);
    await arrivals.waitFor(1);
    for (let round = 1; round <= 3; round++) {
      await python.run(`pair("${other}", "a", ${round + 3})`);
      t.log((await makeAgain(join(root, made))) ? "the same inode" : "another inode");
      await mkdir(folder, { recursive: true });
      for (const role of ["features", "labels"]) {
        await rename(join(other, `a.${role}.npy`), join(folder, `a.${role}.npy`));
      }
      await arrivals.waitFor(2 * round);
      await python.run(`pair("${folder}", "b${round}")`);
      await arrivals.waitFor(2 * round + 1);
    }
    t.deepEqual(
      arrivals.sets.map(({ set }) => set.fields["key"]),
      ["a", "a", "b1", "a", "b2", "a", "b3"],
    );
    t.deepEqual(
      arrivals.sets.map(({ set }) => set.arrays["labels"]?.shape[0]),
      [3, 4, 3, 5, 3, 6, 3],
    );
  },
});

test(isMadeAgain, "a root", pairs, "", "");
test(isMadeAgain, "a root of folders", nested, "", "train");
test(isMadeAgain, "a folder", nested, "train", "train");

test("a folder that becomes a link is left, whatever it leads to, and links in circles are never followed", async (t) => {
  const [root, outside] = [makeFolder(), makeFolder()];
  await makeTree(root, 2);
  await makeTree(outside, 9);
  const free = { ...pairs, names: nameTemplate("{...rest}/{key}.{role}.npy") };
  await symlink(root, join(root, "train", "loop"));
  await symlink("..", join(root, "train", "up"));
  await using found = discover({ ...free, roots: root, sweepMs: 50 });
  const arrivals = new Arrivals(found);
  await arrivals.waitFor(2);
  for (let round = 0; round < 10; round++) {
    await rename(join(root, "train"), join(root, ".train"));
    await symlink(join(outside, "train"), join(root, "train"));
    await sleep(round * 10);
    await rm(join(root, "train"));
    await rename(join(root, ".train"), join(root, "train"));
  }
  await symlink(join(outside, "train"), join(root, "outside"));
  await python.run(`pair("${root}", "last")`);
  await arrivals.waitFor(3);
  t.deepEqual(arrivals.keys.sort(), ["last", "train/00", "train/01"]);
  t.is(await readlink(join(root, "outside")), join(outside, "train"), "it is there and not seen");
});

test("a root that is a link is followed to where it leads", async (t) => {
  const [folder, real] = [makeFolder(), makeFolder()];
  await symlink(real, join(folder, "root"));
  for (const hints of ["auto", "none"] as const) {
    await using found = discover({ ...nested, roots: join(folder, "root"), hints });
    const taken = takeSets(found, 1);
    await python.run(`os.makedirs("${real}/${hints}"); pair("${real}/${hints}", "a")`);
    const [set] = await taken;
    t.is(set?.key, `${hints}/a`);
    await rm(join(real, hints), { recursive: true });
  }
});

test("times of 1970 and 2100 on files and folders, and times put back, neither hide a file nor hold one up", async (t) => {
  const root = makeFolder();
  const times = [0, -86_400, 4_102_444_800, 2 ** 33];
  await using found = discover({ ...nested, roots: root, hints: "none", sweepMs: 50, settleMs: 100 });
  const arrivals = new Arrivals(found);
  for (const [at, time] of times.entries()) {
    const folder = join(root, `f${at}`);
    await mkdir(folder);
    for (const key of ["a", "zeros"]) {
      await python.run(`
pair("${folder}", "${key}")
if "${key}" == "zeros": np.save("${folder}/zeros.labels.npy", labels(3) * 0)
for name in os.listdir("${folder}"): os.utime(f"${folder}/{name}", (${time}, ${time}))
os.utime("${folder}", (${time}, ${time}))
os.utime("${root}", (${time}, ${time}))`);
      await arrivals.waitFor(arrivals.sets.length + 1);
      await sleep(150); // some sweeps, after which the folder counts as listed with this time
    }
  }
  t.is(arrivals.sets.length, 8);
  t.is(new Set(arrivals.keys).size, 8);
  await found.close();
  t.is((await takeKeys(discover({ ...nested, roots: root, once: true }))).length, 8, "a second run finds the same");
});

const isSet = test.macro({
  title: (_, year: number) => `a clock that is set to ${year} meanwhile makes no wait shorter or longer`,
  async exec(t: ExecutionContext, year: number) {
    const root = makeFolder();
    const { now } = Date;
    const told: { readonly key: string; readonly atNs: bigint }[] = [];
    const onReport = ({ key }: IncompleteSet): void => void told.push({ key, atNs: process.hrtime.bigint() });
    const onIncomplete = { afterMs: 300, onReport };
    await using found = discover({ ...pairs, roots: root, settleMs: 600, sweepMs: 200, onIncomplete });
    const taken = takeSets(found, 1);
    const first = process.hrtime.bigint();
    await python.run(`
np.save("${root}/zeros.features.npy", features(3) * 0)
np.save("${root}/zeros.labels.npy", labels(3))
np.save("${root}/orphan.labels.npy", labels(3))`);
    await sleep(100);
    const difference = Date.UTC(year, 0) - now();
    Date.now = () => now() + difference;
    try {
      t.is((await taken)[0]?.key, "zeros");
      t.true(process.hrtime.bigint() - first >= 600_000_000n);
      const orphan = told.find(({ key }) => key === "orphan");
      t.true((orphan?.atNs ?? 0n) - first >= 300_000_000n);
    } finally {
      Date.now = now;
    }
  },
});

test.serial(isSet, 1970);
test.serial(isSet, 2100);

test("names that no text can hold, or that no template takes, hold nothing up and hide nothing", async (t) => {
  const root = makeFolder();
  await python.run(`
root = os.fsencode(${JSON.stringify(root)})
for key in (b"\\xff\\xfe", b"bad-\\xc3", b"new\\nline", b" ", b"CON"):
    for role, array in ((b"features", features(3)), (b"labels", labels(3))):
        open(root + b"/" + key + b"." + role + b".npy", "wb").write(saved(array))
for key in ("quote's", "\\u4f60\\u597d", "a" * 200, "%2e%2e", "two words", "$(id)"):
    pair("${root}", key)`);
  await writeFile(join(root, "{key}.features.npy"), "");
  const expected = ["$(id)", "%2e%2e", "a".repeat(200), "quote's", "two words", "\u4f60\u597d"];
  t.deepEqual(await takeKeys(discover({ ...pairs, roots: root, once: true })), expected);
  await using found = discover({ ...pairs, roots: root, sweepMs: 20 });
  t.deepEqual((await takeSets(found, 6)).map(({ key }) => key).sort(), expected);
  t.deepEqual([...found.quarantined], []);
});
