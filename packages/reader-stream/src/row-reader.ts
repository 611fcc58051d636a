import type { ByteReadOptions, DType, ElementType } from "@npystream/codec";

/** Rows that are read by their position: those of an opened array, of a slice of one, or of one that is cast. */
export interface RowReader<D extends DType = DType> {
  /** What one element is. */
  readonly type: ElementType<D>;
  /** Extent of each axis; none for a single element. */
  readonly shape: readonly number[];
  /** Number of rows; a 0-d array is one. */
  readonly length: number;
  /** Bytes a row. */
  readonly rowBytes: number;
  /** Whether reading rows one after another reads bytes one after another. */
  readonly isRowMajor: boolean;
  /** Whether there is one position that all reads share, which one that goes back sends to the start: a deflated member's. */
  readonly isSequential: boolean;
  /** Fills `into`, a whole number of rows, with the rows from `start` on: C order, the machine's byte order. */
  readRows(into: Uint8Array, start: number, options?: ByteReadOptions): Promise<void>;
  /** The same rows for a consumer of its own, so that two that go forward do not send each other back. */
  fork(): RowReader<D>;
  /** Gives back what a fork holds. */
  release(): Promise<void>;
}
