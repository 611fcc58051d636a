import type { ByteReadOptions, ByteSource } from "@npystream/codec";
import { checkOpen, checkRange } from "./bytes-source.ts";
import { isWatched, type WatchedSource } from "./unchanged-source.ts";

/**
 * Shows a part of another source as a source, for a stored member of an archive. It can do what the source below can.
 *
 * Closing it leaves the source below open.
 */
export function regionSource(source: ByteSource, start: number, byteLength: number): ByteSource {
  let isClosed = false;
  const check = (position: number, length: number): void => {
    checkOpen(isClosed);
    checkRange(byteLength, position, length);
  };
  const { version, gapBytes } = source;
  const region: ByteSource & Partial<Pick<WatchedSource, "checkUnchanged">> = {
    byteLength,
    ...(version === undefined ? {} : { version }),
    ...(gapBytes === undefined ? {} : { gapBytes }),
    read: async (into: Uint8Array, position: number, options?: ByteReadOptions) => {
      check(position, into.length);
      await source.read(into, start + position, options);
    },
    ...(source.readSync && {
      readSync: (into: Uint8Array, position: number): void => {
        check(position, into.length);
        // The method is looked up anew, since a class's needs its `this`.
        source.readSync?.(into, start + position);
      },
    }),
    ...(source.bytes && {
      bytes: (position: number, length: number): Uint8Array => {
        check(position, length);
        return source.bytes?.(start + position, length) ?? new Uint8Array(0);
      },
    }),
    ...(isWatched(source) && { checkUnchanged: () => source.checkUnchanged() }),
    close: async () => {
      isClosed = true;
    },
  };
  return region;
}
