import { type ByteSource, NpyError } from "@npystream/codec";
import { checkOpen, checkRange } from "./bytes-source.ts";

/** Bytes taken out of a blob at once, which are in memory beside those read. */
const PIECE_BYTES = 8 << 20;

/**
 * Reads a `Blob` or `File` by slices, also one of `fs.openAsBlob`.
 *
 * @throws NpyError `ERR_SOURCE_CHANGED` from a read where the file behind the blob is no longer as it was.
 */
export function blobSource(blob: Blob): ByteSource {
  let isClosed = false;
  return {
    byteLength: blob.size,
    ...("lastModified" in blob ? { version: `${blob.size}-${blob.lastModified}` } : {}),
    read: async (into, position, options) => {
      options?.signal?.throwIfAborted();
      checkOpen(isClosed);
      checkRange(blob.size, position, into.length);
      for (let filled = 0; filled < into.length; filled += PIECE_BYTES) {
        const stop = Math.min(filled + PIECE_BYTES, into.length);
        const piece = await readSlice(blob.slice(position + filled, position + stop));
        options?.signal?.throwIfAborted();
        checkOpen(isClosed);
        into.set(piece, filled);
      }
    },
    close: async () => {
      isClosed = true;
    },
  };
}

async function readSlice(slice: Blob): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await slice.arrayBuffer());
  } catch (cause) {
    // The File API's word for it.
    if (!(cause instanceof Error) || cause.name !== "NotReadableError") throw cause;
    throw new NpyError("ERR_SOURCE_CHANGED", "the file behind the blob was changed", { cause });
  }
  checkRange(bytes.length, 0, slice.size);
  return bytes;
}
