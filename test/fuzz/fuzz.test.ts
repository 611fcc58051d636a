import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import type { Corpus } from "./corpus.ts";
import { makeInput } from "./fuzz-input.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("./fuzz.ts", import.meta.url));

/** Runs the fuzzer as `pnpm fuzz` does. */
async function fuzz(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  try {
    const flags = ["--import=tsx", "--conditions=@npystream/source"];
    const { stdout } = await run(process.execPath, [...flags, script, ...args], { timeout: 240_000 });
    return { code: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, stdout };
  }
}

test("3,000 inputs made of the fixtures neither crash nor hang a decoder, nor make it take memory or disagree", async (t) => {
  t.timeout(300_000);
  const { code, stdout } = await fuzz("--seed", "2026", "--inputs", "3000");
  t.is(code, 0, stdout);
  t.regex(stdout, /^seed 2026, \d+ fixtures\n3000 inputs in .*, \d+ inputs a second\nnothing found\n$/, stdout);
});

test("the same seed makes the same inputs, and another seed others", (t) => {
  const file = encodeNpy(NdArray.from(new Float32Array(100)));
  const corpus: Corpus = { small: [file], large: [file] };
  const inputs = (seed: number): Uint8Array[] =>
    Array.from({ length: 50 }, (_, index) => makeInput(corpus, seed, index));
  t.deepEqual(inputs(7), inputs(7));
  t.notDeepEqual(inputs(7), inputs(8));
  t.is(inputs(7)[0], file);
});

test("the fixtures that inputs are made of stay as they are", (t) => {
  const file = encodeNpy(NdArray.from(new Float32Array(100)));
  const before = file.slice();
  for (let index = 0; index < 500; index++) makeInput({ small: [file], large: [file] }, 1, index);
  t.deepEqual(file, before);
});

test("a file that is named is decoded as it is, and one that is missing is told of", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "npystream-fuzz-test-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const good = join(folder, "good.npy");
  await writeFile(good, encodeNpy(NdArray.from(new Float32Array(100))));
  t.deepEqual(await fuzz(good), { code: 0, stdout: `${good}: as it should be\n` });
  const { code, stdout } = await fuzz(good, join(folder, "missing.npy"));
  t.is(code, 1);
  t.regex(stdout, /missing\.npy: .*ENOENT/);
});
