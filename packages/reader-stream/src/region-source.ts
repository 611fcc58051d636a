import type { ByteSource } from "@npystream/codec";
import { checkRange } from "./bytes-source.ts";

/**
 * Shows a part of another source as a source, for a stored member of an archive.
 *
 * Closing it leaves the source below open.
 */
export function regionSource(source: ByteSource, start: number, byteLength: number): ByteSource {
  const region: ByteSource = {
    byteLength,
    read: async (into, position, options) => {
      checkRange(byteLength, position, into.length);
      await source.read(into, start + position, options);
    },
    close: async () => undefined,
  };
  const { version } = source;
  return {
    ...region,
    ...(version === undefined ? {} : { version }),
    ...(source.bytes === undefined
      ? {}
      : {
          bytes: (position: number, length: number): Uint8Array => {
            checkRange(byteLength, position, length);
            // The method is looked up anew, since a class's needs its `this`.
            return source.bytes?.(start + position, length) ?? new Uint8Array(0);
          },
        }),
  };
}
