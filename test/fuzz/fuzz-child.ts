/**
 * Decodes inputs until it is ended, and tells its parent what it finds:
 *
 *     fuzz-child.ts FOLDER SEED FROM TO      inputs of a run, made from the fixtures in FOLDER
 *     fuzz-child.ts FILE                     one input from a file
 *
 * The number of each input goes to descriptor 3 before it is decoded, so that the parent knows what a crash or a hang is of.
 */
import { readFileSync, writeSync } from "node:fs";
import { checkNpy } from "./check-npy.ts";
import { checkNpz } from "./check-npz.ts";
import { readCorpus } from "./corpus.ts";
import { makeInput } from "./fuzz-input.ts";
import { Random } from "./random.ts";

/** What a child sends: an input that is decoded as it must not be, or at its end how long the longest input took. */
export type ChildMessage = { readonly index: number; readonly reason: string } | { readonly longestCpuSeconds: number };

/** An input in a file is decoded in many of the random ways to split and to read it. */
const WAYS = 50;
const PROGRESS_DESCRIPTOR = 3;

let current = 0;
let longestCpuSeconds = 0;
process.on("uncaughtException", (error) => {
  report(`an exception that nobody can catch: ${error.stack}`);
  process.exit(1);
});

const [from, seed, first, last] = process.argv.slice(2);
if (from === undefined) throw new TypeError("expected a folder, a seed and a range, or a file");
if (seed === undefined) {
  const bytes = new Uint8Array(readFileSync(from));
  for (let way = 0; way < WAYS; way++) if (!(await check(way, bytes, new Random(way)))) break;
} else {
  const corpus = readCorpus(from);
  for (let index = Number(first); index < Number(last); index++) {
    await check(index, makeInput(corpus, Number(seed), index), new Random(Number(seed) + 1, index));
  }
}
send({ longestCpuSeconds });
process.disconnect?.();

async function check(index: number, input: Uint8Array, random: Random): Promise<boolean> {
  current = index;
  const progress = Buffer.alloc(4);
  progress.writeUInt32LE(index);
  writeSync(PROGRESS_DESCRIPTOR, progress);
  const bytes = input.slice();
  const start = process.cpuUsage();
  try {
    if (bytes[0] !== 0x50 || random.oneIn(8)) await checkNpy(bytes, random);
    if (bytes[0] !== 0x93 || random.oneIn(8)) await checkNpz(bytes, random);
    if (Buffer.compare(bytes, input) !== 0) throw new Error("the caller's bytes were changed");
    return true;
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
    return false;
  } finally {
    const { user, system } = process.cpuUsage(start);
    longestCpuSeconds = Math.max(longestCpuSeconds, (user + system) / 1e6);
  }
}

function report(reason: string): void {
  send({ index: current, reason });
}

function send(message: ChildMessage): void {
  process.send?.(message);
}
