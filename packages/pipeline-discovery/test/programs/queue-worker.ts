/**
 * Works on pairs of a queue until it is told to end: twice the features, in `out`. Says `start KEY` and `end KEY`.
 *
 *     queue-worker.ts OPTIONS
 */
import { setTimeout as sleep } from "node:timers/promises";
import { NdArray } from "@npystream/codec";
import { bullmqEngine } from "../../src/bullmq.ts";
import { type StageFunction, work } from "../../src/index.ts";
import { pairNames, type pairSets } from "../helpers/incoming.ts";
import type { QueueProgramOptions } from "./queue-options.ts";

const options = JSON.parse(process.argv[2] ?? "") as QueueProgramOptions;
const { engine, root, out, workMs = 0, concurrency = 2, attempts = 3, poison } = options;

const stage: StageFunction<{ key: string; role: string }, typeof pairSets> = async (set, { commit, signal }) => {
  console.log(`start ${set.key}`);
  if (set.key === poison) {
    throw new Error("this set is poison");
  }
  await using features = await set.arrays.features.open();
  await commit(pairNames, { ...set.fields, role: "doubled" }, async (stream) => {
    for await (const chunk of features.stream({ chunkBytes: 1 << 12 })) {
      const { data } = chunk.contiguous();
      await stream.push(new NdArray({ dtype: "float32", shape: chunk.shape, data: data.map((value) => value * 2) }));
      await sleep(workMs / 4, undefined, { signal });
    }
  });
  console.log(`end ${set.key}`);
};

const retry = { attempts, baseMs: 20, maxMs: 100 };
const result = await work(bullmqEngine(engine), stage, {
  roots: { in: root },
  out,
  concurrency,
  retry,
  stopOn: ["SIGTERM"],
});
console.log(JSON.stringify(result));
