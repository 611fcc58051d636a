import { readFileSync, writeFileSync } from "node:fs";
import { truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { Verdict } from "../src/completeness.ts";
import { FileInspector } from "../src/file-inspector.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const folder = makeFolder();
const python = new PythonProducer();
const path = (name: string): string => join(folder, name);

const onMainThread = new FileInspector({ needsMarker: false, digests: false, mayBlock: true, members: [] });
const inThreads = new FileInspector({ needsMarker: false, digests: false, mayBlock: false, members: [] });

test.before(async () => {
  await python.run(`
folder = ${JSON.stringify(folder)}
np.save(f"{folder}/plain.npy", features(5))
np.save(f"{folder}/empty.npy", np.zeros((0, 4), np.float32))
np.save(f"{folder}/scalar.npy", np.float64(3.5))
np.save(f"{folder}/fortran.npy", np.asfortranarray(features(5)))
np.save(f"{folder}/big-endian.npy", features(5).astype(">f4"))
np.save(f"{folder}/zeros.npy", np.zeros(3000))
np.save(f"{folder}/zero-page.npy", np.concatenate([np.ones(100), np.zeros(512)]))
np.save(f"{folder}/few-zeros.npy", np.concatenate([np.ones(100), np.zeros(511)]))
np.save(f"{folder}/objects.npy", np.array([{}], dtype=object), allow_pickle=True)
np.lib.format.write_array(open(f"{folder}/version2.npy", "wb"), features(5), version=(2, 0))
np.lib.format.open_memmap(f"{folder}/mapped.npy", "w+", np.float32, (4096, 4))
np.save(f"{folder}/large.npy", features(4096))
`);
});

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

const finds = test.macro({
  title: (_, name: string, verdict: Verdict, _reason?: RegExp) =>
    `${name} is ${verdict}, on the main thread and off it`,
  async exec(t: ExecutionContext, name: string, verdict: Verdict, reason: RegExp = /^$/) {
    for (const inspector of [onMainThread, inThreads]) {
      const [found] = await inspector.inspect([path(name)]);
      t.is(found?.verdict, verdict);
      t.regex(found?.reason ?? "", reason);
    }
  },
});

test(finds, "plain.npy", "complete");
test(finds, "empty.npy", "complete");
test(finds, "scalar.npy", "complete");
test(finds, "fortran.npy", "complete");
test(finds, "big-endian.npy", "complete");
test(finds, "version2.npy", "complete");
test(finds, "large.npy", "complete");
test(finds, "few-zeros.npy", "complete");
test(finds, "zeros.npy", "suspicious", /^its last 4096 bytes are all zero$/);
test(finds, "zero-page.npy", "suspicious", /^its last 4096 bytes are all zero$/);
test(finds, "mapped.npy", "suspicious", /^its blocks on disk do not cover its size$/);
test(finds, "objects.npy", "invalid", /^ERR_NPY_OBJECT: /);
test(finds, "nowhere.npy", "missing", /^there is no file$/);

test("a file that is cut at any byte is incomplete, and so is one with a byte too many", async (t) => {
  const whole = readFileSync(path("plain.npy"));
  const paths: string[] = [];
  for (let length = 0; length < whole.length; length++) {
    paths.push(path(`cut-${length}.npy`));
    writeFileSync(path(`cut-${length}.npy`), whole.subarray(0, length));
  }
  paths.push(path("longer.npy"));
  writeFileSync(path("longer.npy"), Buffer.concat([whole, Buffer.from([1])]));
  for (const inspector of [onMainThread, inThreads]) {
    const verdicts = (await inspector.inspect(paths)).map(({ verdict }) => verdict);
    t.deepEqual(
      verdicts,
      paths.map(() => "incomplete"),
    );
  }
});

test("a file that has its length before its content is incomplete until the header is there", async (t) => {
  await writeFile(path("reserved.npy"), new Uint8Array(100_000));
  await writeFile(path("hole.npy"), "");
  await truncate(path("hole.npy"), 100_000);
  const found = await onMainThread.inspect([path("reserved.npy"), path("hole.npy")]);
  t.deepEqual(
    found.map(({ verdict, reason }) => `${verdict}: ${reason}`),
    ["incomplete: nothing is written in it yet", "incomplete: nothing is written in it yet"],
  );
});

test("a header longer than the first read is read whole", async (t) => {
  const data = new Uint8Array(12).fill(1);
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }${" ".repeat(20_000)}\n`;
  const header = Buffer.alloc(12);
  header.write("\x93NUMPY\x02\x00", "latin1");
  header.writeUInt32LE(text.length, 8);
  const whole = Buffer.concat([header, Buffer.from(text), data]);
  await writeFile(path("long-header.npy"), whole);
  await writeFile(path("cut-header.npy"), whole.subarray(0, 15_000));
  for (const inspector of [onMainThread, inThreads]) {
    const [complete, cut] = await inspector.inspect([path("long-header.npy"), path("cut-header.npy")]);
    t.deepEqual(complete?.arrays.get("")?.shape, [3]);
    t.is(cut?.reason, "its header is not whole");
  }
});

test("what is no .npy is invalid with a code, even while it is short", async (t) => {
  await writeFile(path("text.npy"), "hello");
  const [found] = await onMainThread.inspect([path("text.npy")]);
  t.is(found?.verdict, "invalid");
  t.is(found?.error?.code, "ERR_NPY_MAGIC");
});

test("the version tells apart what has the same size, and names nothing else than the file", async (t) => {
  await writeFile(path("again.npy"), readFileSync(path("plain.npy")));
  const [before] = await onMainThread.inspect([path("again.npy")]);
  await utimes(path("again.npy"), 1, 1);
  const [after] = await inThreads.inspect([path("again.npy")]);
  t.not(before?.version, after?.version);
  t.deepEqual(before?.arrays.get("")?.shape, after?.arrays.get("")?.shape);
});
