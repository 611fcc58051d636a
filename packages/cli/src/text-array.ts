import { createReadStream } from "node:fs";
import { createData, type ElementType, NdArray, setScalar } from "@npystream/codec";
import { csvError, csvRows, type TextRow } from "./csv-lines.ts";
import type { RowRange } from "./row-range.ts";
import { decodeUtf8, textLines } from "./utf8-text.ts";
import { type ValueParser, valueParser } from "./value-parser.ts";

/** Formats of text that are read. */
export type TextFormat = "csv" | "ndjson";

/** Values that are gathered to a chunk, of a row at least. */
const CHUNK_VALUES = 1 << 16;

/**
 * The rows of a text file as an array's: of CSV a line a row, of NDJSON a value, list or nested lists a line. One field
 * a line is an array of one axis.
 */
export class TextArray {
  readonly type: ElementType;
  readonly #path: string;
  readonly #format: TextFormat;
  readonly #range: RowRange;
  readonly #parser: ValueParser;
  /** Shape of every row, as the first has it. */
  #rowShape: readonly number[] | undefined;

  /** @throws UsageError for a type that is not read from text. */
  constructor(path: string, format: TextFormat, type: ElementType, range: RowRange = {}) {
    this.type = type;
    this.#path = path;
    this.#format = format;
    this.#range = range;
    this.#parser = valueParser(type);
  }

  /**
   * Gives the rows in chunks; memory does not grow with their number.
   *
   * @throws NpyError `ERR_TEXT_PARSE` for a line that is no row like the first; the system's errors.
   */
  async *chunks(): AsyncGenerator<NdArray> {
    const { start, stop } = await this.#bounds();
    let values: unknown[] = [];
    let rows: number[] = [];
    let index = 0;
    for await (const { line, value } of this.#lines()) {
      if (index >= stop) break;
      // Lines before the first are not looked into: names of columns may stand there.
      if (index++ < start) continue;
      this.#collect(value, line, values);
      rows.push(line);
      if (values.length < CHUNK_VALUES) continue;
      yield this.#chunk(values, rows);
      [values, rows] = [[], []];
    }
    if (rows.length > 0) yield this.#chunk(values, rows);
  }

  /** Rows asked for; bounds that count from the end take a reading of their own. */
  async #bounds(): Promise<{ readonly start: number; readonly stop: number }> {
    const { start = 0, stop = Number.POSITIVE_INFINITY } = this.#range;
    if (start >= 0 && stop >= 0) return { start, stop };
    let count = 0;
    for await (const _ of this.#lines()) count++;
    const fromEnd = (bound: number): number => Math.max(0, bound < 0 ? count + bound : bound);
    return { start: fromEnd(start), stop: fromEnd(stop) };
  }

  async *#lines(): AsyncGenerator<TextRow<unknown>> {
    const stream = createReadStream(this.#path, { highWaterMark: 1 << 18 });
    try {
      yield* this.#format === "csv" ? csvRows(decodeUtf8(stream)) : jsonLines(textLines(decodeUtf8(stream)));
    } finally {
      stream.destroy();
    }
  }

  #collect(row: unknown, line: number, into: unknown[]): void {
    const before = into.length;
    try {
      const shape = this.#format === "csv" ? this.#collectFields(row as string[], into) : this.#collectJson(row, into);
      this.#rowShape ??= shape;
      if (shape.join() === this.#rowShape.join()) return;
      throw new RangeError(`a row of shape [${shape.join(", ")}] where the first has [${this.#rowShape.join(", ")}]`);
    } catch (error) {
      into.length = before;
      throw csvError(line, error instanceof Error ? error.message : String(error));
    }
  }

  #collectFields(fields: readonly string[], into: unknown[]): readonly number[] {
    for (const field of fields) into.push(this.#parser.text(field));
    return fields.length === 1 ? [] : [fields.length];
  }

  #collectJson(value: unknown, into: unknown[]): readonly number[] {
    const isPair = this.#parser.isPair && Array.isArray(value) && !Array.isArray(value[0]) && value.length === 2;
    if (!Array.isArray(value) || isPair) {
      into.push(this.#parser.json(value));
      return [];
    }
    let inner: readonly number[] | undefined;
    for (const entry of value) {
      const shape = this.#collectJson(entry, into);
      if (inner !== undefined && shape.join() !== inner.join())
        throw new RangeError("lists of one depth differ in length");
      inner ??= shape;
    }
    return [value.length, ...(inner ?? [])];
  }

  #chunk(values: readonly unknown[], rows: readonly number[]): NdArray {
    const data = createData(this.type, values.length);
    for (const [index, value] of values.entries()) {
      try {
        setScalar(this.type, data, index, value);
      } catch (error) {
        const line = rows[Math.floor((index * rows.length) / values.length)] ?? 0;
        throw csvError(line, error instanceof Error ? error.message : String(error));
      }
    }
    return new NdArray({ dtype: this.type, shape: [rows.length, ...(this.#rowShape ?? [])], data });
  }
}

async function* jsonLines(lines: AsyncIterable<string>): AsyncGenerator<TextRow<unknown>> {
  let line = 0;
  for await (const text of lines) {
    line++;
    const trimmed = text.trim();
    if (trimmed === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(trimmed);
    } catch (error) {
      throw csvError(line, `this is no JSON: ${error instanceof Error ? error.message : error}`, error);
    }
    yield { line, value };
  }
}
