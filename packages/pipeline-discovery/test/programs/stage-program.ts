/**
 * Runs a stage over the pairs in a folder, twice as large in the results, until all are done.
 *
 *     stage-program.ts ROOT OUT
 */
import { NdArray } from "@npystream/codec";
import { discover, runStage } from "../../src/index.ts";
import { pairNames, pairSets } from "../helpers/incoming.ts";

const [root = "", out = ""] = process.argv.slice(2);
const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true });
const counts = await runStage(
  found,
  async (set, { commit }) => {
    await using features = await set.arrays.features.open();
    await commit(pairNames, { ...set.fields, role: "doubled" }, async (stream) => {
      for await (const chunk of features.stream({ chunkBytes: 1 << 14 })) {
        const { data } = chunk.contiguous();
        await stream.push(new NdArray({ dtype: "float32", shape: chunk.shape, data: data.map((value) => value * 2) }));
      }
    });
  },
  { concurrency: 4, out },
);
console.log(JSON.stringify(counts));
