/** Options of one read from a {@link ByteSource}. */
export interface ByteReadOptions {
  /** Aborts the read; the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/**
 * Random access to bytes that do not change while they are read: a file, a buffer, a blob, a remote object.
 *
 * Codec declares the shape and implements none; `@npystream/reader-stream` brings sources for files and memory, and
 * anything with this shape can stand in for them.
 */
export interface ByteSource {
  /** Total number of bytes. */
  readonly byteLength: number;
  /** What tells one state of the source from another: an ETag, or modification time and size. */
  readonly version?: string;
  /**
   * Bytes that cost as much to read along as a read of its own: ranges that lie closer are read together, 32 KiB for a
   * remote object for example. Readers choose where it is left out.
   */
  readonly gapBytes?: number;
  /** Fills `into` with the bytes from `position` on, or rejects: a short read never resolves. */
  read(into: Uint8Array, position: number, options?: ByteReadOptions): Promise<void>;
  /** Fills `into` while the thread waits, on sources in memory or on a local disk. */
  readSync?(into: Uint8Array, position: number): void;
  /** Gives a view of `length` bytes from `position`, on sources in memory or mapped. */
  bytes?(position: number, length: number): Uint8Array;
  /** Gives up what the source holds open. Closing twice is harmless. */
  close(): Promise<void>;
}
