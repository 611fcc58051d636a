import { type ElementType, type Nested, type Scalar, shapeSize } from "@npystream/codec";
import { EDGE_ITEMS, elementFormat, SUMMARY_SIZE } from "./element-format.ts";

/** An array to be printed as NumPy prints it. */
export interface NumpyTextInput {
  readonly type: ElementType;
  /** Shape of the whole array, with at least one axis. */
  readonly shape: readonly number[];
  /** The values; past {@link SUMMARY_SIZE} only those at the edges of each axis. */
  readonly values: Nested<Scalar>;
  /** Characters a line: NumPy's `linewidth`. */
  readonly columns: number;
}

/**
 * Writes an array as NumPy's `str()` does with its default print options: brackets, aligned values, and an ellipsis
 * where values are left out (`numpy/_core/arrayprint.py`, `_formatArray`).
 */
export function formatNumpy({ type, shape, values, columns }: NumpyTextInput): string {
  const size = shapeSize(shape);
  if (size === 0) return "[]";
  const summarised = size > SUMMARY_SIZE;
  const format = elementFormat(type, leavesOf(values));
  const write = (entries: Nested<Scalar>, axis: number, indent: string, width: number): string => {
    if (!Array.isArray(entries)) return format(entries);
    const words: string[] = entries.map((entry) => write(entry, axis + 1, `${indent} `, width - 1));
    if (summarised && (shape[axis] ?? 0) > 2 * EDGE_ITEMS) words.splice(EDGE_ITEMS, 0, "...");
    const axesLeft = shape.length - axis;
    const body = axesLeft === 1 ? wrap(words, indent, width - 1) : words.join(`${"\n".repeat(axesLeft - 1)}${indent}`);
    return `[${body}]`;
  };
  return write(values, 0, " ", columns);
}

/** Joins words with spaces, going to a new line before one that would pass `width`. */
function wrap(words: readonly string[], indent: string, width: number): string {
  const lines: string[] = [];
  let line = indent;
  for (const [i, word] of words.entries()) {
    if (line.length + word.length > width && line.length > indent.length) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += i < words.length - 1 ? `${word} ` : word;
  }
  lines.push(line);
  return lines.join("\n").slice(indent.length);
}

function leavesOf(values: Nested<Scalar>): Scalar[] {
  return Array.isArray(values) ? values.flatMap(leavesOf) : [values];
}
