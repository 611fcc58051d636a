import test, { type ExecutionContext } from "ava";
import { expectTypeOf } from "expect-type";
import fc from "fast-check";
import { type NameFields, nameTemplate } from "../src/name-template.ts";
import { isNpyError } from "../src/npy-error.ts";

const reads = test.macro({
  title: (_, template: string, path: string) => `${template} reads ${path}`,
  exec(t: ExecutionContext, template: string, path: string, fields: NameFields) {
    const names = nameTemplate(template);
    t.deepEqual(names.parse(path), fields);
    t.is(names.format(fields), path);
  },
});

test(reads, "{dataset}/{split}/{key}.{role}.npy", "mnist/train/a.labels.npy", {
  dataset: "mnist",
  split: "train",
  key: "a",
  role: "labels",
});
test(reads, "{key}.{role}.npy", "2024.01.x.features.npy", { key: "2024.01.x", role: "features" });
test(reads, "{role}-{shard:05}.npy", "x-y-00007.npy", { role: "x-y", shard: 7 });
test(reads, "{shard:05}-{key}.npy", "00007-a-b.npy", { shard: 7, key: "a-b" });
test(reads, "{shard:02}.npy", "12345.npy", { shard: 12345 });
test(reads, "{key}_{date:iso-date}.npy", "k_2024-02-29.npy", { key: "k", date: "2024-02-29" });
test(reads, "{date:iso-date}/{key}.npy", "0001-01-01/k.npy", { date: "0001-01-01", key: "k" });
test(reads, "{...rest}/{key}.npy", "k.npy", { rest: "", key: "k" });
test(reads, "{...rest}/{key}.npy", "a/b/c/k.npy", { rest: "a/b/c", key: "k" });
test(reads, "top/{...rest}/{split}/x.npy", "top/a/b/test/x.npy", { rest: "a/b", split: "test" });
test(reads, "split={split}/part={part:03}/{role}.npy", "split=a=b/part=012/x.npy", {
  split: "a=b",
  part: 12,
  role: "x",
});
test(reads, "{a}-{n:02}-{b}.npy", "x-y-03-z.npy", { a: "x-y", n: 3, b: "z" });
test(reads, "{key}.npz", "日本 語.npz", { key: "日本 語" });

const ignores = test.macro({
  title: (_, template: string, path: string) => `${template} does not fit ${JSON.stringify(path)}`,
  exec(t: ExecutionContext, template: string, path: string) {
    t.is(nameTemplate(template).parse(path), null);
  },
});

test(ignores, "{key}.{role}.npy", "a.npy");
test(ignores, "{key}.{role}.npy", ".features.npy");
test(ignores, "{key}.{role}.npy", "a..npy");
test(ignores, "{key}.{role}.npy", "a.b.npz");
test(ignores, "{key}.{role}.npy", "folder/a.b.npy");
test(ignores, "{split}/{key}.npy", "a.npy");
test(ignores, "{...rest}/{split}/{key}.npy", "a.npy");
test(ignores, "{shard:05}.npy", "0007.npy");
test(ignores, "{shard:05}.npy", "000007.npy");
test(ignores, "{shard:05}.npy", "99999999999999999999.npy");
test(ignores, "{shard:05}.npy", "-0007.npy");
test(ignores, "{date:iso-date}.npy", "2023-02-29.npy");
test(ignores, "{date:iso-date}.npy", "2023-13-01.npy");
test(ignores, "ab{key}ba", "aba");
test(ignores, "{key}", "..");
test(ignores, "{...rest}/{key}", "a/../k");
test(ignores, "{...rest}/{key}", "/etc/k");
test(ignores, "{...rest}/{key}", "a//k");
test(ignores, "{key}.npy", "CON.npy");
test(ignores, "{key}.npy", "a\\b.npy");
test(ignores, "{key}.npy", "");

const refusesTemplate = test.macro({
  title: (_, template: string) => `the text ${JSON.stringify(template)} is ERR_TEMPLATE`,
  exec(t: ExecutionContext, template: string) {
    const error = t.throws(() => nameTemplate(template));
    t.true(isNpyError(error) && error.code === "ERR_TEMPLATE", String(error));
  },
});

for (const template of [
  "",
  "/{key}.npy",
  "a//{key}.npy",
  "../{key}.npy",
  "a/./{key}.npy",
  "a\\{key}.npy",
  "{key}\0.npy",
  "{key",
  "key}",
  "}{",
  "{{key}}",
  "{}",
  "{1a}",
  "{__proto__}",
  "{key}{role}.npy",
  "{key}/{key}.npy",
  "{...a}/{...b}/x.npy",
  "{...rest}.npy",
  "{...rest:05}/x.npy",
  "{shard:5}.npy",
  "{shard:00}.npy",
  "{shard:017}.npy",
  "{shard:05d}.npy",
  "v2{shard:05}.npy",
  "{shard:05}2.npy",
  "{day:date}.npy",
]) {
  test(refusesTemplate, template);
}

