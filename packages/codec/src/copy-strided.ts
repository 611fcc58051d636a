import type { DType, DTypeMap, TypedArray } from "./dtype.ts";
import type { ElementType } from "./element-type.ts";

/** A strided array, as far as copying needs it. */
export interface StridedArray<D extends DType> {
  /** What one element is. */
  readonly type: ElementType<D>;
  /** Extent of each axis. */
  readonly shape: readonly number[];
  /** Distance in elements from one index of each axis to the next. */
  readonly strides: readonly number[];
  /** Position in elements of index 0. */
  readonly offset: number;
  /** The elements. */
  readonly data: DTypeMap[D];
  /** Number of elements. */
  readonly size: number;
}

/** Edge of the square tiles in which the last two axes are copied; 32 x 32 float64 on both sides fit a 32 KiB cache. */
const TILE = 32;

/** Copies the elements of `source` in C order into `target`, which has room for them. */
export function copyToC<D extends DType>(source: StridedArray<D>, target: DTypeMap[D]): void {
  const { shape, strides, size } = source;
  if (size === 0 || source.type.itemSize === 0) return;
  const entries = source.type.stride;
  const columns = shape.at(-1) ?? 1;
  const columnStride = (strides.at(-1) ?? 1) * entries;
  const rows = shape.length < 2 ? 1 : (shape.at(-2) ?? 1);
  const rowStride = (shape.length < 2 ? 0 : (strides.at(-2) ?? 0)) * entries;
  const planes = size / (rows * columns);
  const outer = shape.slice(0, -2);
  const index = new Array<number>(outer.length).fill(0);
  // Numbers and bigints are copied alike; one element type at a time, so the cast only joins the two.
  const from = entriesOf(source.data) as { [index: number]: number };
  const to = entriesOf(target) as { [index: number]: number };
  let base = source.offset * entries;
  for (let plane = 0; plane < planes; plane++) {
    const start = plane * rows * columns * entries;
    for (let rowTile = 0; rowTile < rows; rowTile += TILE) {
      const rowEnd = Math.min(rows, rowTile + TILE);
      for (let columnTile = 0; columnTile < columns; columnTile += TILE) {
        const columnEnd = Math.min(columns, columnTile + TILE);
        for (let row = rowTile; row < rowEnd; row++) {
          let read = base + row * rowStride + columnTile * columnStride;
          let write = start + (row * columns + columnTile) * entries;
          for (let column = columnTile; column < columnEnd; column++, read += columnStride) {
            for (let entry = 0; entry < entries; entry++) to[write++] = from[read + entry] as number;
          }
        }
      }
    }
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const stride = (strides[axis] ?? 0) * entries;
      const next = (index[axis] ?? 0) + 1;
      base += stride;
      if (next < (outer[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      base -= stride * next;
      index[axis] = 0;
    }
  }
}

/**
 * Half and single floats as their bits. Each is a double on its way from one array to the other, which sets a bit in NaNs
 * that have a message (seen in V8 of Node 20 and 24); doubles are moved as they are.
 */
function entriesOf(data: TypedArray): TypedArray {
  const { buffer, byteOffset, length } = data;
  if (data instanceof Float32Array) return new Int32Array(buffer, byteOffset, length);
  return data.BYTES_PER_ELEMENT === 2 ? new Uint16Array(buffer, byteOffset, length) : data;
}
