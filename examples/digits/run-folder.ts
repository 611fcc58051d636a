import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";

/** Where this example's own files are: beside its source, whether it runs from there or from the build. */
const exampleFolder =
  basename(dirname(import.meta.dirname)) === "dist"
    ? join(import.meta.dirname, "..", "..", "digits")
    : import.meta.dirname;

/** The real input, carried with the example. */
export const digitsCsv: string = join(exampleFolder, "digits.csv");

/** Where a run writes when nothing else is asked. */
export const defaultRunFolder: string = join(exampleFolder, "run");

/** Where a run writes. */
export interface RunPaths {
  /** Folder that the producer drops into. */
  readonly incoming: string;
  /** Folder of the standardised rows. */
  readonly standardised: string;
  /** `.npz` that training goes on from; there while it is under way. */
  readonly checkpoint: string;
  /** `.npz` of the fitted model. */
  readonly model: string;
  /** `.npz` of the predictions. */
  readonly predictions: string;
}

/** Everything that a run writes, finished or cut off half-way, by its path in the run folder. */
const OWN_FILE = new RegExp(
  "^(?:incoming/\\.?\\d{4}\\.(?:features|labels)\\.npy|standardised/(?:\\.?(?:train|test)\\.(?:features|labels)\\.npy|stats\\.json)|" +
    "\\.?(?:checkpoint|model|predictions)\\.npz)(?:\\.[^/]*partial)?$",
);

/** Names what a run writes in `folder`. */
export function runPaths(folder: string): RunPaths {
  const at = (name: string): string => join(folder, name);
  const [incoming, standardised] = [at("incoming"), at("standardised")];
  return {
    incoming,
    standardised,
    checkpoint: at("checkpoint.npz"),
    model: at("model.npz"),
    predictions: at("predictions.npz"),
  };
}

/**
 * Makes `folder` an empty folder by removing what an earlier run left there.
 *
 * @throws Error where it holds a file that no run has written: nothing is removed then.
 */
export async function clearRunFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
    if (!entry.isDirectory() && !OWN_FILE.test(path)) {
      throw new Error(`${folder} holds ${path}, which this example did not write: choose another folder with --out`);
    }
  }
  for (const name of await readdir(folder)) {
    await rm(join(folder, name), { recursive: true });
  }
}
