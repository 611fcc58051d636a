/**
 * Measures what a folder of many files costs to watch: `npm run bench:discovery [-- --files 100000,1000000]`.
 *
 * Each line is a process of its own, against the built packages, that prints its time, peak memory and processor time.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openLedger } from "@npystream/pipeline-discovery";
import { pairBytes, writePair } from "./pair-files.ts";
import { plainProgram } from "./plain-program.ts";

const FOLDERS = 100;

const { values } = parseArgs({ options: { files: { type: "string", default: "100000" } } });
const program = await plainProgram(join(import.meta.dirname, "discovery-side.ts"));
const tasks = JSON.parse(measure()) as string[];
for (const files of values.files.split(",").map(Number)) {
  const [made, kept] = [
    mkdtempSync(join(tmpdir(), "npystream-files-")),
    mkdtempSync(join(tmpdir(), "npystream-ledger-")),
  ];
  try {
    makeFiles(made, files);
    for (const task of tasks) console.log(`| ${files} | ${task} | ${measure(task, made, kept).trim()} |`);
    await using opened = await openLedger(join(kept, "ledger.db"), { readOnly: true });
    console.log(`| ${files} | sets in the ledger | ${opened.count().done} done |`);
  } finally {
    rmSync(made, { recursive: true });
    rmSync(kept, { recursive: true });
  }
}

function measure(...args: readonly string[]): string {
  return execFileSync(process.execPath, [program, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function makeFiles(folder: string, files: number): void {
  const [features, labels] = pairBytes();
  for (let at = 0; at < FOLDERS; at++) mkdirSync(join(folder, String(at)));
  for (let at = 0; at < files / 2; at++) writePair(join(folder, String(at % FOLDERS)), String(at), features, labels);
}
