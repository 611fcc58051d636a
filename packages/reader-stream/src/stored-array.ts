import {
  type ByteReadOptions,
  type ByteSource,
  copyToC,
  type DType,
  type LimitOptions,
  NdArray,
  NPY_PREFIX_BYTES,
  NpyError,
  type NpyHeader,
  npyDataOffset,
  parseNpyHeader,
  shapeSize,
  stridesOf,
  swapRecordsInPlace,
  viewData,
} from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";

/** Enough for nearly every header, and one page of most file systems. */
const FIRST_READ_BYTES = 4096;
/** Largest buffer in which columns of a Fortran array are read together. */
const SPAN_BYTES = 8 << 20;
/** Columns are read together, with what lies between them, up to this many times the bytes asked for. */
const MAX_AMPLIFICATION = 4;
/** Or up to this many bytes between them: a read of its own takes as long as copying them does. */
const MAX_GAP_BYTES = 64 << 10;

/** One array as it lies in one source: its header, and rows read from it in C order and the machine's byte order. */
export class StoredArray<D extends DType = DType> {
  readonly header: NpyHeader<D>;
  readonly source: ByteSource;
  /** Number of rows; a 0-d array is one. */
  readonly length: number;
  /** Bytes a row. */
  readonly rowBytes: number;

  private constructor(header: NpyHeader<D>, source: ByteSource) {
    this.header = header;
    this.source = source;
    this.length = header.shape[0] ?? 1;
    this.rowBytes = shapeSize(header.shape.slice(1), header.itemSize) * header.itemSize;
  }

  /**
   * Reads the header at the start of `source` and checks that the data it declares is there.
   *
   * @throws NpyError those of `parseNpyHeader`; `ERR_NPY_TRUNCATED` where the source is shorter than declared.
   */
  static async open(source: ByteSource, options: LimitOptions & ByteReadOptions = {}): Promise<StoredArray> {
    const header = await readHeader(source, options);
    const found = source.byteLength - header.dataOffset;
    if (found < header.byteLength) {
      throw new NpyError(
        "ERR_NPY_TRUNCATED",
        `the header declares ${header.byteLength} bytes of data and ${found} are there`,
        { offset: source.byteLength },
      );
    }
    return new StoredArray(header, source);
  }

  /**
   * Reads the whole array in the order of its file.
   *
   * @param into - The data's number of bytes, kept by the result.
   */
  async readAll(into: Uint8Array, options?: ByteReadOptions): Promise<NdArray<D>> {
    const { type, shape, order, dataOffset } = this.header;
    if (into.length > 0) await this.source.read(into, dataOffset, options);
    this.#toNative(into);
    return new NdArray({ dtype: type, shape, strides: stridesOf(shape, order), data: viewData(type, into) });
  }

  /** The same array read through another source. */
  withSource(wrap: (source: ByteSource) => ByteSource): StoredArray<D> {
    return new StoredArray(this.header, wrap(this.source));
  }

  /** Whether rows are consecutive bytes in the source. */
  get isRowMajor(): boolean {
    return this.header.order === "C" || this.header.shape.length < 2;
  }

  /**
   * Fills `into` with the rows from `start` on, in C order and the machine's byte order.
   *
   * @param into - A whole number of rows.
   */
  async readRows(into: Uint8Array, start: number, options?: ByteReadOptions): Promise<void> {
    if (into.length === 0) return;
    const { header, source, rowBytes } = this;
    if (this.isRowMajor) {
      await source.read(into, header.dataOffset + start * rowBytes, options);
      this.#toNative(into);
      return;
    }
    const { type, shape } = header;
    const rows = into.length / rowBytes;
    // The same rows as a Fortran array of their own: their columns one behind the other.
    const columns = allocateBytes(into.length);
    await this.#readColumns(columns, start, rows, options);
    this.#toNative(columns);
    const subShape = [rows, ...shape.slice(1)];
    const strides = stridesOf(subShape, "F");
    const array = new NdArray<D>({ dtype: type, shape: subShape, strides, data: viewData(type, columns) });
    copyToC(array, viewData(type, into));
  }

  async #readColumns(into: Uint8Array, start: number, rows: number, options?: ByteReadOptions): Promise<void> {
    const { header, source, length } = this;
    const { itemSize, dataOffset } = header;
    const columnBytes = rows * itemSize;
    const stepBytes = length * itemSize;
    const count = into.length / columnBytes;
    const isDense = stepBytes <= columnBytes * MAX_AMPLIFICATION || stepBytes - columnBytes <= MAX_GAP_BYTES;
    const together = isDense ? Math.max(1, Math.floor(SPAN_BYTES / stepBytes)) : 1;
    const span = together > 1 ? allocateBytes(Math.min(together, count) * stepBytes) : into;
    for (let column = 0; column < count; column += together) {
      const taken = Math.min(together, count - column);
      const position = dataOffset + column * stepBytes + start * itemSize;
      if (together === 1) {
        await source.read(into.subarray(column * columnBytes, (column + 1) * columnBytes), position, options);
        continue;
      }
      const read = span.subarray(0, (taken - 1) * stepBytes + columnBytes);
      await source.read(read, position, options);
      for (let i = 0; i < taken; i++) {
        into.set(read.subarray(i * stepBytes, i * stepBytes + columnBytes), (column + i) * columnBytes);
      }
    }
  }

  #toNative(bytes: Uint8Array): void {
    swapRecordsInPlace(bytes, this.header.itemSize, this.header.swaps);
  }
}

async function readHeader(source: ByteSource, options: LimitOptions & ByteReadOptions): Promise<NpyHeader> {
  let bytes = new Uint8Array(Math.min(FIRST_READ_BYTES, source.byteLength));
  await source.read(bytes, 0, options);
  const dataOffset = npyDataOffset(bytes.subarray(0, NPY_PREFIX_BYTES), options);
  if (dataOffset > bytes.length && dataOffset <= source.byteLength) {
    bytes = new Uint8Array(dataOffset);
    await source.read(bytes, 0, options);
  }
  return parseNpyHeader(bytes, options);
}
