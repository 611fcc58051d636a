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
  /** Fills `into` with the bytes from `position` on, or rejects: a short read never resolves. */
  read(into: Uint8Array, position: number, options?: ByteReadOptions): Promise<void>;
  /** Fills `into` at once, on sources whose bytes are already resident. */
  readSync?(into: Uint8Array, position: number): void;
  /** Gives a view of `length` bytes from `position`, on sources in memory or mapped. */
  bytes?(position: number, length: number): Uint8Array;
  /** Gives up what the source holds open. Closing twice is harmless. */
  close(): Promise<void>;
}
