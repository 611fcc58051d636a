import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Dataset, openDataset } from "@npystream/reader-stream";
import type { ChainedStage } from "./chained-stage.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type ArrayName, archiveNames, arrayNames, CLASSES, PIXELS } from "./convention.ts";
import type { Progress } from "./progress.ts";
import { SoftmaxRegression } from "./softmax-regression.ts";

/** The rows to train with. */
const trainingRows = {
  roles: {
    "train-features": { dtype: "float32", shape: ["N", 64] },
    "train-labels": { dtype: "int64", shape: ["N"] },
  },
} as const;

/** Passes over the training rows. */
const EPOCHS = 30;
const BATCH_ROWS = 32;
const LEARNING_RATE = 0.05;
const SEED = 7;
/** Batches between two checkpoints: a run that is killed repeats so many at most. */
const CHECKPOINT_EVERY = 16;

/** Third stage: fits a classifier to the training rows. */
export const train: ChainedStage<ArrayName, typeof trainingRows> = {
  name: "train",
  from: "standardised",
  to: "trained",
  names: arrayNames,
  sets: trainingRows,
  work: async (set, { commit }, { checkpoints, progress }) => {
    await mkdir(checkpoints, { recursive: true });
    await using features = await set.arrays["train-features"].open();
    await using labels = await set.arrays["train-labels"].open();
    // A model counts classes in plain numbers: int64 is cast as the rows are copied into a batch.
    await using rows = await openDataset({
      features: { from: features, as: "float32" },
      labels: { from: labels, as: "int32" },
    });
    // Named by what is learnt from as well, so that nothing ever goes on from other rows.
    const checkpoint = join(checkpoints, `${set.key}-${set.generation.slice(0, 16)}.npz`);
    const model = await fit(rows, checkpoint, progress);
    await commit(archiveNames, { key: set.fields.key }, { ...model.parameters() });
    return `${EPOCHS} epochs`;
  },
};

/**
 * Fits a classifier to rows that are shuffled anew in every epoch. Where there is a checkpoint it goes on behind it, and ends
 * with the very numbers of a run that was never stopped.
 */
async function fit(
  rows: Dataset<{ features: "float32"; labels: "int32" }>,
  checkpoint: string,
  progress: Progress,
): Promise<SoftmaxRegression> {
  const {
    model,
    state,
    loss: start,
  } = existsSync(checkpoint)
    ? await readCheckpoint(checkpoint)
    : { model: SoftmaxRegression.untrained(PIXELS, CLASSES), state: undefined, loss: 0 };
  progress.expect(EPOCHS - (state?.epoch ?? 0));
  if (state !== undefined) {
    progress.note(`going on behind ${state.epoch} epochs and ${state.position} rows`);
  }
  const order = { shuffle: { kind: "full" }, seed: SEED, epochs: EPOCHS } as const;
  await using batches = rows.batches({ size: BATCH_ROWS, ...order, state });
  let [loss, since] = [start, 0];
  for await (const { features, labels, meta } of batches) {
    loss += meta.rows * model.learn(features.data, labels.data, LEARNING_RATE);
    if (meta.position + meta.rows === rows.length) {
      progress.step(`epoch ${meta.epoch + 1} of ${EPOCHS}: loss ${(loss / rows.length).toFixed(4)}`);
      loss = 0;
    }
    since += 1;
    if (since === CHECKPOINT_EVERY) {
      await writeCheckpoint(checkpoint, { model, loss, state: batches.state() });
      since = 0;
    }
  }
  return model;
}
