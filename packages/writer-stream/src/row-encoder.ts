import {
  type ByteSwap,
  type DTypeLike,
  type ElementType,
  elementType,
  isNpyError,
  NdArray,
  NpyError,
  shapeSize,
  swapRecordsInPlace,
} from "@npystream/codec";
import {
  type ArrayInput,
  arrayOf,
  dtypeError,
  type FlatArray,
  holds,
  isBytes,
  isFlatArray,
  isNdArray,
  nameOf,
  storageOf,
} from "./array-input.ts";
import { cOrderPieces } from "./c-order-pieces.ts";

/** What every row of one array is. */
export interface RowType {
  readonly type: ElementType;
  /** Extents of one row, `[]` where a row is one element. */
  readonly rowShape: readonly number[];
  /** Bytes a row. */
  readonly rowBytes: number;
}

/** Some rows as bytes. */
export interface EncodedRows {
  readonly rows: number;
  /** The rows in C order and the file's byte order: views of what was given, or copies made one at a time. */
  readonly pieces: Iterable<Uint8Array>;
}

/** Bytes of a copy in another byte order; as for other copies, the next is made while the last is being written. */
const SWAP_BYTES = 512 << 10;

/** Turns chunks of rows into bytes, and holds all of them to one element type and one row shape. */
export class RowEncoder {
  #type: ElementType | undefined;
  #rowShape: readonly number[] | undefined;
  #row: RowType | undefined;
  /** Type of the typed arrays that hold rows. */
  #storage: unknown;
  #rowBytes = 0;
  readonly #swaps: readonly ByteSwap[];

