import type { ByteSource } from "@npystream/codec";

/** A source over bytes that notes its reads. */
export interface CountedSource extends ByteSource {
  /** Position and length of each read since the list was last emptied. */
  readonly reads: [position: number, length: number][];
}

/** Makes a source that counts: a file as far as its readers can tell, since it gives no views. */
export function countedSource(bytes: Uint8Array): CountedSource {
  const reads: [number, number][] = [];
  return {
    byteLength: bytes.length,
    reads,
    read: async (into, position, options) => {
      options?.signal?.throwIfAborted();
      if (position + into.length > bytes.length) throw new RangeError(`${position + into.length} of ${bytes.length}`);
      reads.push([position, into.length]);
      into.set(bytes.subarray(position, position + into.length));
    },
    close: async () => undefined,
  };
}

/** Bytes of all reads together. */
export function bytesRead({ reads }: CountedSource): number {
  return reads.reduce((total, [, length]) => total + length, 0);
}
