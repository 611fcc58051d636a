/**
 * Measures the codec beside Node's own means, npyjs, numpy-ts and NumPy, and prints a table of rates and ratios: our time
 * by theirs, so below 1 we are faster.
 *
 *     node --import=tsx packages/codec/bench/run.ts [--rounds N] [--write] [ID...]
 *
 * Sides take turns in every round, on the same bytes; each gives a checksum of what it made, and a difference ends the
 * run. One round before the others is not counted: it is for the compilers. `--write` puts the table into docs/benchmarks.md.
 * Runs against the built package, as users do.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeCases } from "./cases.ts";
import { type Case, type Taken, take } from "./contender.ts";
import { numpyArchive, startNumpy } from "./numpy-side.ts";
import { loadPeers } from "./peers.ts";
import { formatTable, type Side, tableRow } from "./table.ts";

/** What stands around the table in docs/benchmarks.md. */
const MARKERS = ["<!-- codec table -->", "<!-- codec table end -->"] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "7" }, write: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new RangeError(`--rounds is a whole number from 1, not ${values.rounds}`);
const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

const peers = await loadPeers(path("test/bench/peers"));
const numpy = await startNumpy();
const chosen = makeCases(peers, numpyArchive()).filter(
  ({ id }) => positionals.length === 0 || positionals.some((wanted) => id.startsWith(wanted)),
);
const rows: string[][] = [];
for (const item of chosen) {
  console.error(item.title);
  rows.push(await compare(item));
}
numpy.close();
const table = formatTable(rows);
console.log(table);
if (values.write) writeTable(table);

async function compare(item: Case): Promise<string[]> {
  const { id, repeats, input, node } = item;
  const works = { Node: node?.work, npyjs: item.npyjs, "numpy-ts": item.numpyTs };
  const ours: Taken[] = [];
  const others: Partial<Record<Side, Taken[]>> = {};
  for (let round = 0; round <= rounds; round++) {
    const mine = await take(item.ours, repeats, input);
    const theirs: [Side, Taken][] = [];
    for (const [side, work] of Object.entries(works)) {
      if (work !== undefined) theirs.push([side as Side, await take(work, repeats, input)]);
    }
    if (item.numpy !== false) theirs.push(["NumPy", await numpy.take(id, repeats)]);
    for (const [side, { checksum }] of theirs) {
      const isCopy = side === "Node" && node?.isCopy;
      if (checksum !== mine.checksum && !isCopy) throw new Error(`${id}: ${side} made other bytes than the codec`);
    }
    if (round === 0) continue;
    ours.push(mine);
    for (const [side, taken] of theirs) others[side] = [...(others[side] ?? []), taken];
  }
  return tableRow(item, ours, others);
}

function writeTable(text: string): void {
  const [python, version] = numpy.versions;
  const machine = `${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown processor"}`;
  const command = `node --import=tsx packages/codec/bench/run.ts --rounds ${rounds} --write`;
  const about = `Measured on ${new Date().toISOString().slice(0, 10)} with \`${command}\`: Node ${process.versions.node}, Python ${python}, NumPy ${version}, ${peers.versions}, ${machine}.`;
  const page = path("docs/benchmarks.md");
  const [start, end] = MARKERS;
  const old = readFileSync(page, "utf8");
  const [before, after] = [old.split(start)[0] ?? "", old.split(end)[1]];
  if (after === undefined) throw new Error(`${page} lacks ${start} and ${end}`);
  writeFileSync(page, `${before}${start}\n\n${about}\n\n${text}\n\n${end}${after}`);
}
