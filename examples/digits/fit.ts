import { type Dataset, type FieldStats, openDataset } from "@npystream/reader-stream";
import type { ShardPair } from "./collect-shards.ts";
import { CLASSES, PIXELS } from "./convention.ts";
import { mostLikely, SoftmaxRegression } from "./softmax-regression.ts";

/** Passes over the training rows. */
export const EPOCHS = 30;

const BATCH_ROWS = 32;
const LEARNING_RATE = 0.05;
const SEED = 7;

/** What the model makes of held-out digits, a row each. */
export interface Predictions {
  /** int64 `[n]` */
  readonly predictions: BigInt64Array;
  /** float32 `[n, 10]` */
  readonly probabilities: Float32Array;
  /** int64 `[n]`, what the digits truly are. */
  readonly labels: BigInt64Array;
}

/** A classifier, and the stats of the rows that it was fitted to, which standardize whatever it is asked about. */
export interface FittedModel {
  readonly model: SoftmaxRegression;
  readonly stats: FieldStats;
}

/** Features and labels of pairs of shards. */
type Digits = Dataset<{ readonly features: "float32"; readonly labels: "int64" }>;

/** Fits a classifier to the rows of all pairs, shuffled anew in every epoch; the same seed gives the same model. */
export async function fit(
  pairs: readonly ShardPair[],
  onEpoch: (epoch: number, loss: number) => void,
): Promise<FittedModel> {
  await using dataset = await openPairs(pairs);
  const stats = await dataset.stats("features");
  const model = new SoftmaxRegression(PIXELS, CLASSES);
  const batches = dataset.batches({ size: BATCH_ROWS, shuffle: { kind: "full" }, seed: SEED, epochs: EPOCHS });
  let loss = 0;
  for await (const { features, labels, meta } of batches) {
    standardizeInPlace(features.data, stats);
    loss += meta.rows * model.learn(features.data, labels.data, LEARNING_RATE);
    if (meta.position + meta.rows === dataset.length) {
      onEpoch(meta.epoch + 1, loss / dataset.length);
      loss = 0;
    }
  }
  return { model, stats };
}

/** Predicts the rows of all pairs in their order. */
export async function predict({ model, stats }: FittedModel, pairs: readonly ShardPair[]): Promise<Predictions> {
  await using dataset = await openPairs(pairs);
  const probabilities = new Float32Array(dataset.length * CLASSES);
  const labels = new BigInt64Array(dataset.length);
  for await (const batch of dataset.batches({ size: BATCH_ROWS })) {
    const { position } = batch.meta;
    standardizeInPlace(batch.features.data, stats);
    probabilities.set(model.probabilities(batch.features.data), position * CLASSES);
    labels.set(batch.labels.data, position);
  }
  return { predictions: mostLikely(probabilities, CLASSES), probabilities, labels };
}

async function openPairs(pairs: readonly ShardPair[]): Promise<Digits> {
  return await openDataset({
    features: { from: pairs.map((pair) => pair.features), as: "float32" },
    labels: { from: pairs.map((pair) => pair.labels), as: "int64" },
  });
}

/** Gives every column mean 0 and standard deviation 1; a pixel that is always blank is only shifted. A batch is its owner's. */
function standardizeInPlace(rows: Float32Array, { mean, std }: FieldStats): void {
  for (const [at, value] of rows.entries()) {
    const column = at % mean.length;
    rows[at] = (value - (mean[column] ?? 0)) / (std[column] || 1);
  }
}
