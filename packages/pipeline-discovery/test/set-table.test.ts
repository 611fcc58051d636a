import { nameTemplate } from "@npystream/codec";
import test from "ava";
import type { RootFolder } from "../src/root-folder.ts";
import { SetNames } from "../src/set-names.ts";
import { SetTable } from "../src/set-table.ts";
import { idleRoot } from "./helpers/idle-root.ts";

const roles = ["x", "y"];
const names = new SetNames(nameTemplate("{split}/{key}.{role}.npy"), roles);
const makeRoot = (path: string): RootFolder => idleRoot(path, names);

test("files are sorted into sets by every field but the role, in each root by itself", (t) => {
  const table = new SetTable(names, roles);
  const [a, b] = [makeRoot("/a"), makeRoot("/b")];
  const one = table.add(a, "train", "0.y.npy");
  t.false(one?.isWhole);
  t.deepEqual(one === undefined ? [] : table.missingRoles(one), ["x"]);
  t.is(table.add(a, "train", "0.x.npy"), one);
  t.true(one?.isWhole);
  t.deepEqual(one?.paths, ["train/0.x.npy", "train/0.y.npy"]);
  t.deepEqual(one?.absolutePaths, ["/a/train/0.x.npy", "/a/train/0.y.npy"]);
  t.not(table.add(b, "train", "0.x.npy"), one);
  t.is(table.add(a, "train", "0.z.npy"), undefined);
  t.is(table.find(a, "train/0.x.npy"), one);
  t.is(table.find(a, "test/0.x.npy"), undefined);
  t.is([...table.candidates(b)].length, 1);
  t.is([...table.candidates()].length, 2);
});

test("a set whose files have all gone is forgotten, unless something of it was delivered: then the same is back with them", (t) => {
  const table = new SetTable(names, roles);
  const root = makeRoot("/a");
  const one = table.add(root, "train", "0.x.npy");
  table.add(root, "train", "0.y.npy");
  if (one === undefined) {
    return t.fail();
  }
  one.settle(["v1", "v2"], "g");
  table.remove(one, "train/0.x.npy");
  t.is(table.find(root, "train/0.x.npy"), one);
  table.remove(one, "train/0.y.npy");
  t.is([...table.candidates()].length, 0);
  const again = table.add(root, "train", "0.x.npy");
  t.is(again, one, "whoever took it, or the quarantine, knows it by this");
  t.deepEqual(again?.settled, ["v1", "v2"]);
  one.forgetSettled();
  table.remove(one, "train/0.x.npy");
  return t.not(table.add(root, "train", "0.x.npy"), one);
});

test("a set knows what its names say and in which folders its files are, also of some, and the first also when none is left", (t) => {
  const table = new SetTable(names, roles);
  const root = makeRoot("/a");
  const one = table.add(root, "train", "0.y.npy");
  t.true(one?.isIn("train"));
  t.false(one?.isIn(""), "a file that is missing is in no folder");
  t.deepEqual(one?.fields, { split: "train", key: "0" });
  one?.drop("train/0.x.npy");
  t.false(one?.isEmpty);
  one?.drop("train/0.y.npy");
  t.true(one?.isEmpty);
  t.deepEqual(one?.fields, { split: "train", key: "0" });
});

test("files that are there are those with which a set was delivered only if all of them are", (t) => {
  const one = new SetTable(names, roles).add(makeRoot("/a"), "train", "0.y.npy");
  one?.settle(["v1", ""], "g");
  t.true(one?.isSettledAs(["v1", ""]));
  t.false(one?.isSettledAs(["v1", null]));
  t.false(one?.isSettledAs(["v1"]));
});
