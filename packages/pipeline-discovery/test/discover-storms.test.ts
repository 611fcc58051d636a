import { join } from "node:path";
import test from "ava";
import { type ArraySet, discover } from "../src/index.ts";
import { Arrivals } from "./helpers/arrivals.ts";
import { makeFolder, pairNames, pairSets, removeFolders, takeSets } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
const pairs = { names: pairNames, sets: pairSets, logger: new MemoryLogger() };

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** 40 pairs that change their names at random, of 60 there are, so that no name ever has one file of one and one of another. */
const STORM = `
import random

def storm(root, rounds):
    slots = {f"{slot:02}": None for slot in range(60)}
    def move(number, begin, end):
        for role in ("features", "labels"): os.rename(begin.format(role), end.format(role))
    for number in range(40):
        np.save(f"{root}/.{number}.features.npy", np.full((3, 4), number, np.float32))
        np.save(f"{root}/.{number}.labels.npy", np.full(3, number, np.int64))
    aside = list(range(40))
    for round in range(rounds):
        slot = random.choice(list(slots))
        if slots[slot] is not None:
            move(slots[slot], f"{root}/{slot}.{{}}.npy", f"{root}/.{slots[slot]}.{{}}.npy")
            aside.append(slots[slot])
            slots[slot] = None
        elif aside:
            slots[slot] = aside.pop(random.randrange(len(aside)))
            move(slots[slot], f"{root}/.{slots[slot]}.{{}}.npy", f"{root}/{slot}.{{}}.npy")
        if round % 50 == 0: time.sleep(0.005)
    return {slot: number for slot, number in slots.items() if number is not None}
`;

/** The number that a set's arrays hold, where it is the same throughout and the set is still what it was. */
async function numberOf(set: ArraySet): Promise<number | undefined> {
  try {
    const numbers = new Set<number>();
    for (const array of Object.values(set.arrays)) {
      await using handle = await array.open();
      for (const value of (await handle.read()).data as ArrayLike<number | bigint> & Iterable<number | bigint>) {
        numbers.add(Number(value));
      }
    }
    await set.verify();
    return numbers.size === 1 ? [...numbers][0] : Number.NaN;
  } catch {
    return undefined;
  }
}

test("in a storm of renames no set is mixed of two, none comes twice, and what there is in the end has come", async (t) => {
  t.timeout(120_000);
  const root = makeFolder();
  const ledger = join(makeFolder(), "ledger.db");
  await using found = discover({ ...pairs, roots: root, ledger, settleMs: 50 });
  const seen: { readonly key: string; readonly id: string; readonly number: number }[] = [];
  const last = new Map<string, number>();
  const following = (async () => {
    for await (const set of found) {
      const number = await numberOf(set);
      await (number === undefined ? set.release() : set.ack());
      if (set.key === "last") {
        break;
      }
      if (number !== undefined) {
        seen.push({ key: set.key, id: set.id, number });
        last.set(set.key, number);
      }
    }
  })();
  const slots = new Map(
    Object.entries((await python.run(`${STORM}\nanswer = storm("${root}", 20_000)`)) as Record<string, number>),
  );
  t.true(slots.size > 10);
  const hasCome = (): boolean => {
    const known = new Set(seen.map(({ key, number }) => `${key} ${number}`));
    return [...slots].every(([key, number]) => known.has(`${key} ${number}`));
  };
  while (!hasCome()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await python.run(`pair("${root}", "last")`);
  await following;
  t.deepEqual(
    seen.filter(({ number }) => Number.isNaN(number)),
    [],
  );
  t.is(new Set(seen.map(({ id }) => id)).size, seen.length);
  t.log(`${seen.length} sets of 20,000 changes were seen`);
});

/** Removes the files of a pair and makes new ones of the same size, with the inodes of the old where the file system lets it. */
const AGAIN = `
def again(root, old, new, number, keeps_time):
    same = 0
    for role in ("features", "labels"):
        path = f"{root}/{old}.{role}.npy"
        before = os.stat(path)
        array = np.load(path)
        os.unlink(path)
        fill = saved(np.full_like(array, number))
        path = f"{root}/{new}.{role}.npy"
        for attempt in range(50):
            with open(f"{root}/.fresh", "wb") as file: file.write(fill)
            if os.stat(f"{root}/.fresh").st_ino == before.st_ino: break
            os.rename(f"{root}/.fresh", f"{root}/.spare{attempt}")
        if keeps_time: os.utime(f"{root}/.fresh", ns=(before.st_atime_ns, before.st_mtime_ns))
        os.rename(f"{root}/.fresh", path)
        same += os.stat(path).st_ino == before.st_ino
        assert os.stat(path).st_size == before.st_size
    return same
`;

test("a pair in the place of another with its inodes, size and times is another", async (t) => {
  const root = makeFolder();
  await using found = discover({ ...pairs, roots: root, settleMs: 50 });
  const arrivals = new Arrivals(found);
  await python.run(`${AGAIN}\npair("${root}", "a")`);
  await arrivals.waitFor(1);
  for (const [at, [old, key, keepsTime]] of [
    ["a", "a", false],
    ["a", "a", true],
    ["a", "b", true],
  ].entries()) {
    const same = await python.run(
      `answer = again("${root}", "${old}", "${key}", ${at + 7}, ${keepsTime === true ? "True" : "False"})`,
    );
    t.log(`${String(same)} of 2 inodes are used again`);
    await arrivals.waitFor(at + 2);
  }
  t.deepEqual(arrivals.keys, ["a", "a", "a", "b"]);
  t.deepEqual(
    arrivals.sets.slice(1).map(({ data }) => Array.from(data["labels"] ?? [], Number)),
    [7, 8, 9].map((number) => [number, number, number]),
  );
  await python.run(`pair("${root}", "last")`);
  t.deepEqual(await arrivals.waitFor(5), undefined);
  t.is(arrivals.keys.at(-1), "last");
  t.deepEqual(await takeSets(discover({ ...pairs, roots: root, once: true }), 9).then((all) => all.length), 2);
});
