import { NdArray } from "@npystream/codec";
import { openDataset } from "@npystream/reader-stream";
import { writeNpz } from "@npystream/writer-stream";
import { readModel } from "./checkpoint.ts";
import { CLASSES, type DigitPaths } from "./convention.ts";
import { mostLikely } from "./softmax-regression.ts";

/** How good predictions are. */
export interface Score {
  /** Digits that were predicted. */
  readonly tested: number;
  /** Digits that were predicted rightly. */
  readonly right: number;
}

const BATCH_ROWS = 32;

/** Fourth step: predicts standardised digits and writes predictions, probabilities and true labels to `path`. */
export async function predict(modelPath: string, digits: DigitPaths, path: string): Promise<Score> {
  const model = await readModel(modelPath);
  await using dataset = await openDataset({
    features: { from: digits.features, as: "float32" },
    labels: { from: digits.labels, as: "int64" },
  });
  const probabilities = new Float32Array(dataset.length * CLASSES);
  const labels = new BigInt64Array(dataset.length);
  for await (const batch of dataset.batches({ size: BATCH_ROWS })) {
    const { position } = batch.meta;
    probabilities.set(model.probabilities(batch.features.data), position * CLASSES);
    labels.set(batch.labels.data, position);
  }
  const predictions = mostLikely(probabilities, CLASSES);
  const members = {
    predictions: NdArray.from(predictions),
    probabilities: NdArray.from(probabilities, [labels.length, CLASSES]),
    labels: NdArray.from(labels),
  };
  await writeNpz(path, members, { overwrite: true });
  const right = labels.reduce((count, label, row) => count + Number(predictions[row] === label), 0);
  return { tested: labels.length, right };
}
