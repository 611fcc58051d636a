import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { NdArray } from "@npystream/codec";
import { type Dataset, openDataset, standardize } from "@npystream/reader-stream";
import { createNpyWriteStream } from "@npystream/writer-stream";
import type { DigitPaths } from "./convention.ts";

/** Files of both parts, whose features have mean 0 and standard deviation 1 in each column of the training rows. */
export interface Standardised {
  readonly train: DigitPaths;
  readonly test: DigitPaths;
}

/** A fifth of every digit is held out for the test. */
const PARTS = { train: 0.8, test: 0.2 } as const;
const SEED = 7;
const CHUNK_ROWS = 256;

/** Names the files that {@link standardise} writes into a folder. */
export function standardisedPaths(folder: string): Standardised {
  const paths = (part: string): DigitPaths => ({
    features: join(folder, `${part}.features.npy`),
    labels: join(folder, `${part}.labels.npy`),
  });
  return { train: paths("train"), test: paths("test") };
}

/**
 * Second step: divides digits into training and test rows, the same share of each digit, and standardises the features of
 * both by the training rows alone: a test that its own mean went into would tell too much.
 */
export async function standardise(digits: DigitPaths, folder: string): Promise<Standardised> {
  await mkdir(folder, { recursive: true });
  await using dataset = await openDataset({ features: digits.features, labels: digits.labels });
  const parts = await dataset.split(PARTS, { seed: SEED, stratify: "labels" });
  const stats = await parts.train.stats("features");
  await writeFile(join(folder, "stats.json"), JSON.stringify(stats));
  const paths = standardisedPaths(folder);
  for (const part of ["train", "test"] as const) {
    const { features, labels } = paths[part];
    await pipeline(
      rowsOf(parts[part].pick("features")),
      standardize(stats),
      createNpyWriteStream(String(features), { overwrite: true }),
    );
    await pipeline(rowsOf(parts[part].pick("labels")), createNpyWriteStream(String(labels), { overwrite: true }));
  }
  return paths;
}

/** Gives the rows of a dataset's one field, in the order in which they lie. */
async function* rowsOf(dataset: Dataset): AsyncGenerator<NdArray> {
  for await (const batch of dataset.batches({ size: CHUNK_ROWS })) {
    for (const name of dataset.names) yield batch[name] as NdArray;
  }
}
