import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeNpy, NdArray, nameTemplate } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { FileInspector } from "../src/file-inspector.ts";
import { RecheckClock } from "../src/recheck-clock.ts";
import { RootFolder } from "../src/root-folder.ts";
import { SetAssembly } from "../src/set-assembly.ts";
import { CompiledContract } from "../src/set-contract.ts";
import { SetJudge } from "../src/set-judge.ts";
import { SetNames } from "../src/set-names.ts";
import { SetTable } from "../src/set-table.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";

test.after.always(removeFolders);

const SETS = 2000;

const contract = new CompiledContract({ roles: { x: {} } });
const names = new SetNames(nameTemplate("{key}.npy"), contract.roles);
const bytesOf = (value: number): Uint8Array => {
  return encodeNpy(new NdArray({ dtype: "float64", shape: [1], data: Float64Array.of(value) }));
};

/** An assembly over a folder of its own, where nothing is ever refused or lost. */
function assemble(t: ExecutionContext, settleMs: number) {
  const folder = makeFolder();
  const table = new SetTable(names, contract.roles);
  let resume = (): void => undefined;
  const assembly: SetAssembly = new SetAssembly({
    table,
    inspector: new FileInspector({ needsMarker: false, mayBlock: true, digests: false, members: contract.roles }),
    judge: new SetJudge({ names, contract, completion: "content", settleMs }),
    clock: new RecheckClock({ firstMs: 250, longestMs: 5000 }),
    maxReady: 64,
    onProgress: () => resume(),
    onRefused: () => t.fail(),
    remember: () => undefined,
    recall: () => "new",
    onCleared: () => undefined,
    onLost: () => t.fail(),
    onSettled: () => undefined,
    onFailed: (error) => t.fail(String(error)),
  });
  const root = new RootFolder(folder, {
    names,
    hints: "none",
    sweepMs: 1000,
    logger: new MemoryLogger(),
    observer: assembly,
    onUnmatched: () => t.fail(),
  });
  const next = async (): Promise<string> => {
    for (;;) {
      const progressed = new Promise<void>((resolve) => {
        resume = resolve;
      });
      const finding = await assembly.take();
      if (finding !== undefined) return finding.candidate.key;
      await progressed;
    }
  };
  const write = (key: string, value = 1): string => {
    writeFileSync(join(folder, `${key}.npy`), bytesOf(value));
    return `${key}.npy`;
  };
  return { table, assembly, root, next, write };
}

test("a look at everything does not hold up a set that comes meanwhile, and looks at each set once", async (t) => {
  const { table, assembly, root, next, write } = assemble(t, 0);
  const running = assembly.run();
  assembly.appeared(
    root,
    "",
    Array.from({ length: SETS }, (_, at) => write(String(at))),
  );
  for (let taken = 0; taken < SETS; taken++) await next();

  assembly.doubted(root);
  assembly.doubted(root);
  assembly.appeared(root, "", [write("new")]);
  t.is(await next(), "new");
  const looks = (): number[] => [...table.candidates(root)].map(({ look }) => look);
  const early = looks().filter((count) => count > 1).length;
  t.true(early < SETS / 2, `${early} were looked at before`);
  while (looks().filter((count) => count > 1).length < SETS) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.deepEqual([...new Set(looks())].toSorted(), [1, 2], "the new one was looked at once, and each other once more");
  assembly.close();
  await running;
});

test("a set that waits to settle and is then found complete is waited for no longer", async (t) => {
  const { table, assembly, root, next, write } = assemble(t, 600_000);
  const running = assembly.run();
  assembly.appeared(root, "", [write("a", 0)]);
  while ([...table.candidates(root)][0]?.state !== "waiting") {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.false(assembly.isDrained, "its data is all zero");
  write("a", 1);
  assembly.doubted(root);
  t.is(await next(), "a");
  t.true(assembly.isDrained);
  assembly.close();
  await running;
});
