import type { FieldStats } from "@npystream/reader-stream";
import type { Histograms } from "./histogram.ts";

/** How a table of stats looks. */
export interface StatsTableOptions {
  /** Extents of the axes that a column is an index of. */
  readonly columnShape: readonly number[];
  /** Histograms, where they are drawn. */
  readonly bars: Histograms | undefined;
  /** Makes the headings stand out. */
  readonly bold: (text: string) => string;
}

const HEADINGS = ["column", "count", "mean", "std", "min", "max", "nan/inf"];
/** Columns past which only the first and the last are listed in a table with histograms, which is one to look at. */
const MOST_DRAWN = 100;
const EDGE_DRAWN = 20;
const DIGITS = 6;

/** Words stats as aligned lines, one a column. */
export function formatStats(stats: FieldStats, { columnShape, bars, bold }: StatsTableOptions): string {
  const columns = stats.count.length;
  const isCut = bars !== undefined && columns > MOST_DRAWN;
  const listed = Array.from({ length: columns }, (_, column) => column).filter(
    (column) => !isCut || column < EDGE_DRAWN || column >= columns - EDGE_DRAWN,
  );
  const rows = listed.map((column) => rowOf(stats, column, columnShape));
  const widths = HEADINGS.map((heading, at) =>
    rows.reduce((most, row) => Math.max(most, row[at]?.length ?? 0), heading.length),
  );
  const line = (row: readonly string[]): string => row.map((text, at) => text.padStart(widths[at] ?? 0)).join("  ");
  const lines = rows.map((row, at) => `${line(row)}${bars === undefined ? "" : `  ${bars.draw(listed[at] ?? 0)}`}`);
  if (isCut) lines.splice(EDGE_DRAWN, 0, `${"...".padStart(widths[0] ?? 0)}`);
  return [bold(line(HEADINGS)), ...lines].map((text) => `${text.trimEnd()}\n`).join("");
}

function rowOf(stats: FieldStats, column: number, columnShape: readonly number[]): string[] {
  const { count, mean, std, min, max, nonFinite } = stats;
  const hasValues = (count[column] ?? 0) > 0;
  const number = (value: number | null | undefined): string => (hasValues && value != null ? numberText(value) : "-");
  return [
    indexText(column, columnShape),
    String(count[column]),
    number(mean[column]),
    number(std[column]),
    number(min[column]),
    number(max[column]),
    String(nonFinite[column]),
  ];
}

/** The index behind the row's, as `3` or `3,0`. */
function indexText(column: number, shape: readonly number[]): string {
  if (shape.length === 0) return "-";
  let rest = column;
  const index = shape.toReversed().map((extent) => {
    const at = rest % extent;
    rest = Math.floor(rest / extent);
    return at;
  });
  return index.reverse().join(",");
}

function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : String(Number(value.toPrecision(DIGITS)));
}
