/** Delivers batches and writes the state behind each, for a test that ends this process: `OPTIONS FEATURES LABELS OUT`. */
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { type BatchesOptions, openDataset } from "../src/index.ts";

const [options = "", features = "[]", labels = "", out = ""] = process.argv.slice(2);
const dataset = await openDataset({ features: JSON.parse(features) as string[], labels });
const batches = dataset.batches(JSON.parse(options) as Omit<BatchesOptions, "transform">);
for await (const { labels: rows } of batches) {
  // The rows are "seen" before the state is saved, as a training step is done before its checkpoint.
  appendFileSync(`${out}.rows`, `${JSON.stringify(Array.from(rows.data as BigInt64Array, Number))}\n`);
  writeFileSync(`${out}.new`, JSON.stringify(batches.state()));
  renameSync(`${out}.new`, `${out}.state`);
}
await dataset.close();
