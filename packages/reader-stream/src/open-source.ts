import type { FileHandle } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ByteSource } from "@npystream/codec";
import { blobSource } from "./blob-source.ts";
import { bytesSource } from "./bytes-source.ts";
import { fileSource } from "./file-source.ts";

/** Where an array or archive may be read from: a path, a `file:` URL, an open file, a blob, bytes, or any byte source. */
export type SourceLike = string | URL | FileHandle | Blob | Uint8Array | ByteSource;

/** A source that was opened for somebody. */
export interface OpenedSource {
  readonly source: ByteSource;
  /** Path for error messages, where there is one. */
  readonly path: string | undefined;
}

/**
 * Opens whatever can be read by position. A `ByteSource` is taken over: whoever opened the array closes it.
 *
 * @throws System errors such as `ENOENT`; TypeError for anything else than a source.
 */
export async function openSource(from: SourceLike): Promise<OpenedSource> {
  if (typeof from === "string") return { source: await fileSource(from), path: from };
  if (from instanceof URL) {
    if (from.protocol !== "file:") throw new TypeError(`${from.href} is not a file: URL`);
    return { source: await fileSource(from), path: fileURLToPath(from) };
  }
  if (from instanceof Uint8Array) return { source: bytesSource(from), path: undefined };
  if (from instanceof Blob) return { source: blobSource(from), path: undefined };
  if (isByteSource(from)) return { source: from, path: undefined };
  if (isFileHandle(from)) return { source: await fileSource(from), path: undefined };
  throw new TypeError("expected a path, a file: URL, a FileHandle, a Blob, bytes or a ByteSource to read from");
}

function isByteSource(value: unknown): value is ByteSource {
  return typeof value === "object" && value !== null && "byteLength" in value && "read" in value && "close" in value;
}

function isFileHandle(value: unknown): value is FileHandle {
  return typeof value === "object" && value !== null && "fd" in value && "read" in value && "stat" in value;
}
