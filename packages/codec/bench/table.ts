import { type Case, median, type Taken } from "./contender.ts";

/** What a side measured, turn by turn; `undefined` where it takes no part. */
export type Turns = readonly Taken[] | undefined;

/** The columns behind the work and our own rate. */
export const SIDES = ["Node", "npyjs", "numpy-ts", "NumPy"] as const;

/** Name of a column. */
export type Side = (typeof SIDES)[number];

/** Gives a row: the work, our rate, and each other side's with the median ratio of our time to its time. */
export function tableRow(item: Case, ours: readonly Taken[], others: Readonly<Partial<Record<Side, Turns>>>): string[] {
  const cells = SIDES.map((side) => {
    const turns = others[side];
    if (turns === undefined) return "-";
    const ratio = median(ours.map(({ ms }, round) => ms / (turns[round]?.ms ?? Number.NaN)));
    const label = side === "Node" ? `${item.node?.label ?? ""} ` : "";
    return `${label}${rate(item, turns)} (${ratio.toFixed(ratio < 0.1 ? 3 : 2)})`;
  });
  return [item.title, rate(item, ours), ...cells];
}

/** Lays rows out as a Markdown table whose columns are aligned. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const all = [["work", "codec", ...SIDES], ...rows];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = all;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...body.map(line)].join("\n");
}

function rate({ unit, amount, input }: Case, turns: readonly Taken[]): string {
  const aSecond = (1e3 * amount) / median(turns.map(({ ms }) => ms));
  const isView = turns[0]?.isView;
  const what = input === undefined || isView === undefined ? "" : isView ? ", a view" : ", a copy";
  if (unit === "bytes") return `${digits(aSecond / 1e9)} GB/s`;
  if (unit === "arrays") return `${aSecond >= 1e4 ? `${digits(aSecond / 1e3)} k` : digits(aSecond)}/s${what}`;
  return `${digits(aSecond / 1e6)} M/s`;
}

/** Three digits that count. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
