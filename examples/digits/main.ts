/**
 * The digits pipeline: a CSV becomes shards, shards become batches, batches become a classifier and its predictions. A run that
 * was stopped at any moment goes on when it is started again.
 *
 *     main.js [--out DIR]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { isNpyError } from "@npystream/codec";
import { pino } from "pino";
import { type DigitsResult, runDigits } from "./pipeline.ts";
import { createProgress } from "./progress.ts";
import { reportLines } from "./report.ts";
import { defaultRunFolder } from "./run-folder.ts";

try {
  const { values } = parseArgs({
    options: { out: { type: "string", default: defaultRunFolder }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    process.stdout.write("usage: main.js [--out DIR]\n\nRuns the digits pipeline; what it writes goes into DIR.\n");
    process.exit();
  }
  const result = await runWithProgress(resolve(values.out));
  process.stdout.write(`\n${(await reportLines(result)).join("\n")}\n`);
} catch (error) {
  process.stderr.write(`digits: ${describeError(error)}\n`);
  process.exitCode = isWrongUse(error) ? 2 : 1;
}

async function runWithProgress(folder: string): Promise<DigitsResult> {
  // Warnings only, such as a file that discovery refuses, and never on stdout, where the progress is.
  const logger = pino({ level: "warn" }, pino.destination(2));
  using progress = createProgress(process.stdout);
  return await runDigits(folder, progress, logger);
}

function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return isNpyError(error) ? `${error.code} ${message}` : message;
}

/** Whether the command line was not understood. */
function isWrongUse(error: unknown): boolean {
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}
