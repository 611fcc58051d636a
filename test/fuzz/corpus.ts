import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../package/workspace.ts";
import type { Random } from "./random.ts";

/** The fixtures that inputs are made from, in the order of their names. */
export interface Corpus {
  /** Files of some kilobytes, which are decoded in no time. */
  readonly small: readonly Uint8Array[];
  /** Longer ones, which are taken once in a while. */
  readonly large: readonly Uint8Array[];
}

const SMALL_BYTES = 16 << 10;
/** Longer ones take seconds for what a shorter one shows too. */
const LARGE_BYTES = 2 << 20;
const LARGE_ONE_IN = 200;

/** Writes the valid and the malformed fixtures into a folder. */
export function makeFixtures(folder: string): void {
  for (const script of ["generate.py", "malformed.py"]) {
    execFileSync("python3", [join(root, "test/fixtures", script), folder]);
  }
}

/** Reads what {@link makeFixtures} wrote. */
export function readCorpus(folder: string): Corpus {
  const files = ["valid", "malformed", "misnamed", "tolerated"].flatMap((kind) =>
    readdirSync(join(folder, kind))
      .sort()
      .map((file) => new Uint8Array(readFileSync(join(folder, kind, file)))),
  );
  return {
    small: files.filter(({ length }) => length <= SMALL_BYTES),
    large: files.filter(({ length }) => length > SMALL_BYTES && length <= LARGE_BYTES),
  };
}

/** One file of the corpus; not to be changed. */
export function pickFile(corpus: Corpus, random: Random): Uint8Array {
  return random.pick(random.oneIn(LARGE_ONE_IN) ? corpus.large : corpus.small);
}
