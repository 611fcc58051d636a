import type { RowSource } from "./array-rows.ts";
import { recordColumns } from "./record-columns.ts";
import { emptyText, rowText } from "./row-text.ts";
import type { TextOutput } from "./text-output.ts";
import { csvField, valueText } from "./value-text.ts";

/** Writes a row a line as JSON: a value, a list, or nested lists. A 0-d array is one line. */
export async function writeNdjson(rows: RowSource, output: TextOutput): Promise<void> {
  await writeLines(rows, output, "json");
}

/**
 * Writes a row a line as comma-separated values, later axes flattened in C order. Records of one axis have a line of names
 * before them; nothing else has names.
 */
export async function writeCsv(rows: RowSource, output: TextOutput): Promise<void> {
  const { type } = rows;
  if (type.fields !== undefined && rows.rank < 2) {
    await output.write(`${Array.from(recordColumns(type), csvField).join(",")}\n`);
  }
  await writeLines(rows, output, "csv");
}

async function writeLines(rows: RowSource, output: TextOutput, format: "json" | "csv"): Promise<void> {
  const text = valueText(rows.type)[format];
  const brackets = format === "json";
  if (rows.rank === 0) {
    await output.write(`${text((await rows.read()).get())}\n`);
  } else if (rows.size === 0) {
    const [count = 0, ...rowShape] = rows.shape;
    for (let row = 0; row < count; row++) {
      if (brackets) for (const piece of emptyText(rowShape)) await output.write(piece);
      await output.write("\n");
    }
  } else {
    for await (const chunk of rows.chunks()) {
      for (const piece of rowText(chunk, text, { rowSeparator: "\n", brackets })) await output.write(piece);
      await output.write("\n");
    }
  }
}
