/**
 * Measures the packages against NumPy and Node's own means, and prints a table of ratios: below 1 we are faster.
 *
 *     pnpm bench [--rounds N] [--write] [ID...]
 *
 * Each side is a process that times its own work. Sides take turns in every round; the ratio is the median of those of the
 * rounds. `--write` puts the table into docs/benchmarks.md.
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { root } from "../package/workspace.ts";
import type { Measurement } from "./measure.ts";
import { type Comparison, comparisons, type Rival } from "./measurements.ts";
import { plainProgram } from "./plain-program.ts";

const run = promisify(execFile);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "7" }, write: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
const folder = join(tmpdir(), "npystream-bench");
const here = (name: string): string => join(root, "test/bench", name);

mkdirSync(folder, { recursive: true });
await run("python3", [here("numpy-side.py"), "make", folder]);
await run("python3", [here("batches-numpy.py"), "make", folder]);
const programs = new Map<string, string>();
for (const name of ["ours", "batches-ours", "plain-node"]) programs.set(name, await plainProgram(here(`${name}.ts`)));
await run(process.execPath, [programOf("ours"), "make", folder]);
const torchPython = await pythonWithTorch();
const chosen = comparisons.filter(
  ({ id }) => positionals.length === 0 || positionals.some((wanted) => id.startsWith(wanted)),
);
const lines = [
  "| # | work | against | ratio | to reach | our ms | our peak MB | our CPU s | their peak MB |",
  "|---|---|---|---|---|---|---|---|---|",
];
for (const comparison of chosen) {
  for (const line of await compare(comparison)) {
    console.log(line);
    lines.push(line);
  }
}
if (values.write) await writeTable(lines.join("\n"));

async function compare({ id, task, title, cold = [], ...comparison }: Comparison): Promise<string[]> {
  const rivals = comparison.rivals.filter(({ side }) => side !== "torch" || torchPython !== undefined);
  const ours: Measurement[] = [];
  const theirs: Measurement[][] = rivals.map(() => []);
  for (let round = 0; round < rounds; round++) {
    await dropFromCache(cold);
    ours.push(await take("ours", task));
    for (const [index, rival] of rivals.entries()) {
      await dropFromCache(cold);
      const measured = await take(rival.side, rival.task ?? task);
      theirs[index]?.push(measured);
      if (measured.checksum !== ours[round]?.checksum) {
        throw new Error(`${id}: ours gives ${ours[round]?.checksum}, ${rival.label} ${measured.checksum}`);
      }
    }
  }
  return rivals.map((rival, index) => describe(id, title, rival, ours, theirs[index] ?? []));
}

function describe(id: string, title: string, rival: Rival, ours: Measurement[], theirs: Measurement[]): string {
  const ratio = median(ours.map(({ ms }, round) => ms / (theirs[round]?.ms ?? Number.NaN)));
  const mb = (side: Measurement[]): string => (Math.max(...side.map(({ rssBytes }) => rssBytes)) / 1e6).toFixed(0);
  const cells = [
    id,
    title,
    rival.label,
    ratio.toFixed(2),
    `<= ${rival.target}${ratio <= rival.target ? "" : " (missed)"}`,
    median(ours.map(({ ms }) => ms)).toFixed(0),
    mb(ours),
    median(ours.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    mb(theirs),
  ];
  return `| ${cells.join(" | ")} |`;
}

async function take(side: "ours" | Rival["side"], task: string): Promise<Measurement> {
  const isOfBatches = task.startsWith("batches-");
  const [command, args] =
    side === "torch"
      ? ([torchPython ?? "python3", [here("batches-torch.py"), task, folder]] as const)
      : side === "numpy"
        ? (["python3", [here(isOfBatches ? "batches-numpy.py" : "numpy-side.py"), task, folder]] as const)
        : ([process.execPath, [programOf(`${isOfBatches ? "batches-" : ""}${side}`), task, folder]] as const);
  const { stdout, stderr } = await run(command, args);
  if (side === "ours") process.stderr.write(stderr);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Measurement;
}

function programOf(name: string): string {
  return programs.get(name) ?? "";
}

/** A Python that can import torch: the one in use, or the system's. Where there is none those rows are left out. */
async function pythonWithTorch(): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    try {
      await run(python, ["-c", "import torch"]);
      return python;
    } catch {
      // Another one may have it.
    }
  }
  return undefined;
}

/** Has the system forget the bytes of files that it keeps in memory. */
async function dropFromCache(names: readonly string[]): Promise<void> {
  const program =
    "import os, sys\nfor path in sys.argv[1:]:\n  fd = os.open(path, os.O_RDONLY)\n  os.fsync(fd)\n  os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)";
  if (names.length > 0) await run("python3", ["-c", program, ...names.map((name) => join(folder, name))]);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

async function writeTable(table: string): Promise<void> {
  const numpy = await run("python3", ["-c", "import numpy, sys; print(sys.version.split()[0], numpy.__version__)"]);
  const [python, version] = numpy.stdout.trim().split(" ");
  const machine = `${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown processor"}`;
  const command = `pnpm bench --rounds ${rounds} --write`;
  const about = `Measured on ${new Date().toISOString().slice(0, 10)} with \`${command}\`: Node ${process.versions.node}, Python ${python}, NumPy ${version}, ${machine}.`;
  const page = join(root, "docs/benchmarks.md");
  const [before] = readFileSync(page, "utf8").split("<!-- table -->");
  writeFileSync(page, `${before}<!-- table -->\n\n${about}\n\n${table}\n`);
}
