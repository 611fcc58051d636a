import { dtypeInfo } from "@npystream/codec";
import { type ArrayHandle, type FieldStats, openDataset } from "@npystream/reader-stream";
import { ArrayFile } from "./array-file.ts";
import { type CommandIo, textStyle } from "./command-io.ts";
import type { FileReference } from "./file-reference.ts";
import { Histograms } from "./histogram.ts";
import { printable } from "./printable-text.ts";
import { shapeText } from "./shape-text.ts";
import { formatStats } from "./stats-table.ts";
import type { TextOutput } from "./text-output.ts";
import { UsageError } from "./usage-error.ts";

/** What `npystream stats` was asked for. */
export interface StatsOptions {
  /** What a column is: each element of a row, or each entry of the last axis. */
  readonly columns: "element" | "last-axis";
  /** Whether the values are counted for a histogram, which reads them again. @defaultValue on a terminal */
  readonly histogram?: boolean;
  /** One JSON document a line and array. */
  readonly json?: boolean;
}

/**
 * Prints count, mean, standard deviation, smallest and largest value of each column of an array, or of each array of an
 * archive, read once.
 *
 * @param onFailure - Told of each member that has no stats; the others are printed.
 * @throws NpyError and system errors where the file is bad, {@link UsageError} where an array has no columns of numbers.
 */
export async function stats(
  { path, member }: FileReference,
  options: StatsOptions,
  io: CommandIo,
  output: TextOutput,
  onFailure: (error: unknown, member: string) => Promise<void>,
): Promise<void> {
  await using file = await ArrayFile.open(path, io.stdin);
  const print = async (named: string | undefined, stored = named): Promise<void> => {
    await using handle = await file.openNpy(stored);
    await arrayStats(handle, { path, ...(named === undefined ? {} : { member: named }) }, options, io, output);
  };
  if (file.kind === "npy" || member !== undefined) {
    await print(member);
    return;
  }
  for (const [index, { name, stored }] of file.arrays.entries()) {
    if (index > 0 && options.json !== true) await output.write("\n");
    await print(name, stored).catch((error: unknown) => onFailure(error, name));
  }
}

async function arrayStats(
  handle: ArrayHandle,
  place: FileReference,
  options: StatsOptions,
  io: CommandIo,
  output: TextOutput,
): Promise<void> {
  const { dtype, shape } = handle;
  const title = place.member === undefined ? place.path : `${place.path}#${place.member}`;
  if (shape.length === 0) throw new UsageError(`${title} is 0-d: it has no rows, and so no columns`);
  if (!"biuf".includes(dtypeInfo(dtype).kind)) {
    throw new UsageError(`${title} holds ${dtype}, and stats are of real numbers`);
  }
  await using dataset = await openDataset({ values: handle });
  const found = await dataset.stats("values", { columns: options.columns });
  if (options.json === true) {
    const { count, mean, std, min, max, nonFinite } = found;
    await output.write(`${JSON.stringify({ ...place, dtype, shape, count, mean, std, min, max, nonFinite })}\n`);
    return;
  }
  const style = textStyle(io);
  await output.write(`${style.bold(printable(title))}: ${dtype}, shape ${shapeText(shape)}\n`);
  const isDrawn = options.histogram ?? io.stdout.isTTY === true;
  const bars = isDrawn ? await countValues(handle, found) : undefined;
  await output.write(formatStats(found, { columnShape: columnShape(shape, options.columns), bars, bold: style.bold }));
}

async function countValues(handle: ArrayHandle, found: FieldStats): Promise<Histograms> {
  const histograms = new Histograms(found);
  for await (const chunk of handle.stream()) histograms.add(chunk);
  return histograms;
}

function columnShape(shape: readonly number[], columns: StatsOptions["columns"]): readonly number[] {
  return columns === "element" ? shape.slice(1) : shape.slice(1).slice(-1);
}
