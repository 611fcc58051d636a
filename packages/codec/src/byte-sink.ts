/**
 * Where written bytes go: a file, a socket, a request body.
 *
 * Codec declares the shape and implements none; `@npystream/writer-stream` brings the sinks.
 */
export interface ByteSink {
  /** Whether `write` takes a position before the end. */
  readonly seekable: boolean;
  /**
   * Writes all of `bytes`, at the end or at `position`.
   *
   * The sink is done with `bytes` when the promise resolves, so the caller may use the buffer again.
   *
   * @throws TypeError where `position` is given to a sink that cannot seek.
   */
  write(bytes: Uint8Array, position?: number): Promise<void>;
  /**
   * Makes what was written durable and visible under its name, once the writes that are under way are done. Where one of
   * them failed, or any before, it rejects and nothing is visible.
   */
  commit(): Promise<void>;
  /**
   * Drops what was written and leaves the target as it was. Aborting twice is harmless.
   *
   * @param reason - Why, for a sink that tells others of it.
   */
  abort(reason?: unknown): Promise<void>;
}
