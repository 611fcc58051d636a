import { readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { FileInspector } from "../src/file-inspector.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const folder = makeFolder();
const python = new PythonProducer();
const path = (name: string): string => join(folder, name);
const inspector = new FileInspector({
  needsMarker: false,
  digests: false,
  mayBlock: true,
  members: ["features", "labels"],
});

test.before(async () => {
  await python.run(`
import zipfile
folder = ${JSON.stringify(folder)}
np.savez(f"{folder}/stored.npz", features=features(5), labels=labels(5))
np.savez_compressed(f"{folder}/deflated.npz", features=features(5), labels=labels(5))
np.savez(f"{folder}/features-only.npz", features=features(5), other=labels(5))
np.savez(f"{folder}/none.npz")
with zipfile.ZipFile(f"{folder}/lying.npz", "w") as archive:
    archive.writestr("features.npy", saved(features(5))[:-4])
    archive.writestr("labels.npy", saved(labels(5)))
`);
});

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

const complete = test.macro({
  title: (_, name: string) => `${name} is complete, and no shorter part of it is`,
  async exec(t: ExecutionContext, name: string) {
    const whole = readFileSync(path(name));
    const [found] = await inspector.inspect([path(name)]);
    t.is(found?.verdict, "complete");
    t.deepEqual(found?.arrays.get("features")?.shape, [5, 4]);
    t.is(found?.arrays.get("labels")?.type.dtype, "int64");
    const cuts = Array.from({ length: whole.length }, (_, length) => path(`cut-${length}-${name}`));
    for (const [length, cut] of cuts.entries()) {
      writeFileSync(cut, whole.subarray(0, length));
    }
    const results = await inspector.inspect(cuts);
    t.deepEqual(
      results.filter(({ verdict }) => verdict !== "incomplete").map(({ verdict, reason }) => `${verdict}: ${reason}`),
      [],
    );
  },
});

test(complete, "stored.npz");
test(complete, "deflated.npz");

test("members that are not asked for are left out, and those that are missing too", async (t) => {
  const [found, none] = await inspector.inspect([path("features-only.npz"), path("none.npz")]);
  t.is(found?.verdict, "complete");
  t.deepEqual([...(found?.arrays.keys() ?? [])], ["features"]);
  t.is(none?.verdict, "complete");
  t.is(none?.arrays.size, 0);
});

test("an archive whose member is shorter than its header says is invalid", async (t) => {
  const [found] = await inspector.inspect([path("lying.npz")]);
  t.is(found?.verdict, "invalid");
  t.truthy(found?.error?.code);
});

test("what does not begin as an archive is invalid with ERR_NPZ_DIRECTORY, and zeros are not written yet", async (t) => {
  await writeFile(path("text.npz"), "no archive");
  await writeFile(path("zeros.npz"), new Uint8Array(5000));
  const [text, zeros] = await inspector.inspect([path("text.npz"), path("zeros.npz")]);
  t.is(text?.error?.code, "ERR_NPZ_DIRECTORY");
  t.is(zeros?.verdict, "incomplete");
});
