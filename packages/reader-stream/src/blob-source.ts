import type { ByteSource } from "@npystream/codec";
import { checkRange } from "./bytes-source.ts";

/** Reads a `Blob` or `File` by slices. */
export function blobSource(blob: Blob): ByteSource {
  return {
    byteLength: blob.size,
    read: async (into, position, options) => {
      options?.signal?.throwIfAborted();
      checkRange(blob.size, position, into.length);
      into.set(new Uint8Array(await blob.slice(position, position + into.length).arrayBuffer()));
    },
    close: async () => undefined,
  };
}
