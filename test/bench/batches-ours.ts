/** Our side of the measurements of batches: `batches-ours.ts TASK FOLDER`. Runs against the built packages, as users do. */
import { join } from "node:path";
import type { NdArray } from "@npystream/codec";
import { type BatchesOptions, type Dataset, mapNpy, openDataset, openNpy } from "@npystream/reader-stream";
import { measure } from "./measure.ts";

const [task = "", folder = ""] = process.argv.slice(2);
const at = (name: string): string => join(folder, name);
const FULL = { size: 1024, shuffle: { kind: "full" }, seed: 1 } as const;
const BLOCKS = { size: 1024, shuffle: true, seed: 1 } as const;

/** Goes over an epoch; the checksum is the number of rows, since another side shuffles in an order of its own. */
async function epoch(dataset: Dataset, options: Omit<BatchesOptions, "transform">): Promise<number> {
  let rows = 0;
  for await (const batch of dataset.batches(options)) {
    for (const name of dataset.names) if ((batch[name] as NdArray).data.length === 0) throw new Error("never");
    rows += batch.meta.rows;
  }
  return rows;
}

async function inMemory(name: string): Promise<NdArray> {
  await using handle = await openNpy(at(name));
  return await handle.read();
}

const files = { features: at("256m.npy"), labels: at("labels.npy") };

async function ofFiles(options: Omit<BatchesOptions, "transform">): Promise<void> {
  await using dataset = await openDataset(files);
  await measure(() => epoch(dataset, options));
}

async function ofMemory(features: string, labels?: string): Promise<void> {
  const fields = { features: await inMemory(features), ...(labels && { labels: await inMemory(labels) }) };
  await using dataset = await openDataset(fields);
  await measure(() => epoch(dataset, FULL));
}

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  "batches-epoch": () => ofFiles(FULL),
  // What is read whole at the first batch has to fit, windows and batches included.
  "batches-epoch-whole": () => ofFiles({ ...FULL, memory: 320 << 20 }),
  "batches-epoch-pooled": () => ofFiles({ ...FULL, memory: 320 << 20, ownership: "pooled" }),
  "batches-epoch-blocks": () => ofFiles(BLOCKS),
  "batches-memory": () => ofMemory("256m.npy", "labels.npy"),
  "batches-rows-64": () => ofMemory("rows-64.npy"),
  "batches-rows-16k": () => ofMemory("rows-16k.npy"),
  "batches-cast": async () => {
    const fields = { features: await inMemory("doubles.npy"), labels: await inMemory("doubles-labels.npy") };
    await using dataset = await openDataset({
      features: { from: fields.features, as: "float32" },
      labels: { from: fields.labels, as: "int32" },
    });
    await measure(() => epoch(dataset, FULL));
  },
  "batches-first": () =>
    measure(async () => {
      await using dataset = await openDataset(files);
      await using batches = dataset.batches(BLOCKS);
      return (await batches.next()).value?.meta.rows;
    }),
  "batches-cold": () => ofFiles({ ...FULL, memory: 320 << 20 }),
  "batches-cold-blocks": () => ofFiles(BLOCKS),
  "batches-resume": () => resume(),
};

/** Six times to the first batch behind a state. */
async function resume(): Promise<void> {
  await using dataset = await openDataset({ rows: at("sparse.npy") });
  const took: string[] = [];
  await measure(async () => {
    let rows = 0;
    for (const options of [BLOCKS, FULL]) {
      const start = dataset.batches(options).state();
      for (const part of [0.1, 0.5, 0.99]) {
        const before = performance.now();
        const state = { ...start, position: Math.floor((dataset.length / 1024) * part) * 1024 };
        await using batches = dataset.batches({ ...options, state });
        rows += (await batches.next()).value?.meta.rows ?? 0;
        took.push((performance.now() - before).toFixed(0));
      }
    }
    return rows;
  });
  process.stderr.write(`first batch at 10, 50 and 99 %: blocks ${took.slice(0, 3)} ms, full ${took.slice(3)} ms\n`);
}

const run = tasks[task];
if (run === undefined) throw new Error(`no task ${task}; one of ${Object.keys(tasks).join(", ")}`);
// NumPy is loaded before its clock starts, and so is koffi, which is loaded when it is first needed.
mapNpy(at("labels.npy")).close();
await run();
