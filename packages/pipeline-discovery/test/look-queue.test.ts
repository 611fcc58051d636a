import { nameTemplate } from "@npystream/codec";
import test from "ava";
import { LookQueue } from "../src/look-queue.ts";
import type { RootFolder } from "../src/root-folder.ts";
import { Candidate, type CandidateState } from "../src/set-candidate.ts";
import { SetNames } from "../src/set-names.ts";

const names = new SetNames(nameTemplate("{key}.npy"), ["x"]);
// Where the files are does not matter here.
const root = {} as RootFolder;

function make(key: string, state: CandidateState): Candidate {
  const candidate = new Candidate(root, key, names, 1);
  candidate.place(0, "", `${key}.npy`);
  candidate.enter(state);
  return candidate;
}

const keys = (candidates: readonly Candidate[]): string[] => candidates.map(({ key }) => key);

test("sets that are queued come before those that are doubted, of which each waits once and only if it is known", (t) => {
  const queue = new LookQueue();
  const [settled, waiting, ready] = [make("settled", "settled"), make("waiting", "waiting"), make("ready", "ready")];
  queue.doubt([settled, waiting, ready]);
  queue.doubt([waiting, settled]);
  t.is(settled.state, "settled", "it is as it was until its turn");
  t.is(queue.length, 0);
  t.false(queue.isEmpty);
  const [one, left] = [make("one", "queued"), make("left", "queued")];
  queue.push(one);
  queue.push(left);
  left.enter("partial");
  t.deepEqual(keys(queue.take(2)), ["one", "settled"]);
  t.is(settled.state, "queued");
  t.deepEqual(keys(queue.take(9)), ["waiting"]);
  t.true(queue.isEmpty);
});

test("a set that changed while it waited for its turn is left to what else looks at it", (t) => {
  const queue = new LookQueue();
  const [touched, gone] = [make("touched", "settled"), make("gone", "settled")];
  queue.doubt([touched, gone]);
  touched.enter("looking");
  gone.drop("gone.npy");
  t.deepEqual(queue.take(9), []);
  t.deepEqual([touched.state, gone.state], ["looking", "partial"]);
});

test("sets that are doubted have their turn while others come without an end", (t) => {
  const queue = new LookQueue();
  queue.doubt([make("old", "settled")]);
  let takes = 0;
  for (let seen = false; !seen && takes < 100; takes++) {
    queue.push(make(`new ${takes}`, "queued"));
    queue.push(make(`newer ${takes}`, "queued"));
    seen = keys(queue.take(1)).includes("old");
  }
  t.true(takes <= 8, `it took ${takes}`);
});
