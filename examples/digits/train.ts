import { existsSync } from "node:fs";
import { openDataset } from "@npystream/reader-stream";
import { writeNpz } from "@npystream/writer-stream";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { CLASSES, type DigitPaths, PIXELS } from "./convention.ts";
import { SoftmaxRegression } from "./softmax-regression.ts";

/** What {@link train} tells while it works. */
export interface TrainOptions {
  /** Called when a run goes on behind a checkpoint: with whole epochs done, and rows of the next one. */
  readonly onResume: (epochs: number, rows: number) => void;
  /** Called at the end of every epoch with its mean loss. */
  readonly onEpoch: (epoch: number, loss: number) => void;
}

/** Passes over the training rows. */
export const EPOCHS = 30;

const BATCH_ROWS = 32;
const LEARNING_RATE = 0.05;
const SEED = 7;
/** Batches between two checkpoints: a run that is killed repeats so many at most. */
const CHECKPOINT_EVERY = 16;

/**
 * Third step: fits a classifier to standardised digits, shuffled anew in every epoch, and writes it to `modelPath`. Where
 * there is a checkpoint it goes on behind it, and ends with the very numbers of a run that was never stopped.
 */
export async function train(
  digits: DigitPaths,
  checkpointPath: string,
  modelPath: string,
  { onResume, onEpoch }: TrainOptions,
): Promise<void> {
  const isResumed = existsSync(checkpointPath);
  const start = isResumed
    ? await readCheckpoint(checkpointPath)
    : { model: SoftmaxRegression.untrained(PIXELS, CLASSES), loss: 0, state: undefined };
  const { model, state } = start;
  let { loss } = start;
  if (state !== undefined) onResume(state.epoch, state.position);
  // A model counts classes in plain numbers: int64 is cast as the rows are copied into a batch.
  await using dataset = await openDataset({
    features: { from: digits.features, as: "float32" },
    labels: { from: digits.labels, as: "int32" },
  });
  const order = { shuffle: { kind: "full" }, seed: SEED, epochs: EPOCHS } as const;
  await using batches = dataset.batches({ size: BATCH_ROWS, ...order, state });
  let since = 0;
  for await (const { features, labels, meta } of batches) {
    loss += meta.rows * model.learn(features.data, labels.data, LEARNING_RATE);
    if (meta.position + meta.rows === dataset.length) {
      onEpoch(meta.epoch + 1, loss / dataset.length);
      loss = 0;
    }
    since += 1;
    if (since === CHECKPOINT_EVERY) {
      await writeCheckpoint(checkpointPath, { model, loss, state: batches.state() });
      since = 0;
    }
  }
  await writeNpz(modelPath, { ...model.parameters() }, { overwrite: true });
}
