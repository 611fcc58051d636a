import { pipeline } from "node:stream/promises";
import type { NdArray } from "@npystream/codec";
import { type Dataset, openDataset, standardize } from "@npystream/reader-stream";
import type { ChainedStage } from "./chained-stage.ts";
import { arrayNames, manifestNames } from "./convention.ts";

/** All shards together. */
const shards = {
  roles: { features: { dtype: "float32", shape: ["N", 64] }, labels: { dtype: "int64", shape: ["N"] } },
} as const;

/** A fifth of every digit is held out for the test. */
const PARTS = { train: 0.8, test: 0.2 } as const;
const SEED = 7;
const CHUNK_ROWS = 256;

/**
 * Second stage: divides digits into training and test rows, the same share of each digit, and standardises the features of
 * both by the training rows alone: a test that its own mean went into would tell too much.
 */
export const standardise: ChainedStage<{ readonly key: string }, typeof shards> = {
  name: "standardise",
  from: "ingested",
  to: "standardised",
  names: manifestNames,
  sets: shards,
  work: async ({ arrays, fields }, { commit, signal }) => {
    await using features = await arrays.features.open();
    await using labels = await arrays.labels.open();
    await using dataset = await openDataset({ features, labels });
    const parts = await dataset.split(PARTS, { seed: SEED, stratify: "labels" });
    const stats = await parts.train.stats("features");
    for (const part of ["train", "test"] as const) {
      await commit(arrayNames, { ...fields, role: `${part}-features` }, (out) =>
        pipeline(rowsOf(parts[part].pick("features")), standardize(stats), out, { signal }),
      );
      await commit(arrayNames, { ...fields, role: `${part}-labels` }, (out) =>
        pipeline(rowsOf(parts[part].pick("labels")), out, { signal }),
      );
    }
    await commit(arrayNames, { ...fields, role: "mean" }, Float64Array.from(stats.mean));
    await commit(arrayNames, { ...fields, role: "std" }, Float64Array.from(stats.std));
    return `${parts.train.length} rows to train, ${parts.test.length} held out`;
  },
};

/** Gives the rows of a dataset's one field, in the order in which they lie. */
async function* rowsOf(dataset: Dataset): AsyncGenerator<NdArray> {
  for await (const batch of dataset.batches({ size: CHUNK_ROWS })) {
    for (const name of dataset.names) yield batch[name] as NdArray;
  }
}
