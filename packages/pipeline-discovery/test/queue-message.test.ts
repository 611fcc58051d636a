import { mkdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { NdArray } from "@npystream/codec";
import { writeNpy } from "@npystream/writer-stream";
import test from "ava";
import { discover, nameTemplate } from "../src/index.ts";
import { describeSet, parseMessage } from "../src/queue-message.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";

test.after.always(removeFolders);

const ROLES = Array.from({ length: 40 }, (_, at) => `a-role-with-a-long-name-${at}`);

async function firstSet(root: string, roles: readonly string[]) {
  await mkdir(join(root, "a"));
  for (const role of roles) {
    const data = new Float32Array(192).fill(1);
    await writeNpy(join(root, `a/b.${role}.npy`), new NdArray({ dtype: "float32", shape: [3, 64], data }));
  }
  const contract = { roles: Object.fromEntries(roles.map((role) => [role, {}])) };
  const found = discover({ roots: root, names: nameTemplate("{day}/{key}.{role}.npy"), sets: contract, once: true });
  for await (const set of found) {
    return set;
  }
  throw new Error("there is no set");
}

test("a message says what a set is and where, in less than 1 KB, and holds no data", async (t) => {
  const set = await firstSet(makeFolder(), ["features", "labels"]);
  const payload = await describeSet(set, "in");
  t.true(payload.length < 1024, payload);
  const message = parseMessage(payload);
  t.like(message, { key: set.key, root: "in", generation: set.generation, missing: [] });
  t.deepEqual({ ...message.fields }, { day: "a", key: "b" });
  t.deepEqual(
    message.files.map(({ path, size }) => [path, size]),
    [
      ["a/b.features.npy", 128 + 768],
      ["a/b.labels.npy", 128 + 768],
    ],
  );
  t.like(message.arrays["labels"], { file: 1, isMember: false, dtype: "float32", shape: [3, 64], byteLength: 768 });
});

test("a message of many files is deflated", async (t) => {
  const set = await firstSet(makeFolder(), ROLES);
  const payload = await describeSet(set, "in");
  t.regex(payload, /^[^[]/);
  t.is(parseMessage(payload).files.length, ROLES.length);
});

test("a set that changed since it was delivered is not published", async (t) => {
  const root = makeFolder();
  const set = await firstSet(root, ["x"]);
  await utimes(join(root, "a/b.x.npy"), 1, 1);
  await t.throwsAsync(describeSet(set, "in"), { code: "ERR_SET_CHANGED" });
  await rm(join(root, "a/b.x.npy"));
  await t.throwsAsync(describeSet(set, "in"), { code: "ERR_SET_CHANGED" });
});

const refused = test.macro({
  title: (what) => `a job with ${what} is refused`,
  exec(t, payload: string) {
    t.throws(() => parseMessage(payload), { instanceOf: TypeError });
  },
});

const withPath = (path: unknown): string => JSON.stringify([1, "in", "k", {}, "g", [], [[path, 1, 1]], []]);

test("other text", refused, "hello");
test("an object", refused, "{}");
test("another version", refused, "[2]");
test("a path that leaves the root", refused, withPath("a/../../secret.npy"));
test("a path that leaves the root on Windows", refused, withPath("..\\secret.npy"));
test("an absolute path", refused, withPath("/etc/passwd"));
test("a path that is none", refused, withPath(7));
