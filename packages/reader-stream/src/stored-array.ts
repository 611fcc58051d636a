import {
  type ByteReadOptions,
  type ByteSource,
  type DType,
  type LimitOptions,
  NdArray,
  NPY_PREFIX_BYTES,
  NpyError,
  type NpyHeader,
  npyDataOffset,
  parseNpyHeader,
  type ResolvedRange,
  shapeSize,
  stridesOf,
  swapRecordsInPlace,
  viewData,
} from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { copyElements } from "./copy-elements.ts";
import { readBox } from "./read-box.ts";
import { canReadWhole } from "./whole-source.ts";

/** Enough for nearly every header, and one page of most file systems. */
const FIRST_READ_BYTES = 4096;
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

  /** Reads the whole array, in the order of its file, into memory of the caller's own. */
  async readAll(options?: ByteReadOptions): Promise<NdArray<D>> {
    const { type, shape, order } = this.header;
    options?.signal?.throwIfAborted();
    const bytes = await this.#readData(options);
    options?.signal?.throwIfAborted();
    this.#toNative(bytes);
    return new NdArray({ dtype: type, shape, strides: stridesOf(shape, order), data: viewData(type, bytes) });
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
    const all = header.shape.slice(1).map((length) => ({ start: 0, step: 1, length }));
    await this.readBox([{ start, step: 1, length: into.length / rowBytes }, ...all], into, options);
  }

  /** Fills `into` as `readRows` does while the thread waits; gives `false` where the source or the order does not allow it. */
  readRowsSync(into: Uint8Array, start: number): boolean {
    const { header, source, rowBytes } = this;
    if (source.readSync === undefined || !this.isRowMajor) return false;
    source.readSync(into, header.dataOffset + start * rowBytes);
    this.#toNative(into);
    return true;
  }

  /**
   * Fills `into` with a box of the array, in C order and the machine's byte order.
   *
   * @param ranges - One an axis, with steps from 1.
   */
  async readBox(ranges: readonly ResolvedRange[], into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    const { header, source } = this;
    const { type, shape, itemSize, dataOffset } = header;
    if (this.isRowMajor) {
      await readBox(source, dataOffset, type, { shape, ranges, itemSize }, into, options);
      this.#toNative(into);
      return;
    }
    // In the file the first axis is the innermost one.
    const box = { shape: shape.toReversed(), ranges: ranges.toReversed(), itemSize };
    const bytes = allocateBytes(into.length);
    await readBox(source, dataOffset, type, box, bytes, options);
    this.#toNative(bytes);
    const lengths = ranges.map(({ length }) => length);
    copyElements(type, bytes, { shape: lengths, strides: stridesOf(lengths, "F") }, into);
  }

  /** Gives rows as they lie in memory, where the source is resident and they need no change; else `undefined`. */
  viewRows(start: number, stop: number): Uint8Array | undefined {
    const { header, source, rowBytes } = this;
    if (source.bytes === undefined || !this.isRowMajor || header.swaps.length > 0) return undefined;
    return source.bytes(header.dataOffset + start * rowBytes, (stop - start) * rowBytes);
  }

  async #readData(options?: ByteReadOptions): Promise<Uint8Array> {
    const { source } = this;
    const { dataOffset, byteLength } = this.header;
    if (canReadWhole(source)) return (await source.readWhole(options)).subarray(dataOffset);
    const bytes = allocateBytes(byteLength);
    if (byteLength > 0) await source.read(bytes, dataOffset, options);
    return bytes;
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
