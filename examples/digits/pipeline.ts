import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Logger, NdArray } from "@npystream/codec";
import { writeNpz } from "@npystream/writer-stream";
import { collectShards, type ShardPair } from "./collect-shards.ts";
import { CLASSES } from "./convention.ts";
import { EPOCHS, fit, predict } from "./fit.ts";
import { startProducer } from "./producer-process.ts";
import type { Progress } from "./progress.ts";
import { clearRunFolder, digitsCsv } from "./run-folder.ts";

/** What came out of a run. */
export interface DigitsResult {
  /** Every pair of shards, each delivered once. */
  readonly pairs: readonly ShardPair[];
  /** Held-out digits. */
  readonly tested: number;
  /** Held-out digits that were predicted rightly. */
  readonly right: number;
  /** Path of the `.npz` with predictions, probabilities and labels. */
  readonly predictions: string;
  /** How many pairs had been delivered before the producer ended. */
  readonly deliveredMeanwhile: number;
}

/** Runs the whole pipeline in `folder`, which is emptied of an earlier run first. */
export async function runDigits(folder: string, progress: Progress, logger: Logger): Promise<DigitsResult> {
  const incoming = join(folder, "incoming");
  await clearRunFolder(folder);
  await mkdir(incoming);
  progress.expect(EPOCHS + 1);

  let delivered = 0;
  let deliveredMeanwhile = 0;
  await using producer = startProducer(digitsCsv, incoming, () => {
    progress.expect(1);
    deliveredMeanwhile = delivered;
  });
  const onDelivered = ({ name, rows }: ShardPair): void => {
    delivered += 1;
    progress.step(`delivered ${name}: ${rows} rows`);
  };
  const pairs = await collectShards({ folder: incoming, producer, logger, onDelivered });

  const [train, test] = ["train", "test"].map((split) => pairs.filter((pair) => pair.split === split));
  const model = await fit(train ?? [], (epoch, loss) => {
    progress.step(`epoch ${epoch} of ${EPOCHS}: loss ${loss.toFixed(4)}`);
  });
  const { predictions, probabilities, labels } = await predict(model, test ?? []);
  const path = join(folder, "predictions.npz");
  await writeNpz(path, {
    predictions: NdArray.from(predictions),
    probabilities: NdArray.from(probabilities, [labels.length, CLASSES]),
    labels: NdArray.from(labels),
  });
  progress.step(`predicted ${labels.length} held-out digits`);

  const right = labels.reduce((count, label, row) => count + Number(predictions[row] === label), 0);
  return { pairs, tested: labels.length, right, predictions: path, deliveredMeanwhile };
}
