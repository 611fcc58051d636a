import { join } from "node:path";
import { NdArray } from "@npystream/codec";
import { openDataset } from "@npystream/reader-stream";
import type { ChainedStage } from "./chained-stage.ts";
import { archiveNames, arrayNames, CLASSES } from "./convention.ts";
import { mostLikely, SoftmaxRegression } from "./softmax-regression.ts";

/** How good predictions are. */
export interface Score {
  /** Digits that were predicted. */
  readonly tested: number;
  /** Digits that were predicted rightly. */
  readonly right: number;
}

/** A model as training leaves it. */
const parameters = {
  roles: { weights: { dtype: "float64", shape: [64, 10] }, bias: { dtype: "float64", shape: [10] } },
} as const;

const BATCH_ROWS = 32;

/** Fourth stage: has each model predict the rows that were held out of its training. */
export const predict: ChainedStage<{ readonly key: string }, typeof parameters> = {
  name: "predict",
  from: "trained",
  to: "predicted",
  names: archiveNames,
  sets: parameters,
  work: async ({ arrays, fields: { key } }, { commit }, { folder }) => {
    await using weights = await arrays.weights.open();
    await using bias = await arrays.bias.open();
    const model = new SoftmaxRegression({ weights: await weights.read(), bias: await bias.read() });
    const heldOut = (role: string): string => join(folder, "standardised", arrayNames.format({ key, role }));
    await using rows = await openDataset({
      features: { from: heldOut("test-features"), as: "float32" },
      labels: { from: heldOut("test-labels"), as: "int64" },
    });
    const probabilities = new Float32Array(rows.length * CLASSES);
    const labels = new BigInt64Array(rows.length);
    for await (const batch of rows.batches({ size: BATCH_ROWS })) {
      const { position } = batch.meta;
      probabilities.set(model.probabilities(batch.features.data), position * CLASSES);
      labels.set(batch.labels.data, position);
    }
    await commit(
      archiveNames,
      { key },
      {
        predictions: mostLikely(probabilities, CLASSES),
        probabilities: NdArray.from(probabilities, [rows.length, CLASSES]),
        labels,
      },
    );
    return `${rows.length} held-out digits`;
  },
};

/** Reads from predictions how good they are. */
export async function readScore(path: string): Promise<Score> {
  await using rows = await openDataset({ predictions: `${path}#predictions`, labels: `${path}#labels` });
  let right = 0;
  for await (const { predictions, labels } of rows.batches({ size: BATCH_ROWS })) {
    for (let row = 0; row < labels.length; row++) {
      right += Number(predictions.get(row) === labels.get(row));
    }
  }
  return { tested: rows.length, right };
}
