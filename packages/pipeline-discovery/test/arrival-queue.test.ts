import test from "ava";
import { ArrivalQueue } from "../src/arrival-queue.ts";
import { pathOf } from "../src/directory-listing.ts";
import type { RootFolder } from "../src/root-folder.ts";

test("files are handed over some at a time, in the order in which they were found, by their folders below the root", (t) => {
  const queue = new ArrivalQueue();
  // Which root it is does not matter to the queue.
  const root = {} as RootFolder;
  t.true(queue.isEmpty);
  const listed = ["a", "b"];
  queue.push(root, "", listed);
  queue.push(root, "", ["c"]);
  t.deepEqual(listed, ["a", "b"]);
  queue.push(root, "x/y", ["d"]);
  const taken: string[][] = [];
  while (!queue.isEmpty) {
    const paths: string[] = [];
    queue.take(2, (_, folder, name) => paths.push(pathOf(folder, name)));
    taken.push(paths);
  }
  t.deepEqual(taken, [["a", "b"], ["c"], ["x/y/d"]]);
  queue.take(2, () => t.fail());
});

test("a path below the root has no slash in front", (t) => {
  t.is(pathOf("", "a.npy"), "a.npy");
  t.is(pathOf("x/y", "a.npy"), "x/y/a.npy");
});
