import {
  type ByteReadOptions,
  type CastElements,
  type DTypeLike,
  type ElementType,
  elementCaster,
  elementType,
  viewData,
} from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import type { RowReader } from "./row-reader.ts";

/** Bytes read before they are cast: they are still in the cache of a core then. */
const PIECE_BYTES = 1 << 20;
/** The same of a Fortran array, where every piece is a read a column. */
const COLUMNS_PIECE_BYTES = 8 << 20;

/**
 * Reads rows as elements of another type: cast piece by piece as they are read, with the meaning of `NdArray.astype`.
 *
 * @returns The reader itself where it is of that type already.
 * @throws TypeError where there is no such cast; NpyError `ERR_NPY_DTYPE` for no dtype.
 */
export function castRows(rows: RowReader, as: DTypeLike | undefined): RowReader {
  const to = as === undefined ? rows.type : targetType(rows.type, as);
  if (to === rows.type) return rows;
  // Elements that are only read anew, such as bfloat16 that NumPy has as void, keep their bytes.
  return isReadAnew(rows.type, to) ? new RetypedRows(rows, to) : new CastRows(rows, to);
}

/** Works out the type that rows are read as: their own where it is the same. */
export function targetType(from: ElementType, as: DTypeLike): ElementType {
  const to = elementType(as);
  return to.dtype === from.dtype && JSON.stringify(to.descr) === JSON.stringify(from.descr) ? from : to;
}

/** Whether one type's bytes are the other's: bfloat16, which NumPy has no dtype for and writes as `V2` or `u2`. */
export function isReadAnew(from: ElementType, to: ElementType): boolean {
  return to.dtype === "bfloat16" && from.itemSize === 2 && (from.dtype === "void" || from.dtype === "uint16");
}

/** Makes what casts elements in `bytes` into those in `into`. */
export function bytesCaster(from: ElementType, bytes: Uint8Array, to: ElementType, into: Uint8Array): CastElements {
  return elementCaster(from, viewData(from, bytes), to, viewData(to, into));
}

class RetypedRows implements RowReader {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly length: number;
  readonly rowBytes: number;
  protected readonly rows: RowReader;

  constructor(rows: RowReader, type: ElementType) {
    this.rows = rows;
    this.type = type;
    this.shape = rows.shape;
    this.length = rows.length;
    this.rowBytes = (rows.rowBytes / rows.type.itemSize) * type.itemSize;
  }

  get isRowMajor(): boolean {
    return this.rows.isRowMajor;
  }

  get isSequential(): boolean {
    return this.rows.isSequential;
  }

  readRows(into: Uint8Array, start: number, options?: ByteReadOptions): Promise<void> {
    return this.rows.readRows(into, start, options);
  }

  fork(): RowReader {
    return new RetypedRows(this.rows.fork(), this.type);
  }

  release(): Promise<void> {
    return this.rows.release();
  }
}

class CastRows extends RetypedRows {
  constructor(rows: RowReader, type: ElementType) {
    super(rows, type);
    // Refuses at once what could only fail later.
    elementCaster(rows.type, viewData(rows.type, new Uint8Array(0)), type, viewData(type, new Uint8Array(0)));
  }

  override async readRows(into: Uint8Array, start: number, options?: ByteReadOptions): Promise<void> {
    if (into.length === 0) return;
    const { rows, type, rowBytes } = this;
    const total = into.length / rowBytes;
    const pieceBytes = rows.isRowMajor ? PIECE_BYTES : COLUMNS_PIECE_BYTES;
    const perPiece = Math.max(1, Math.floor(pieceBytes / rows.rowBytes));
    const bytes = allocateBytes(Math.min(total, perPiece) * rows.rowBytes);
    const cast = bytesCaster(rows.type, bytes, type, into);
    const rowSize = rowBytes / type.itemSize;
    for (let row = 0; row < total; row += perPiece) {
      const count = Math.min(perPiece, total - row);
      await rows.readRows(bytes.subarray(0, count * rows.rowBytes), start + row, options);
      cast(0, row * rowSize, count * rowSize);
    }
  }

  override fork(): RowReader {
    return new CastRows(this.rows.fork(), this.type);
  }
}
