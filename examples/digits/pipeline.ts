import { rm } from "node:fs/promises";
import type { Logger } from "@npystream/codec";
import { openLedger } from "@npystream/pipeline-discovery";
import { type Run, runChained } from "./chained-stage.ts";
import { type Ingested, ingest } from "./ingest.ts";
import { predict, readScore, type Score } from "./predict.ts";
import type { Progress } from "./progress.ts";
import { openRunFolder, runPaths } from "./run-folder.ts";
import { standardise } from "./standardise.ts";
import { train } from "./train.ts";

/** What came out of a run. */
export interface DigitsResult extends Score {
  /** Folder that everything was written to. */
  readonly folder: string;
  /** What came in. */
  readonly ingested: Ingested;
  /** Sets that this run worked on, in all stages together. */
  readonly worked: number;
}

/**
 * Runs the whole pipeline in `folder`: ingest, standardise, train, predict. What an earlier run has done there stays, so
 * that one that was stopped at any moment is gone on with.
 */
export async function runDigits(folder: string, progress: Progress, logger: Logger): Promise<DigitsResult> {
  await openRunFolder(folder);
  const { checkpoints, predictions, ...paths } = runPaths(folder);
  await using ledger = await openLedger(paths.ledger, { logger });
  await ledger.requeue({ state: "failed" }); // for whoever has mended what was wrong
  const run: Run = { folder, checkpoints, ledger, progress, logger };
  const ingested = await ingest(run);
  const standardised = await runChained(run, standardise);
  const trained = await runChained(run, train);
  await rm(checkpoints, { recursive: true, force: true });
  const predicted = await runChained(run, predict);
  const worked = ingested.pairs + standardised + trained + predicted;
  return { folder, ingested, worked, ...(await readScore(predictions)) };
}
