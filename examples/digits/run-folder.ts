import { mkdir, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { archiveNames, KEY, type StageFolder, stageFolders } from "./convention.ts";

/** Where this example's own files are: beside its source, whether it runs from there or from the build. */
const exampleFolder =
  basename(dirname(import.meta.dirname)) === "dist"
    ? join(import.meta.dirname, "..", "..", "digits")
    : import.meta.dirname;

/** The real input, carried with the example. */
export const digitsCsv: string = join(exampleFolder, "digits.csv");

/** Where a run writes when nothing else is asked. */
export const defaultRunFolder: string = join(exampleFolder, "run");

/** Folder beside those of the stages, for the ledger and checkpoints. */
const STATE = "state";

/** Where a run writes what is in no stage's folder, and its last result. */
export interface RunPaths {
  /** SQLite file that says which sets of which stage are done. */
  readonly ledger: string;
  /** Folder that training goes on from; there while it is under way. */
  readonly checkpoints: string;
  /** `.npz` of the predictions. */
  readonly predictions: string;
}

/** Names what a run writes in `folder`. */
export function runPaths(folder: string): RunPaths {
  const predicted: StageFolder = "predicted";
  return {
    ledger: join(folder, STATE, "ledger.db"),
    checkpoints: join(folder, STATE, "checkpoints"),
    predictions: join(folder, predicted, archiveNames.format({ key: KEY })),
  };
}

/**
 * Makes `folder` where there is none.
 *
 * @throws Error where it holds something that no run has written.
 */
export async function openRunFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const own: readonly string[] = [...stageFolders, STATE];
  const other = (await readdir(folder)).find((name) => !own.includes(name));
  if (other !== undefined) {
    throw new Error(`${folder} holds ${other}, which no run of this has written: choose another folder with --out`);
  }
}