  /**
   * Without dtype or row shape the first chunk tells them.
   *
   * @param swaps - Parts of every element that the file has in the other byte order.
   * @throws NpyError `ERR_NPY_DTYPE`, `ERR_NPY_SHAPE`
   */
  constructor(dtype: DTypeLike | undefined, rowShape: readonly number[] | undefined, swaps: readonly ByteSwap[] = []) {
    this.#swaps = swaps;
    this.#type = dtype === undefined ? undefined : elementType(dtype);
    this.#rowShape = rowShape === undefined ? undefined : [...rowShape];
    if (this.#type !== undefined && this.#rowShape !== undefined) this.#settle(this.#type, this.#rowShape);
  }

  /** What a row is, as soon as options or the first chunk have told. */
  get rowType(): RowType | undefined {
    return this.#row;
  }

  /**
   * Gives the entries of whole rows that lie as they are written, without making anything: a typed array, bytes, or the
   * data of an array that is all of it. Everything else takes {@link encode}.
   */
  plain(chunk: unknown): FlatArray | undefined {
    if (this.#swaps.length > 0 || this.#row === undefined) return undefined;
    if (!ArrayBuffer.isView(chunk)) {
      return chunk instanceof NdArray && this.#isPlainArray(chunk) ? chunk.data : undefined;
    }
    // A DataView is of no type here: neither of the data's nor bytes.
    const isPlain = chunk.constructor === this.#storage || chunk instanceof Uint8Array;
    // Of every type of typed array this is one: what is read of it they have in common.
    return isPlain && Number.isInteger(chunk.byteLength / this.#rowBytes) ? (chunk as Uint8Array) : undefined;
  }

  /** Rows of what {@link plain} gives. */
  countPlain({ byteLength }: FlatArray): number {
    return byteLength / this.#rowBytes;
  }

  /**
   * Encodes one chunk.
   *
   * @param index - Which chunk of the stream it is, and of which array, for the message.
   * @throws NpyError `ERR_WRITE_DTYPE`, `ERR_WRITE_SHAPE`, naming the chunk's index.
   */
  encode(chunk: unknown, index: number | string): EncodedRows {
    try {
      const encoded = isFlatArray(chunk) ? this.#encodeFlat(chunk) : this.#encodeArray(chunk);
      if (this.#swaps.length === 0 || this.#type === undefined) return encoded;
      return { rows: encoded.rows, pieces: swappedPieces(encoded.pieces, this.#type.itemSize, this.#swaps) };
    } catch (error) {
      if (!isNpyError(error)) throw error;
      throw new NpyError(error.code, `chunk ${index}: ${error.message}`, { cause: error.cause });
    }
  }

  /** Whether an array is rows, and all of its data in C order. One of rows without bytes is not: its data tell no rows. */
  #isPlainArray({ type, size, data, shape, strides }: NdArray): boolean {
    if (type !== this.#type || size === 0 || size * type.stride !== data.length) return false;
    // isContiguous says the same, and makes arrays on the way that cost more than copying a row of 512 bytes.
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const extent = shape[axis] ?? 1;
      if (extent !== 1 && strides[axis] !== stride) return false;
      stride *= extent;
    }
    return rowsOf(shape, this.#row?.rowShape ?? []) !== undefined;
  }

  #encodeFlat(chunk: FlatArray): EncodedRows {
    // A typed array, which the types of codec list one by one.
    const type = this.#type ?? arrayOf(chunk as unknown as ArrayInput).type;
    // Bytes of whole rows, of whatever type those are; of uint8 and bool the entries are the bytes.
    if (!holds(chunk, type) && !isBytes(chunk)) throw dtypeError(type, nameOf(chunk));
    const { rowBytes, rowShape } = this.#settle(type, []);
    const rows = chunk.byteLength / rowBytes;
    if (rowBytes === 0) {
      throw shapeError(`a row of shape ${show(rowShape)} takes no bytes; an NdArray tells how many rows there are`);
    }
    if (!Number.isInteger(rows)) {
      throw shapeError(
        `${chunk.byteLength} bytes are not a whole number of rows of ${rowBytes} (${type.dtype}, shape ${show(rowShape)})`,
      );
    }
    return { rows, pieces: [new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)] };
  }

  #encodeArray(chunk: unknown): EncodedRows {
    // A list of no rows has no shape to tell.
    if (Array.isArray(chunk) && chunk.length === 0) return { rows: 0, pieces: [] };
    // What is neither an array nor a value is refused by arrayOf.
    const array = arrayOf(chunk as ArrayInput, this.#type);
    const { rowShape } = this.#settle(array.type, array.shape.slice(1));
    const rows = rowsOf(array.shape, rowShape);
    if (rows === undefined) {
      const found = isNdArray(chunk) ? "an array" : "lists";
      throw shapeError(`${found} of shape ${show(array.shape)} are no rows of shape ${show(rowShape)}`);
    }
    return { rows, pieces: cOrderPieces(array) };
  }

  /** What a row is; what options did not say is as this chunk has it. */
  #settle(type: ElementType, rowShape: readonly number[]): RowType {
    this.#row ??= this.#fix(this.#type ?? type, this.#rowShape ?? rowShape);
    return this.#row;
  }

  #fix(type: ElementType, rowShape: readonly number[]): RowType {
    const rowBytes = shapeSize(rowShape, type.itemSize) * type.itemSize;
    this.#type = type;
    this.#storage = storageOf(type);
    this.#rowBytes = rowBytes;
    return { type, rowShape: Object.freeze([...rowShape]), rowBytes };
  }
}

/** Copies pieces of whole elements into the other byte order, a part at a time. */
function* swappedPieces(
  pieces: Iterable<Uint8Array>,
  itemSize: number,
  swaps: readonly ByteSwap[],
): Generator<Uint8Array, void> {
  const step = Math.max(1, Math.floor(SWAP_BYTES / itemSize)) * itemSize;
  for (const piece of pieces) {
    for (let start = 0; start < piece.length; start += step) {
      // A Buffer's slice would be a view.
      const copy = new Uint8Array(piece.subarray(start, start + step));
      swapRecordsInPlace(copy, itemSize, swaps);
      yield copy;
    }
  }
}

/** Counts the rows of an array of a shape, which may also be one row by itself. */
function rowsOf(shape: readonly number[], rowShape: readonly number[]): number | undefined {
  const extra = shape.length - rowShape.length;
  if (extra !== 0 && extra !== 1) return undefined;
  for (let axis = 0; axis < rowShape.length; axis++) if (rowShape[axis] !== shape[axis + extra]) return undefined;
  return extra === 0 ? 1 : shape[0];
}

function shapeError(message: string): NpyError {
  return new NpyError("ERR_WRITE_SHAPE", message);
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
