import { type ByteSource, NpyError } from "@npystream/codec";

/** Reads bytes that are in memory already; they are kept, not copied, and must not change while they are read. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  let isClosed = false;
  const view = (position: number, length: number): Uint8Array => {
    checkOpen(isClosed);
    checkRange(bytes.length, position, length);
    return bytes.subarray(position, position + length);
  };
  const readSync = (into: Uint8Array, position: number): void => into.set(view(position, into.length));
  return {
    byteLength: bytes.length,
    bytes: view,
    readSync,
    read: async (into, position, options) => {
      options?.signal?.throwIfAborted();
      readSync(into, position);
    },
    close: async () => {
      isClosed = true;
    },
  };
}

/**
 * Checks that `length` bytes from `position` on are inside a source of `byteLength`.
 *
 * @param path - What the source is called in the error, where it has a name.
 * @throws NpyError `ERR_SOURCE_TRUNCATED` where they are not; RangeError for a position that is none.
 */
export function checkRange(byteLength: number, position: number, length: number, path?: string): void {
  if (!Number.isSafeInteger(position) || position < 0) throw new RangeError(`${position} is no position in bytes`);
  if (position + length <= byteLength) return;
  const found = Math.max(0, byteLength - position);
  throw new NpyError("ERR_SOURCE_TRUNCATED", `expected ${length} bytes from ${position} on, found ${found}`, {
    path,
    offset: Math.min(position, byteLength),
  });
}

/**
 * Refuses a read from a source that was closed.
 *
 * @throws TypeError
 */
export function checkOpen(isClosed: boolean): void {
  if (isClosed) throw new TypeError("the source has been closed");
}
