/** Prints the rows of what is left behind each of some states: `OPTIONS STATES FEATURES LABELS`. */
import { type BatchesOptions, type BatchState, openDataset } from "../src/index.ts";

const [options = "", states = "[]", features = "[]", labels = ""] = process.argv.slice(2);
await using dataset = await openDataset({ features: JSON.parse(features) as string[], labels });
const rests: number[][][] = [];
for (const state of JSON.parse(states) as BatchState[]) {
  const rest: number[][] = [];
  const given = { ...(JSON.parse(options) as Omit<BatchesOptions, "transform">), state };
  for await (const batch of dataset.batches(given)) rest.push(Array.from(batch.labels.data as BigInt64Array, Number));
  rests.push(rest);
}
process.stdout.write(JSON.stringify(rests));
