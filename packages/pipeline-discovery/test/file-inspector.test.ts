import { execFileSync } from "node:child_process";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeNpy, NdArray } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { FileInspector } from "../src/file-inspector.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { openDescriptors } from "./helpers/open-resources.ts";

const array = encodeNpy(NdArray.from(Float32Array.of(1, 2, 3)));

test.after.always(removeFolders);

const ignores = test.macro({
  title: (_, how: string) => `links, pipes and folders in the place of a file are missing and never block, ${how}`,
  async exec(t: ExecutionContext, _how: string, mayBlock: boolean) {
    const folder = makeFolder();
    await writeFile(join(folder, "real.npy"), array);
    await symlink(join(folder, "real.npy"), join(folder, "link.npy"));
    execFileSync("python3", ["-c", "import os, sys; os.mkfifo(sys.argv[1])", join(folder, "pipe.npy")]);
    await mkdir(join(folder, "folder.npy"));
    const inspector = new FileInspector({ needsMarker: false, digests: false, mayBlock, members: [] });
    const names = ["real.npy", "link.npy", "pipe.npy", "folder.npy"];
    const found = await inspector.inspect(names.map((name) => join(folder, name)));
    t.deepEqual(
      found.map(({ verdict }) => verdict),
      ["complete", "missing", "missing", "missing"],
    );
  },
});

test(ignores, "on the main thread", true);
test(ignores, "off the main thread", false);

test("with markers a file is complete when .done stands behind its name or _SUCCESS beside it", async (t) => {
  const folder = makeFolder();
  const path = join(folder, "a.npy");
  const inspector = new FileInspector({ needsMarker: true, digests: false, mayBlock: true, members: [] });
  const verdict = async (): Promise<string | undefined> => (await inspector.inspect([path]))[0]?.verdict;
  await writeFile(path, array);
  t.is(await verdict(), "incomplete");
  await writeFile(`${path}.done`, "");
  t.is(await verdict(), "complete");
  await rm(`${path}.done`);
  t.is(await verdict(), "incomplete");
  await writeFile(join(folder, "_SUCCESS"), "");
  t.is(await verdict(), "complete");
  await writeFile(path, array.subarray(0, 100));
  t.is(await verdict(), "incomplete");
});

test("results are in the order of the paths, and no descriptor stays open", async (t) => {
  const folder = makeFolder();
  const paths = Array.from({ length: 200 }, (_, at) => join(folder, `${at}.npy`));
  for (const [at, path] of paths.entries()) {
    await writeFile(path, encodeNpy(NdArray.from(new Float32Array(at + 1).fill(1))));
  }
  for (const mayBlock of [true, false]) {
    const found = await new FileInspector({ needsMarker: false, digests: false, mayBlock, members: [] }).inspect(paths);
    t.deepEqual(
      found.map(({ arrays }) => arrays.get("")?.shape[0]),
      paths.map((_, at) => at + 1),
    );
    t.is(openDescriptors(folder), 0);
  }
});
