import type { ArrayRows } from "./array-rows.ts";
import { emptyText, rowText } from "./row-text.ts";
import type { TextOutput } from "./text-output.ts";
import { valueText } from "./value-text.ts";

/**
 * Writes one array as `{"dtype": descr, "shape": [...], "order": "C"|"F", "values": nested}`, without a line end.
 *
 * Values are in C index order whatever the file's order. It streams: memory holds a few chunks.
 */
export async function writeArrayJson(rows: ArrayRows, output: TextOutput): Promise<void> {
  const { handle, shape, size } = rows;
  const { json } = valueText(handle.type);
  const head = { dtype: handle.descr, shape, order: handle.order };
  await output.write(`${JSON.stringify(head).slice(0, -1)},"values":`);
  if (rows.rank === 0) {
    await output.write(json((await rows.read()).get()));
  } else if (size === 0) {
    for (const piece of emptyText(shape)) await output.write(piece);
  } else {
    let before = "[";
    for await (const chunk of rows.chunks()) {
      await output.write(before);
      for (const piece of rowText(chunk, json, { rowSeparator: ",", brackets: true })) await output.write(piece);
      before = ",";
    }
    await output.write("]");
  }
  await output.write("}");
}
