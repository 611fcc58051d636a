import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@npystream/codec";
import { type Ingested, ingest } from "./ingest.ts";
import { predict, type Score } from "./predict.ts";
import type { Progress } from "./progress.ts";
import { clearRunFolder, digitsCsv, runPaths } from "./run-folder.ts";
import { standardise, standardisedPaths } from "./standardise.ts";
import { EPOCHS, train } from "./train.ts";

/** What came out of a run. */
export interface DigitsResult extends Score {
  /** Folder that everything was written to. */
  readonly folder: string;
  /** What came in; `undefined` where the run went on behind a checkpoint. */
  readonly ingested: Ingested | undefined;
}

/**
 * Runs the whole pipeline in `folder`: ingest, standardise, train, predict. Where an earlier run was stopped while it
 * trained, this one goes on behind its last checkpoint; else the folder is emptied of an earlier run first.
 */
export async function runDigits(folder: string, progress: Progress, logger: Logger): Promise<DigitsResult> {
  const { incoming, standardised, checkpoint, model, predictions } = runPaths(folder);
  // There is a checkpoint only while training is under way, when everything before it is written.
  let ingested: Ingested | undefined;
  if (!existsSync(checkpoint)) {
    await clearRunFolder(folder);
    ingested = await ingest(digitsCsv, incoming, {
      logger,
      onDropped: () => progress.expect(1),
      onDelivered: ({ name, rows }) => progress.step(`delivered ${name}: ${rows} rows`),
    });
    progress.expect(1);
    await standardise(ingested, standardised);
    progress.step(`standardised into ${join("standardised", "train.features.npy")} and others`);
  }
  progress.expect(EPOCHS + 1);
  const parts = standardisedPaths(standardised);
  await train(parts.train, checkpoint, model, {
    onResume: (epochs, rows) => {
      progress.expect(-epochs);
      progress.note(`going on behind ${epochs} epochs and ${rows} rows`);
    },
    onEpoch: (epoch, loss) => progress.step(`epoch ${epoch} of ${EPOCHS}: loss ${loss.toFixed(4)}`),
  });
  const score = await predict(model, parts.test, predictions);
  await rm(checkpoint, { force: true });
  progress.step(`predicted ${score.tested} held-out digits`);
  return { ...score, folder, ingested };
}
