import type { ArrayRows } from "./array-rows.ts";
import { elementReader } from "./element-reader.ts";
import type { TextOutput } from "./text-output.ts";
import { type ValueText, valueText } from "./value-text.ts";

/** Values that are aligned together, and written at once. */
const BLOCK_ELEMENTS = 1 << 14;

/**
 * Writes every value in columns: a line for each run of the last axis, an empty line between the planes of an array of
 * three axes (two between those of four), a value a line for one axis. A record has a column for each of its fields.
 *
 * Columns are right-aligned within blocks of 16,384 values, so that the first lines of a large file appear at once; a
 * later block makes a column wider where it has to.
 */
export async function writeColumns(rows: ArrayRows, output: TextOutput): Promise<void> {
  const text = valueText(rows.handle.type);
  if (rows.rank === 0) {
    const words: string[] = [];
    text.words((await rows.read()).get(), words);
    await output.write(`${words.join(" ")}\n`);
    return;
  }
  if (rows.size === 0) return;
  const table = new Table(rows.shape, text);
  for await (const chunk of rows.chunks()) {
    const element = elementReader(chunk);
    const step = table.lineElements * Math.max(1, Math.floor(BLOCK_ELEMENTS / table.lineElements));
    for (let start = 0; start < chunk.size; start += step) {
      await output.write(table.block(element, start, Math.min(chunk.size, start + step)));
    }
  }
}

/** Lines of aligned words; it remembers how wide each column has become and where it is in the array. */
class Table {
  /** Elements a line. */
  readonly lineElements: number;
  readonly #text: ValueText;
  /** Lines of a plane, of a cube and so on: an empty line goes before each multiple. */
  readonly #planeLines: readonly number[];
  #widths: number[] = [];
  #line = 0;

  constructor(shape: readonly number[], text: ValueText) {
    this.#text = text;
    this.lineElements = shape.length === 1 ? 1 : (shape.at(-1) ?? 1);
    const planes: number[] = [];
    for (let axis = shape.length - 2; axis > 0; axis--) planes.push((planes.at(-1) ?? 1) * (shape[axis] ?? 1));
    this.#planeLines = planes;
  }

  /** Words whole lines of the elements from `start` to before `stop`. */
  block(element: (index: number) => Parameters<ValueText["words"]>[0], start: number, stop: number): string {
    const words: string[] = [];
    for (let i = start; i < stop; i++) this.#text.words(element(i), words);
    const lines = (stop - start) / this.lineElements;
    const columns = words.length / lines;
    const widths = Array.from({ length: columns }, (_, column) => this.#widths[column] ?? 0);
    for (let i = 0; i < words.length; i++) {
      const column = i % columns;
      widths[column] = Math.max(widths[column] ?? 0, words[i]?.length ?? 0);
    }
    this.#widths = widths;
    let block = "";
    for (let line = 0; line < lines; line++, this.#line++) {
      if (this.#line > 0) for (const each of this.#planeLines) if (this.#line % each === 0) block += "\n";
      for (let column = 0; column < columns; column++) {
        if (column > 0) block += " ";
        block += (words[line * columns + column] ?? "").padStart(widths[column] ?? 0);
      }
      block += "\n";
    }
    return block;
  }
}
