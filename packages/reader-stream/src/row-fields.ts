import type { ByteReadOptions, ElementType } from "@npystream/codec";
import type { ResidentRows } from "./resident-rows.ts";

/**
 * Fields of a dataset as batches read them: rows by their index, as elements of the type that is delivered.
 *
 * A selection of rows is one too: its rows are numbered from 0, and it asks what it selects from for the rows behind them.
 */
export interface RowFields {
  /** Number of rows of every field. */
  readonly length: number;
  /** Names of the fields. */
  readonly names: readonly string[];
  /** Identifies fields, types and state of the files, and which rows are selected; never paths. */
  readonly fingerprint: string;
  /** Element type of a field as it is delivered: cast, where a cast was asked for. */
  type(name: string): ElementType;
  /** Shape of one row of a field. */
  rowShape(name: string): readonly number[];
  /** Bytes of one row of a field as it is delivered. */
  rowBytes(name: string): number;
  /** Whether rows of a field can be read in any order at the same cost; not so of a plainly deflated member. */
  isRandomAccess(name: string): boolean;
  /** Whether reading a field takes a network: then blocks of a shuffle are larger. */
  isRemote(name: string): boolean;
  /** Fills `into`, a whole number of rows, with consecutive rows from `start` on. */
  readRows(name: string, start: number, into: Uint8Array, options?: ByteReadOptions): Promise<void>;
  /**
   * Fills `into` as `readRows` does while the thread waits, which takes a fraction of the time where rows are few and in the
   * page cache; gives `false` and does nothing where the field cannot be read so.
   */
  readRowsSync?(name: string, start: number, into: Uint8Array): boolean;
  /** Fills `into` with the rows of these indices in their order; repeats are allowed. */
  gatherRows(name: string, rows: ArrayLike<number>, into: Uint8Array, options?: ByteReadOptions): Promise<void>;
  /**
   * Gives the same rows from mapped files and memory, to be closed by who asked, or `undefined` where a field is neither of
   * plain files nor in memory.
   *
   * @param isMapped - Whether files are mapped; else only fields in memory are given.
   * @throws NpyError `ERR_MAP_UNAVAILABLE` where the system does not map them.
   */
  map?(isMapped: boolean): MappedFields | undefined;
}

/** Fields whose bytes are resident: views of pages of a file, or of memory. */
export interface MappedFields {
  /** Gives all rows of a field as they lie in memory; `undefined` where they do not lie so, and `gatherRows` copies them. */
  resident(name: string): ResidentRows | undefined;
  /** Fills `into` with the rows of these indices in their order. */
  gatherRows(name: string, rows: ArrayLike<number>, into: Uint8Array, options?: ByteReadOptions): Promise<void>;
  /** Gives the resident rows that rows of the fields are: of a selection they are others. */
  rowsBehind(rows: Float64Array): Float64Array;
  /**
   * @throws NpyError `ERR_SOURCE_CHANGED`, `ERR_SOURCE_TRUNCATED` where a file is not as it was when it was opened; TypeError
   *   where an array was closed.
   */
  check(): void;
  /** Gives the mapping up. */
  close(): Promise<void>;
}