const refusesFields = test.macro({
  title: (_, template: string, fields: NameFields) => `${template} with ${JSON.stringify(fields)} is ERR_TEMPLATE_PATH`,
  exec(t: ExecutionContext, template: string, fields: NameFields) {
    const error = t.throws(() => nameTemplate(template).format(fields));
    t.true(isNpyError(error) && error.code === "ERR_TEMPLATE_PATH", String(error));
  },
});

for (const key of [
  "",
  ".",
  "..",
  "a/b",
  "/a",
  "a\\b",
  "a\0",
  "a\n",
  "C:a",
  "nul",
  "Com1",
  "lpt\u00b9",
  "AUX.x",
  "a.",
  "a ",
  "\ud800",
  "x".repeat(256),
  "é".repeat(128),
]) {
  test(refusesFields, "{key}/x.npy", { key });
}
test(refusesFields, "{key}.npy", {});
test(refusesFields, "{constructor}.npy", {});
test(refusesFields, "{key}.npy", { key: "x".repeat(252) });
test(refusesFields, "{key}.npy", { key: 7 });
test(refusesFields, "{key}.npy", { key: "con" });
test(refusesFields, "{key}.{role}.npy", { key: "a", role: "b.c" });
test(refusesFields, "{...rest}/x.npy", { rest: "../a" });
test(refusesFields, "{...rest}/x.npy", { rest: "a/" });
test(refusesFields, "{...rest}/x.npy", { rest: "/a" });
test(refusesFields, "{...rest}/x.npy", { rest: "abcdefg/".repeat(600).slice(0, -1) });
test(refusesFields, "{shard:05}.npy", { shard: "7" });
test(refusesFields, "{shard:05}.npy", { shard: -1 });
test(refusesFields, "{shard:05}.npy", { shard: 1.5 });
test(refusesFields, "{shard:05}.npy", { shard: -0 });
test(refusesFields, "{shard:05}.npy", { shard: 2 ** 53 });
test(refusesFields, "{date:iso-date}.npy", { date: "2023-02-30" });
test(refusesFields, "{date:iso-date}.npy", { date: "2023-2-3" });

const templates = [
  "{dataset}/{split}/{key}.{role}.npy",
  "{...rest}/{shard:05}-{key}.{role}.npy",
  "split={split}/{date:iso-date}/{key}_{n:03}.npy",
  "{a}-{b}-{c}",
] as const;

const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.stringMatching(/^[a-b.\-_=0-3/]{1,8}$/));

test("what is formatted is read back as the same fields, or is refused", (t) => {
  const day = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  let formatted = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...templates),
      fc.dictionary(fc.constantFrom("dataset", "split", "key", "role", "a", "b", "c", "rest"), text),
      fc.nat(),
      day,
      (template, texts, n, date) => {
        const names = nameTemplate(template as string);
        const known: NameFields = { ...texts, shard: n, n, date: date.toISOString().slice(0, 10) };
        const fields = Object.fromEntries(names.fieldNames.map((name) => [name, known[name] ?? "x"]));
        let path: string;
        try {
          path = names.format(fields);
        } catch (error) {
          return isNpyError(error) && error.code === "ERR_TEMPLATE_PATH";
        }
        formatted++;
        t.deepEqual(names.parse(path), fields);
        return true;
      },
    ),
    { numRuns: 2000 },
  );
  t.true(formatted > 200, `${formatted} of 2000 were formatted`);
});

test("what is read is formatted as the same path", (t) => {
  const path = fc.stringMatching(/^[a-b.\-_=0-3/]{1,20}(\.npy)?$/);
  fc.assert(
    fc.property(fc.constantFrom(...templates), path, (template, candidate) => {
      const names = nameTemplate(template as string);
      const fields = names.parse(candidate);
      return fields === null || names.format(fields) === candidate;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test("fields that the template does not have are left out", (t) => {
  const other = { key: "k", role: "embeddings", split: "train" };
  t.is(nameTemplate("{key}.{role}.npy").format(other), "k.embeddings.npy");
});

test("a template of more than one hundred fields is matched in one pass", (t) => {
  const names = nameTemplate(Array.from({ length: 120 }, (_, at) => `{f${at}}`).join("-") as string);
  const path = "x".repeat(255);
  t.is(names.parse(path), null);
  t.is(names.parse("a-".repeat(127).concat("a"))?.["f119"], "a");
});

test("the fields have the types that the template gives them", (t) => {
  const names = nameTemplate("{...rest}/{date:iso-date}/{split}-{shard:05}.{role}.npy");
  const fields = names.parse("a/2024-01-01/train-00001.x.npy");
  if (fields === null) {
    return t.fail();
  }
  expectTypeOf(fields.shard).toEqualTypeOf<number>();
  expectTypeOf(fields.rest).toEqualTypeOf<string>();
  expectTypeOf(fields).toEqualTypeOf<{
    readonly rest: string;
    readonly date: string;
    readonly split: string;
    readonly shard: number;
    readonly role: string;
  }>();
  expectTypeOf(nameTemplate("{key}" as string).parse("a")).toEqualTypeOf<NameFields | null>();
  return t.deepEqual(names.fieldNames, ["rest", "date", "split", "shard", "role"]);
});
