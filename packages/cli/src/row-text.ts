import { type NdArray, type Scalar, shapeSize } from "@npystream/codec";
import { elementReader } from "./element-reader.ts";

/** How rows are laid out as text. */
export interface RowLayout {
  /** Between two rows: `,` inside a JSON list, a line end for one row a line. */
  readonly rowSeparator: string;
  /** Whether the axes of a row are shown as brackets; without them a row is its elements in C order. */
  readonly brackets: boolean;
}

/** Characters of a piece; what is written at once. */
const PIECE_CHARACTERS = 1 << 15;

/**
 * Writes the rows of an array with at least one axis and one element, in pieces, in C index order.
 *
 * Nothing stands before the first row and behind the last.
 */
export function* rowText(
  array: NdArray,
  text: (value: Scalar) => string,
  { rowSeparator, brackets }: RowLayout,
): Generator<string> {
  const { shape, size } = array;
  const element = elementReader(array);
  const rowShape = shape.slice(1);
  const depth = rowShape.length;
  /** Elements of one entry along each axis of a row: `spans[0]` is a row. */
  const spans = rowShape.map((_, axis) => shapeSize(rowShape.slice(axis)));
  const vector = rowShape.at(-1) ?? 1;
  const [open, close] = brackets ? ["[", "]"] : ["", ""];
  let piece = open.repeat(depth);
  for (let start = 0; start < size; start += vector) {
    if (start > 0) {
      let ended = 0;
      while (ended < depth && start % (spans[depth - 1 - ended] ?? 1) === 0) ended++;
      piece += `${close.repeat(ended)}${ended === depth ? rowSeparator : ","}${open.repeat(ended)}`;
    }
    for (let i = start; i < start + vector; i++) {
      if (i > start) piece += ",";
      piece += text(element(i));
      if (piece.length >= PIECE_CHARACTERS) {
        yield piece;
        piece = "";
      }
    }
  }
  yield piece + close.repeat(depth);
}

/** Writes the nested lists of a shape without elements, `[[],[]]` for (2, 0), in pieces of any size. */
export function* emptyText(shape: readonly number[]): Generator<string> {
  const [extent = 0, ...rest] = shape;
  yield "[";
  for (let i = 0; i < extent; i++) {
    if (i > 0) yield ",";
    yield* emptyText(rest);
  }
  yield "]";
}
