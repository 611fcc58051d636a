import type { FileHandle } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ByteReadOptions, ByteSource } from "@npystream/codec";
import { blobSource } from "./blob-source.ts";
import { bytesSource } from "./bytes-source.ts";
import { fileSource } from "./file-source.ts";
import { isHttpUrl } from "./http-options.ts";
import { httpSource } from "./http-source.ts";
import { shownUrl } from "./shown-url.ts";

/**
 * Where an array or archive may be read from: a path, a `file:`, `http:` or `https:` URL, an open file, a blob, bytes, or any
 * byte source.
 */
export type SourceLike = string | URL | FileHandle | Blob | Uint8Array | ByteSource;

/** A source that was opened for somebody. */
export interface OpenedSource {
  readonly source: ByteSource;
  /** Path or URL for error messages, where there is one. */
  readonly path: string | undefined;
}

/**
 * Opens whatever can be read by position. A `ByteSource` is taken over: whoever opened the array closes it.
 *
 * @throws System errors such as `ENOENT`; NpyError those of `httpSource`; TypeError for anything else than a source.
 */
export async function openSource(from: SourceLike, options: ByteReadOptions = {}): Promise<OpenedSource> {
  if (typeof from === "string") {
    if (isHttpUrl(from)) return await openHttp(from, options);
    return { source: await fileSource(from), path: from };
  }
  if (from instanceof URL) {
    if (isHttpUrl(from.href)) return await openHttp(from, options);
    if (from.protocol !== "file:") throw new TypeError(`expected a file:, http: or https: URL, not ${from.protocol}`);
    return { source: await fileSource(from), path: fileURLToPath(from) };
  }
  if (from instanceof Uint8Array) return { source: bytesSource(from), path: undefined };
  if (from instanceof Blob) return { source: blobSource(from), path: undefined };
  if (isByteSource(from)) return { source: from, path: undefined };
  if (isFileHandle(from)) return { source: await fileSource(from), path: undefined };
  throw new TypeError("expected a path, a URL, a FileHandle, a Blob, bytes or a ByteSource to read from");
}

async function openHttp(from: string | URL, { signal }: ByteReadOptions): Promise<OpenedSource> {
  const source = await httpSource(from, signal === undefined ? {} : { signal });
  return { source, path: shownUrl(new URL(from)) };
}

function isByteSource(value: unknown): value is ByteSource {
  return typeof value === "object" && value !== null && "byteLength" in value && "read" in value && "close" in value;
}

function isFileHandle(value: unknown): value is FileHandle {
  return typeof value === "object" && value !== null && "fd" in value && "read" in value && "stat" in value;
}
