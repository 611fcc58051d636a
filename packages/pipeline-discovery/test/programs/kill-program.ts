/**
 * Runs a stage over the pairs in a folder with a ledger, and kills itself where it is told to.
 *
 *     kill-program.ts ROOT OUT LEDGER RUNS POINT COUNT
 *
 * Each run of the stage appends the key of its set to the file RUNS. At the COUNT-th time that POINT is reached, the process
 * is gone: `write`, when half of a result is written; `sync` and `rename`, just before and, with `ed` behind, just after the
 * system did that; `ack`, when the stage has ended and the set is not acknowledged, `acked` when it is; `none` never.
 */
import fs, { appendFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { NdArray } from "@npystream/codec";

const [root = "", out = "", ledger = "", runs = "", point = "none", count = "1"] = process.argv.slice(2);
let left = Number(count);

function reach(where: string): void {
  if (where === point) {
    left -= 1;
    if (left <= 0) {
      process.kill(process.pid, "SIGKILL");
    }
  }
}

// The writer takes both from node:fs/promises, so that they are replaced before it is loaded.
const { rename, open } = fs.promises;
fs.promises.rename = async (from, to) => {
  reach("rename");
  await rename(from, to);
  reach("renamed");
};
fs.promises.open = async (...parameters) => {
  const handle: FileHandle = await open(...parameters);
  const sync = handle.sync.bind(handle);
  handle.sync = async () => {
    reach("sync");
    await sync();
    reach("synced");
  };
  return handle;
};
syncBuiltinESMExports();

const { discover, runStage } = await import("../../src/index.ts");
const { pairNames, pairSets } = await import("../helpers/incoming.ts");

const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, ledger });

/** The sets, of which each tells before and after it is acknowledged. */
async function* watched() {
  for await (const set of found) {
    const { ack } = set;
    yield Object.assign(set, {
      ack: async () => {
        reach("ack");
        await ack.call(set);
        reach("acked");
      },
    });
  }
}

const counts = await runStage(
  watched(),
  async (set, { commit }) => {
    appendFileSync(runs, `${set.key}\n`);
    await using features = await set.arrays.features.open();
    await commit(pairNames, { ...set.fields, role: "doubled" }, async (stream) => {
      for await (const chunk of features.stream({ chunkBytes: 1 << 12 })) {
        const { data } = chunk.contiguous();
        await stream.push(new NdArray({ dtype: "float32", shape: chunk.shape, data: data.map((value) => value * 2) }));
        reach("write");
      }
    });
  },
  { concurrency: 3, out },
);
console.log(JSON.stringify(counts));
