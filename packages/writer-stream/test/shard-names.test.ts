import { join, resolve } from "node:path";
import test from "ava";
import { ShardNames } from "../src/shard-names.ts";

test("names are those of the template, in the folder of the paths", (t) => {
  const names = new ShardNames({ x: "some/x-{shard:03}.npy", y: "some/{shard:05}.y.npy" });
  t.is(names.folder, resolve("some"));
  t.deepEqual(
    [names.nameOf("x", 7), names.nameOf("x", 12345), names.nameOf("y", 7)],
    ["x-007.npy", "x-12345.npy", "00007.y.npy"],
  );
  t.is(names.manifestPath, resolve("some/x.manifest.json"));
  for (const name of ["x-000.npy", "x-1234.npy", "00001.y.npy"]) t.true(names.isShard(name), name);
  for (const name of ["x-00.npy", "x-0001.npy", "x.manifest.json", "z-000.npy"]) t.false(names.isShard(name), name);
});

test("roles whose shards would have one name from some number on are refused, and so is a manifest called as a shard", (t) => {
  const refused = (names: Record<string, string> | string, message: RegExp, manifest?: string): void => {
    t.throws(() => new ShardNames(names, manifest), { instanceOf: TypeError, message });
  };
  refused({ a: "x-{shard:02}.npy", b: "x-{shard:02}.npy" }, /two roles/);
  refused({ a: "x-{shard:01}.npy", b: "x-{shard:02}.npy" }, /two roles/);
  refused("x-{shard:02}.npy", /manifest has the name of a shard/, "x-00.npy");
  refused("x-{shard:02}.npy", /manifest has the name of a shard/, "x-100.npy");
  t.notThrows(() => new ShardNames("x-{shard:02}.npy", "x-0.npy"));
});

test("all shards of a role have one lock, whatever the width of their number", (t) => {
  const at = (name: string): string => resolve(join("some", name));
  t.deepEqual(new ShardNames("some/x-{shard:02}.npy").lockPaths, [at("x.manifest.json"), at("x-{shard}.npy")]);
  t.deepEqual(new ShardNames({ x: "some/x-{shard:05}.npy", y: "some/y.{shard:05}.npy" }, "a.json").lockPaths, [
    at("a.json"),
    at("x-{shard}.npy"),
    at("y.{shard}.npy"),
  ]);
});
