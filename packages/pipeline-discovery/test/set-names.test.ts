import { nameTemplate } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { SetNames } from "../src/set-names.ts";

const identifies = test.macro({
  title: (_, template: string, path: string, key: string) => `${template} reads ${path} as the set ${key}`,
  exec(t: ExecutionContext, template: string, path: string, key: string, fields: object, role: string) {
    const names = new SetNames(nameTemplate(template), role === "" ? ["x", "y"] : [role]);
    t.deepEqual(names.identify(path), { key, fields, role } as never);
  },
});

test(identifies, "{key}.{role}.npy", "a.b.features.npy", "a.b", { key: "a.b" }, "features");
test(identifies, "{split}/{shard:04}.{role}.npy", "train/0007.x.npy", "train/0007", { split: "train", shard: 7 }, "x");
test(identifies, "{role}/{date:iso-date}.npy", "x/2024-02-29.npy", "2024-02-29", { date: "2024-02-29" }, "x");
test(identifies, "{...rest}/{key}.{role}.npy", "k.x.npy", "k", { rest: "", key: "k" }, "x");
test(identifies, "{...rest}/{key}.{role}.npy", "a/b/k.x.npy", "a/b/k", { rest: "a/b", key: "k" }, "x");
test(identifies, "{key}.npy", "k.npy", "k", { key: "k" }, "only");
test(identifies, "split={split}/{key}.npz", "split=a/k.npz", "a/k", { split: "a", key: "k" }, "");

test("paths that do not fit, and roles that are not of the set, belong to no set", (t) => {
  const names = new SetNames(nameTemplate("{split}/{key}.{role}.npy"), ["features", "labels"]);
  t.is(names.identify("k.features.npy"), null);
  t.is(names.identify("train/k.embeddings.npy"), null);
  t.true(names.accepts("k.features.npy"));
  t.false(names.accepts("k.features.npz"));
});

const bounds = test.macro({
  title: (_, template: string, least: number, most: number) =>
    `files of ${template} lie ${least} to ${most} folders below the root`,
  exec(t: ExecutionContext, template: string, least: number, most: number) {
    const names = new SetNames(nameTemplate(template), ["x"]);
    t.deepEqual([names.minDepth, names.maxDepth], [least, most]);
  },
});

test(bounds, "{key}.{role}.npy", 0, 0);
test(bounds, "a/{split}/{key}.{role}.npy", 2, 2);
test(bounds, "{...rest}/{key}.npz", 0, Number.POSITIVE_INFINITY);
test(bounds, "{split}/{...rest}/{key}.npz", 1, Number.POSITIVE_INFINITY);

const refuses = test.macro({
  title: (_, template: string) => `the template ${template} is refused`,
  exec(t: ExecutionContext, template: string, message: RegExp) {
    t.throws(() => new SetNames(nameTemplate(template), ["x", "y"]), { instanceOf: TypeError, message });
  },
});

test(refuses, "{key}.npy", /needs \{role\} to tell x from y/);
test(refuses, "{key}.{role}.npz", /a file that ends in \.npz holds all roles/);
test(refuses, "{key}.{role}.txt", /must end in \.npy, \.npz, \.manifest\.json/);
test(refuses, "_data/{key}.{role}.npy", /such names are never looked at/);
test(refuses, ".{key}.{role}.npy", /such names are never looked at/);
