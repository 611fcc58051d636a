import { join } from "node:path";
import type { Logger, NameTemplate } from "@npystream/codec";
import {
  type ArraySet,
  discover,
  type Ledger,
  runStage,
  type SetContract,
  type StageContext,
} from "@npystream/pipeline-discovery";
import type { StageFolder } from "./convention.ts";
import type { Progress } from "./progress.ts";

/** What the stages of one run share. */
export interface Run {
  /** Holds the folders of all stages. */
  readonly folder: string;
  /** Holds what training goes on from. */
  readonly checkpoints: string;
  /** Says of every stage which sets are done. */
  readonly ledger: Ledger;
  readonly progress: Progress;
  readonly logger: Logger;
}

/** One stage: which sets it takes, and what it makes of each. The results of one are the sets of the next. */
export interface ChainedStage<F extends object, S extends SetContract> {
  /** Names the stage in the ledger. */
  readonly name: string;
  /** Folder in which its sets appear. */
  readonly from: StageFolder;
  /** Folder of its results. */
  readonly to: StageFolder;
  /** How the files of its sets are named. */
  readonly names: NameTemplate<F>;
  /** What its sets must be. */
  readonly sets: S;
  /** Commits the results of one set, and says in a few words what they are. */
  readonly work: (set: ArraySet<F, S>, context: StageContext, run: Run) => Promise<string>;
}

/**
 * Runs a stage over the sets that are there and not done yet, or with `until` over those that come until it aborts.
 *
 * Sets are told apart by their content: a stage that had to repeat a set after a crash made the same bytes again, and
 * those behind it need not.
 *
 * @returns how many sets were done
 * @throws Error where one was refused, or the stage failed with it.
 */
export async function runChained<F extends object, S extends SetContract>(
  run: Run,
  stage: ChainedStage<F, S>,
  until?: AbortSignal,
): Promise<number> {
  const { folder, ledger, progress, logger } = run;
  const { name, from, to, names, sets, work } = stage;
  const roots = join(folder, from);
  const once = until === undefined;
  await using found = discover<F, S>({ roots, names, sets, ledger, pipeline: name, verify: "digest", once, logger });
  const { done } = await runStage(
    found,
    async (set, context) => {
      progress.expect(context.attempt === 1 ? 1 : 0);
      const results = await work(set, context, run);
      progress.step(`${to} ${set.key}: ${results}`);
    },
    { out: join(folder, to), logger, ...(until === undefined ? {} : { signal: until }) },
  );
  const [refused] = found.quarantined;
  if (refused !== undefined) {
    throw new Error(`${refused.key} could not be ${to}: ${refused.reason}`, { cause: refused.error });
  }
  return done;
}
