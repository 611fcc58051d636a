/**
 * Runs AVA over every test, or over the files and patterns given, and ends with `N passed, N failed` alone on the last line.
 *
 *     node --import=tsx test/run.ts [FILE...]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { TapReport } from "./tap-report.ts";

/** AVA ends an idle run itself (`timeout` in package.json); this is for an AVA that does not, as with a process that spins. */
const SILENCE_MS = 6 * 60_000;

const patterns = process.argv.slice(2);
const report = new TapReport(singleFilePrefix(patterns));
const exitCode = await runAva(patterns, report);
const { passed, failed } = report.tally(exitCode);
await print(["", `${passed} passed, ${failed} failed`]);
process.exitCode = failed === 0 ? 0 : 1;

async function runAva(args: readonly string[], tap: TapReport): Promise<number | null> {
  const child = spawn(process.execPath, [avaCommand(), "--tap", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      console.log(`AVA did not start: ${error.message}`);
      resolve(null);
    });
    child.once("close", (code) => resolve(code));
  });
  let silence = endWhenSilent(child);
  for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
    clearTimeout(silence);
    silence = endWhenSilent(child);
    await print(tap.line(stripVTControlCharacters(line)));
  }
  const code = await ended;
  clearTimeout(silence);
  process.off("SIGINT", forward).off("SIGTERM", forward);
  return code;
}

function endWhenSilent(child: ChildProcess): NodeJS.Timeout {
  return setTimeout(() => {
    console.log(`no test ended in ${SILENCE_MS / 60_000} minutes: the run is stopped`);
    child.kill("SIGKILL");
  }, SILENCE_MS);
}

/** AVA exports neither its command nor its package.json. */
function avaCommand(): string {
  return fileURLToPath(new URL("../node_modules/ava/entrypoints/cli.mjs", import.meta.url));
}

/** AVA puts the file before the title only when it runs several. */
function singleFilePrefix(args: readonly string[]): string {
  const only = args.length === 1 ? args[0] : undefined;
  const isFile = only !== undefined && statSync(only, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? `${only} › ` : "";
}

async function print(lines: readonly string[]): Promise<void> {
  if (lines.length === 0) {
    return;
  }
  await new Promise<void>((resolve) => {
    process.stdout.write(`${lines.join("\n")}\n`, () => resolve());
  });
}
