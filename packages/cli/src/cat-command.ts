import { ArrayFile } from "./array-file.ts";
import { ArrayRows } from "./array-rows.ts";
import { writeColumns } from "./cat-columns.ts";
import { writeArrayJson } from "./cat-json.ts";
import { writeCsv, writeNdjson } from "./cat-lines.ts";
import { writeTerminal } from "./cat-terminal.ts";
import { type CommandIo, textStyle } from "./command-io.ts";
import type { FileReference } from "./file-reference.ts";
import { printable } from "./printable-text.ts";
import type { RowRange } from "./row-range.ts";
import type { TextOutput } from "./text-output.ts";
import { UsageError } from "./usage-error.ts";

/** What `npystream cat` was asked for; at most one of the formats. */
export interface CatOptions {
  /** Rows of the array, or of each array. @defaultValue all */
  readonly rows?: RowRange;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly ndjson?: boolean;
}

/** Characters a line of a terminal that does not say how wide it is. */
const DEFAULT_COLUMNS = 80;

/**
 * Prints the values of an array, or of all arrays of an archive.
 *
 * @throws NpyError and system errors where the file is bad, {@link UsageError} where the options do not fit it.
 */
export async function cat(
  { path, member }: FileReference,
  options: CatOptions,
  io: CommandIo,
  output: TextOutput,
): Promise<void> {
  await using file = await ArrayFile.open(path, io.stdin);
  const isWhole = file.kind === "npz" && member === undefined;
  if (isWhole && options.json) {
    await catArchiveJson(file, options.rows, output);
    return;
  }
  const title = printable(member ?? path);
  if (!isWhole) {
    await catArray(file, member, title, options, io, output);
    return;
  }
  const [first] = file.arrays;
  if (first !== undefined && file.arrays.length > 1 && (options.csv || options.ndjson)) {
    const names = file.arrays.map(({ name }) => name).join(", ");
    throw new UsageError(
      `${path} holds ${file.arrays.length} arrays (${names}): name one of them, as ${path}#${first.name}`,
    );
  }
  for (const { name, stored } of file.arrays) {
    if (stored !== first?.stored) await output.write("\n");
    if (file.arrays.length > 1 && !io.stdout.isTTY) await output.write(`${printable(name)}:\n`);
    await catArray(file, stored, printable(name), options, io, output);
  }
}

async function catArray(
  file: ArrayFile,
  member: string | undefined,
  title: string,
  options: CatOptions,
  io: CommandIo,
  output: TextOutput,
): Promise<void> {
  await using handle = await file.openNpy(member);
  const rows = new ArrayRows(handle, options.rows);
  if (options.json) {
    await writeArrayJson(rows, output);
    await output.write("\n");
  } else if (options.csv) {
    await writeCsv(rows, output);
  } else if (options.ndjson) {
    await writeNdjson(rows, output);
  } else if (io.stdout.isTTY) {
    // A terminal that does not know its width says 0.
    const columns = io.stdout.columns || DEFAULT_COLUMNS;
    await writeTerminal(rows, output, { title, columns, bold: textStyle(io).bold });
  } else {
    await writeColumns(rows, output);
  }
}

async function catArchiveJson(file: ArrayFile, range: RowRange | undefined, output: TextOutput): Promise<void> {
  // Headers first, so that a member that cannot be read leaves no half document.
  for (const { stored } of file.arrays) {
    await using handle = await file.openNpy(stored);
    new ArrayRows(handle, range);
  }
  await output.write("{");
  for (const [index, { name, stored }] of file.arrays.entries()) {
    await using handle = await file.openNpy(stored);
    const rows = new ArrayRows(handle, range);
    await output.write(`${index > 0 ? "," : ""}${JSON.stringify(name)}:`);
    await writeArrayJson(rows, output);
  }
  await output.write("}\n");
}
