import {
  type DTypeLike,
  type ElementType,
  elementType,
  isNpyError,
  type NdArray,
  NpyError,
  shapeSize,
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
  /** The rows in C order and the machine's byte order: views of what was given, or copies made one at a time. */
  readonly pieces: Iterable<Uint8Array>;
}

/** Turns chunks of rows into bytes, and holds all of them to one element type and one row shape. */
export class RowEncoder {
  #type: ElementType | undefined;
  #rowShape: readonly number[] | undefined;
  #row: RowType | undefined;
  /** Type of the typed arrays that hold rows. */
  #storage: unknown;
  #rowBytes = 0;

  /** Without dtype or row shape the first chunk tells them. @throws NpyError `ERR_NPY_DTYPE`, `ERR_NPY_SHAPE` */
  constructor(dtype: DTypeLike | undefined, rowShape: readonly number[] | undefined) {
    this.#type = dtype === undefined ? undefined : elementType(dtype);
    this.#rowShape = rowShape === undefined ? undefined : [...rowShape];
    if (this.#type !== undefined && this.#rowShape !== undefined) this.#settle(this.#type, this.#rowShape);
  }

  /** What a row is, as soon as options or the first chunk have told. */
  get rowType(): RowType | undefined {
    return this.#row;
  }

  /**
   * Counts the rows of a typed array, or of bytes, that is whole rows as they are written, without making anything; -1
   * for everything else, which takes {@link encode}.
   */
  countPlain(chunk: unknown): number {
    if (!ArrayBuffer.isView(chunk)) return -1;
    const isPlain = chunk.constructor === this.#storage || (chunk instanceof Uint8Array && this.#row !== undefined);
    const rows = isPlain ? chunk.byteLength / this.#rowBytes : -1;
    return Number.isInteger(rows) ? rows : -1;
  }

  /**
   * Encodes one chunk.
   *
   * @param index - Which chunk of the stream it is, for the message.
   * @throws NpyError `ERR_WRITE_DTYPE`, `ERR_WRITE_SHAPE`, naming the chunk's index.
   */
  encode(chunk: unknown, index: number): EncodedRows {
    try {
      return isFlatArray(chunk) ? this.#encodeFlat(chunk) : this.#encodeArray(chunk);
    } catch (error) {
      if (!isNpyError(error)) throw error;
      throw new NpyError(error.code, `chunk ${index}: ${error.message}`, { cause: error.cause });
    }
  }

  #encodeFlat(chunk: FlatArray): EncodedRows {
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
    const rows = rowsOf(array, rowShape);
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

/** Counts the rows of an array, which may also be one row by itself. */
function rowsOf({ shape }: NdArray, rowShape: readonly number[]): number | undefined {
  const extra = shape.length - rowShape.length;
  if ((extra !== 0 && extra !== 1) || rowShape.some((extent, axis) => extent !== shape[axis + extra])) return undefined;
  return extra === 0 ? 1 : shape[0];
}

function shapeError(message: string): NpyError {
  return new NpyError("ERR_WRITE_SHAPE", message);
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
