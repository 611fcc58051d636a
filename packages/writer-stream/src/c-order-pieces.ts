import { arrayBytes, type NdArray } from "@npystream/codec";

/** Small enough to be gathered, so that the next piece is copied while the last one is being written. */
const PIECE_BYTES = 512 << 10;

/**
 * Gives an array's bytes in C order: one view of all of it where it lies so, else copies of a piece at a time, so that
 * a transposed array costs a piece of memory and not a second array. An array without elements has no pieces.
 *
 * @param pieceBytes - Most bytes of a copy. @defaultValue 512 KiB (524,288)
 */
export function* cOrderPieces(array: NdArray, pieceBytes: number = PIECE_BYTES): Generator<Uint8Array, void> {
  // A view of no elements may begin past the end of its data.
  if (array.size === 0) return;
  if (array.isContiguous || array.byteLength <= pieceBytes) {
    yield arrayBytes(array);
    return;
  }
  const rowsEach = Math.floor((pieceBytes * array.length) / array.byteLength);
  for (let row = 0; row < array.length; row += Math.max(1, rowsEach)) {
    if (rowsEach === 0) yield* cOrderPieces(array.at(row), pieceBytes);
    else yield arrayBytes(array.slice({ start: row, stop: row + rowsEach }));
  }
}
