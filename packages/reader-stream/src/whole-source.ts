import type { ByteReadOptions, ByteSource } from "@npystream/codec";

/** Options of {@link WholeSource.readWhole}. */
export interface WholeReadOptions extends ByteReadOptions {
  /**
   * Called with the bytes in their order as they come out, while a core has them in its cache. A source that makes them
   * in another order does not call it.
   */
  readonly onPiece?: ((piece: Uint8Array) => void) | undefined;
}

/** A source whose bytes come out of something that makes new memory anyway, such as an inflater. */
export interface WholeSource extends ByteSource {
  /** Gives every byte of the source, in memory of the caller's own. */
  readWhole(options?: WholeReadOptions): Promise<Uint8Array>;
}

/** Tells whether reading a source whole costs less than reading it into memory of one's own. */
export function canReadWhole(source: ByteSource): source is WholeSource {
  return "readWhole" in source && source.readWhole !== undefined;
}
