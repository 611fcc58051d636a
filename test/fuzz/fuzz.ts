/**
 * Decodes changed fixtures with every decoder there is, and ends with 1 where one crashes, hangs, takes memory that the input
 * does not warrant, throws what is not documented or does not agree with the others:
 *
 *     pnpm fuzz [--seconds 60] [--seed N] [--inputs N]
 *     pnpm fuzz FILE...
 *
 * The same seed makes the same inputs. With `--inputs` it ends after that many, however long they take. Files are decoded as
 * they are.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Corpus, makeFixtures, readCorpus } from "./corpus.ts";
import { makeInput } from "./fuzz-input.ts";
import { decodeAlone, runInputs } from "./fuzz-run.ts";

/** Inputs of one cause are told this often; a run with so many causes ends. */
const MAX_FINDINGS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    inputs: { type: "string" },
  },
});
const failures = positionals.length > 0 ? await decodeFiles(positionals) : await fuzz();
process.exitCode = failures === 0 ? 0 : 1;

async function decodeFiles(files: readonly string[]): Promise<number> {
  let failed = 0;
  for (const file of files) {
    const reason = await decodeAlone(resolve(file));
    console.log(`${file}: ${reason ?? "as it should be"}`);
    if (reason !== undefined) failed++;
  }
  return failed;
}

async function fuzz(): Promise<number> {
  const seed = wholeNumber("--seed", values.seed);
  const last = values.inputs === undefined ? 2 ** 31 : wholeNumber("--inputs", values.inputs);
  const seconds = values.inputs === undefined ? wholeNumber("--seconds", values.seconds) : Number.POSITIVE_INFINITY;
  const folder = mkdtempSync(join(tmpdir(), "npystream-fuzz-"));
  const causes = new Map<string, number>();
  try {
    makeFixtures(folder);
    const corpus = readCorpus(folder);
    console.log(`seed ${seed}, ${corpus.small.length + corpus.large.length} fixtures`);
    const deadline = performance.now() + seconds * 1000;
    const started = performance.now();
    const count = await runInputs({ folder, seed, last, deadline }, async (index, reason) => {
      // Numbers and what is quoted differ from input to input; the words before it do not.
      const cause = (reason.split('"')[0] ?? "").replaceAll(/\d+/g, "#").slice(0, 160);
      causes.set(cause, (causes.get(cause) ?? 0) + 1);
      if (causes.get(cause) === 1) tell(corpus, seed, index, reason);
      return causes.size < MAX_FINDINGS;
    });
    const elapsed = (performance.now() - started) / 1000;
    console.log(`${count} inputs in ${elapsed.toFixed(1)} s, ${Math.round(count / elapsed)} inputs a second`);
    for (const [cause, times] of causes) console.log(`${times} x ${cause.split("\n")[0]}`);
    console.log(causes.size === 0 ? "nothing found" : `${causes.size} causes found`);
    return causes.size;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Keeps the input and says how to decode it again. */
function tell(corpus: Corpus, seed: number, index: number, reason: string): void {
  const kept = join(tmpdir(), "npystream-fuzz-failures");
  mkdirSync(kept, { recursive: true });
  const file = join(kept, `seed-${seed}-input-${index}.bin`);
  writeFileSync(file, makeInput(corpus, seed, index));
  const script = relative(process.cwd(), import.meta.filename);
  console.log(`\ninput ${index}: ${reason}`);
  console.log(`  node --import=tsx --conditions=@npystream/source ${script} ${file}`);
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!/^[0-9]{1,9}$/.test(text)) throw new RangeError(`${option} is a whole number, not ${JSON.stringify(text)}`);
  return value;
}
