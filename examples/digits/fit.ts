import type { NdArray } from "@npystream/codec";
import { type Dataset, openDataset } from "@npystream/reader-stream";
import type { ShardPair } from "./collect-shards.ts";
import { CLASSES, PIXELS } from "./convention.ts";
import { mostLikely, SoftmaxRegression } from "./softmax-regression.ts";

/** Passes over the training rows. */
export const EPOCHS = 30;

const BATCH_ROWS = 32;
const LEARNING_RATE = 0.5;
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

/** Fits a classifier to the rows of all pairs, shuffled anew in every epoch; the same seed gives the same model. */
export async function fit(
  pairs: readonly ShardPair[],
  onEpoch: (epoch: number, loss: number) => void,
): Promise<SoftmaxRegression> {
  await using dataset = await openPairs(pairs);
  const model = new SoftmaxRegression(PIXELS, CLASSES);
  const batches = dataset.batches({ size: BATCH_ROWS, shuffle: { kind: "full" }, seed: SEED, epochs: EPOCHS });
  let loss = 0;
  let rows = 0;
  for await (const batch of batches) {
    const labels = int64Data(batch["labels"]);
    loss += labels.length * model.learn(float32Data(batch["features"]), labels, LEARNING_RATE);
    rows += labels.length;
    if (rows === dataset.length) {
      onEpoch(batch.meta.epoch + 1, loss / rows);
      loss = 0;
      rows = 0;
    }
  }
  return model;
}

/** Predicts the rows of all pairs in their order. */
export async function predict(model: SoftmaxRegression, pairs: readonly ShardPair[]): Promise<Predictions> {
  await using dataset = await openPairs(pairs);
  const probabilities = new Float32Array(dataset.length * CLASSES);
  const labels = new BigInt64Array(dataset.length);
  let row = 0;
  for await (const batch of dataset.batches({ size: BATCH_ROWS })) {
    const truth = int64Data(batch["labels"]);
    probabilities.set(model.probabilities(float32Data(batch["features"])), row * CLASSES);
    labels.set(truth, row);
    row += truth.length;
  }
  return { predictions: mostLikely(probabilities, CLASSES), probabilities, labels };
}

function openPairs(pairs: readonly ShardPair[]): Promise<Dataset<"features" | "labels">> {
  return openDataset({ features: pairs.map((pair) => pair.features), labels: pairs.map((pair) => pair.labels) });
}

function float32Data(array: NdArray | undefined): Float32Array {
  if (!(array?.data instanceof Float32Array && array.isContiguous)) {
    throw new TypeError(`features are ${array?.dtype ?? "missing"}, not float32 in C order`);
  }
  return array.data.subarray(array.offset, array.offset + array.size);
}

function int64Data(array: NdArray | undefined): BigInt64Array {
  if (!(array?.data instanceof BigInt64Array && array.isContiguous)) {
    throw new TypeError(`labels are ${array?.dtype ?? "missing"}, not int64 in C order`);
  }
  return array.data.subarray(array.offset, array.offset + array.size);
}
