import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nameTemplate } from "@npystream/codec";
import test from "ava";
import { FileInspector } from "../src/file-inspector.ts";
import { leaveOutKnown } from "../src/known-sets.ts";
import type { RootFolder } from "../src/root-folder.ts";
import { Candidate } from "../src/set-candidate.ts";
import { SetNames } from "../src/set-names.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";

const names = new SetNames(nameTemplate("{key}.npy"), ["x"]);

test.after.always(removeFolders);

for (const mayBlock of [true, false]) {
  test(`sets are left out whose files are as they were delivered (${mayBlock ? "on" : "off"} the main thread)`, async (t) => {
    const folder = makeFolder();
    const root = { path: folder, absolute: (path: string) => join(folder, path) } as RootFolder;
    const inspector = new FileInspector({ needsMarker: false, digests: false, mayBlock, members: [] });
    const make = async (key: string) => {
      await writeFile(join(folder, key), key);
      const candidate = new Candidate(root, key, names, 1);
      candidate.place(0, "", key);
      candidate.enter("queued");
      return candidate;
    };
    const [isNew, done, changed, gone] = [
      await make("new"),
      await make("done"),
      await make("changed"),
      await make("gone"),
    ];
    const version = async ({ key }: Candidate): Promise<string> =>
      String(await inspector.versions([join(folder, key)]));
    const known = new Map([
      ["done", await version(done)],
      ["changed", await version(changed)],
      ["gone", "0-0-0-0"],
    ]);
    await writeFile(join(folder, "changed"), "changed since");
    const asked: string[] = [];
    const settled: string[] = [];
    const onSettled = (candidate: Candidate): number => settled.push(candidate.key);
    const remember = (candidates: readonly Candidate[]): void => {
      for (const candidate of candidates) {
        asked.push(candidate.key);
        const last = known.get(candidate.key);
        if (last !== undefined) candidate.settle([last], "");
      }
    };
    const left = await leaveOutKnown([isNew, done, changed, gone], { inspector, remember, onSettled });
    t.deepEqual(
      left.map(({ key }) => key),
      ["new", "changed", "gone"],
    );
    t.is(done.state, "settled");
    t.deepEqual(settled, ["done"]);
    t.is(changed.state, "queued");
    t.deepEqual(asked, ["new", "done", "changed", "gone"]);
    changed.settle([await version(changed)]);
    t.deepEqual(await leaveOutKnown([changed], { inspector, remember, onSettled }), []);
    t.is(asked.length, 4, "it is asked for before the first look only");
    t.is(await readFile(join(folder, "done"), "utf8"), "done");
  });
}
