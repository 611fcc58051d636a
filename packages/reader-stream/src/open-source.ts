import type { FileHandle } from "node:fs/promises";
import type { ByteReadOptions, ByteSource } from "@npystream/codec";
import { blobSource } from "./blob-source.ts";
import { bytesSource } from "./bytes-source.ts";
import { fileSource, isFileHandle } from "./file-source.ts";
import { isHttpUrl } from "./http-options.ts";
import { httpSource } from "./http-source.ts";
import { localPath } from "./local-path.ts";
import { shownUrl } from "./shown-url.ts";
import { kindOf } from "./value-kind.ts";

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

/** Opens a file on this machine by its path. */
export type OpenFileByPath = (path: string) => Promise<ByteSource>;

/**
 * Opens whatever can be read by position. A `ByteSource` is taken over: whoever opened the array closes it. A `FileHandle`
 * stays the caller's.
 *
 * @param openFile - What opens paths and `file:` URLs.
 * @throws System errors such as `ENOENT`; NpyError those of `httpSource`; TypeError for anything else than a source.
 */
export async function openSource(
  from: SourceLike,
  options: ByteReadOptions = {},
  openFile: OpenFileByPath = fileSource,
): Promise<OpenedSource> {
  if (typeof from === "string" || from instanceof URL) {
    if (isHttpUrl(String(from))) return await openHttp(from, options);
    if (from instanceof URL && from.protocol !== "file:") {
      throw new TypeError(`expected a file:, http: or https: URL, not ${from.protocol}`);
    }
    const path = localPath(from, "");
    return { source: await openFile(path), path };
  }
  if (from instanceof Uint8Array) return { source: bytesSource(from), path: undefined };
  if (from instanceof Blob) return { source: blobSource(from), path: undefined };
  if (isByteSource(from)) return { source: from, path: undefined };
  if (isFileHandle(from)) return { source: await fileSource(from), path: undefined };
  const found: unknown = from;
  const expected = "expected a path, a URL, a FileHandle, a Blob, bytes (Uint8Array) or a ByteSource to read from";
  const isBytes = found instanceof ArrayBuffer || ArrayBuffer.isView(found);
  throw new TypeError(`${expected}, not ${kindOf(found)}${isBytes ? ": new Uint8Array(...) over it is one" : ""}`);
}

async function openHttp(from: string | URL, { signal }: ByteReadOptions): Promise<OpenedSource> {
  const source = await httpSource(from, signal === undefined ? {} : { signal });
  return { source, path: shownUrl(new URL(from)) };
}

function isByteSource(value: unknown): value is ByteSource {
  return typeof value === "object" && value !== null && "byteLength" in value && "read" in value && "close" in value;
}
