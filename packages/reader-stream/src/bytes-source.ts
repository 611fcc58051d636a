import { type ByteSource, NpyError } from "@npystream/codec";

/** Reads bytes that are in memory already; they are kept, not copied, and must not change while they are read. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  const view = (position: number, length: number): Uint8Array => {
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
    close: async () => undefined,
  };
}

/**
 * Checks that `length` bytes from `position` on are inside a source of `byteLength`.
 *
 * @throws NpyError `ERR_SOURCE_TRUNCATED` where they are not.
 */
export function checkRange(byteLength: number, position: number, length: number): void {
  if (position + length <= byteLength) return;
  const found = Math.max(0, byteLength - position);
  throw new NpyError("ERR_SOURCE_TRUNCATED", `expected ${length} bytes from ${position} on, found ${found}`, {
    offset: Math.min(position, byteLength),
  });
}
