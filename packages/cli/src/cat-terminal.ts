import type { NdArray, Nested, Scalar } from "@npystream/codec";
import type { ArrayRows } from "./array-rows.ts";
import { humanBytes } from "./byte-size.ts";
import { writeColumns } from "./cat-columns.ts";
import { EDGE_ITEMS, SUMMARY_SIZE } from "./element-format.ts";
import { formatNumpy } from "./numpy-text.ts";
import { shapeText } from "./shape-text.ts";
import type { TextOutput } from "./text-output.ts";

/** What the summary line and the width depend on. */
export interface TerminalOptions {
  /** What the array is called: the file, or the member. */
  readonly title: string;
  /** Characters a line. */
  readonly columns: number;
  /** Makes the title stand out. */
  readonly bold: (text: string) => string;
}

/**
 * Writes a summary line and the values as NumPy prints them: past 1000 values only the first and last three of each
 * axis, and no more than those rows are read.
 */
export async function writeTerminal(rows: ArrayRows, output: TextOutput, options: TerminalOptions): Promise<void> {
  const { handle, shape, size } = rows;
  const { title, columns, bold } = options;
  const bytes = humanBytes(size * handle.itemSize);
  await output.write(`${bold(title)}: ${handle.dtype}, shape ${shapeText(shape)}, order ${handle.order}, ${bytes}\n`);
  if (rows.rank === 0) {
    await writeColumns(rows, output);
    return;
  }
  const values = size === 0 ? [] : size > SUMMARY_SIZE ? await readEdges(rows) : (await rows.read()).toNested();
  await output.write(`${formatNumpy({ type: handle.type, shape, values, columns })}\n`);
}

async function readEdges(rows: ArrayRows): Promise<Nested<Scalar>> {
  const count = rows.shape[0] ?? 0;
  if (count <= 2 * EDGE_ITEMS) return edges(await rows.read());
  const head = await rows.rows(0, EDGE_ITEMS);
  const tail = await rows.rows(count - EDGE_ITEMS, count);
  return [...head, ...tail].map(edges);
}

/** Nested lists of the values at both ends of each axis. */
function edges(array: NdArray): Nested<Scalar> {
  // A single element is never a list, which the type of all dtypes together does not say.
  if (array.rank === 0) return array.get() as Scalar;
  const last = array.length - EDGE_ITEMS;
  const whole = array.length <= 2 * EDGE_ITEMS;
  const kept = Array.from({ length: whole ? array.length : 2 * EDGE_ITEMS }, (_, i) =>
    whole || i < EDGE_ITEMS ? i : last + i - EDGE_ITEMS,
  );
  return kept.map((index) => edges(array.at(index)));
}
