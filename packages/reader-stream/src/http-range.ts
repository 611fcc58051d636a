import { NpyError } from "@npystream/codec";
import { HttpStatusError, isTransientStatus, TransientFailure } from "./http-error.ts";
import type { HttpResponse } from "./http-options.ts";
import { parseRetryAfter } from "./http-retry.ts";

/** A `Content-Range` (RFC 9110 14.4). */
export interface ContentRange {
  /** Position of the first byte; none in an answer that no byte of the range exists. */
  readonly start: number | undefined;
  /** Position past the last byte. */
  readonly stop: number | undefined;
  /** Bytes of the whole file, where the server tells. */
  readonly total: number | undefined;
}

/** What tells one state of a file on a server from another. */
export interface HttpVersion {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Reads a `Content-Range` header; `undefined` where it is none of bytes. */
export function parseContentRange(text: string | null): ContentRange | undefined {
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/i.exec(text?.trim() ?? "");
  if (match === null) return undefined;
  const [, first, last, total] = match;
  return {
    start: first === undefined ? undefined : Number(first),
    stop: last === undefined ? undefined : Number(last) + 1,
    total: total === undefined || total === "*" ? undefined : Number(total),
  };
}

/** Reads what an answer says of the file's state. */
export function versionOf({ headers }: HttpResponse): HttpVersion {
  return { etag: headers.get("etag") ?? undefined, lastModified: headers.get("last-modified") ?? undefined };
}

/**
 * Gives the header fields that have the server check the state itself, before it sends anything.
 *
 * A weak ETag never matches in `If-Match` (RFC 9110 13.1.1), so it is only compared.
 */
export function conditionOf({ etag, lastModified }: HttpVersion): Record<string, string> {
  if (etag !== undefined) return etag.startsWith('"') ? { "if-match": etag } : {};
  return lastModified === undefined ? {} : { "if-unmodified-since": lastModified };
}

/** Tells whether both are of one state; only what the first knows counts, and an ETag more than a date. */
export function isSameVersion(expected: HttpVersion, found: HttpVersion): boolean {
  if (expected.etag !== undefined) return expected.etag === found.etag;
  return expected.lastModified === undefined || expected.lastModified === found.lastModified;
}

/**
 * Checks that an answer is a part of a file.
 *
 * @param path - What to call the file.
 * @throws TransientFailure for a status that passes; NpyError `ERR_HTTP_RANGE` where the server sends the whole file, or
 *   something else than its bytes; `ERR_HTTP_STATUS` for any other status than 206.
 */
export function checkPartial(response: HttpResponse, path: string): ContentRange {
  const { status, statusText, headers } = response;
  if (isTransientStatus(status)) {
    const failure = new HttpStatusError(status, statusText, path);
    throw new TransientFailure(failure, parseRetryAfter(headers.get("retry-after")));
  }
  if (status === 200) {
    throw rangeError(
      "the server sends the whole file where a part is asked for. Download it, or read it as a stream: " +
        "spool() and createNpyReadStream() take the body of a response",
      path,
    );
  }
  if (status !== 206) throw new HttpStatusError(status, statusText, path);
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw rangeError(`the server sends the file encoded as ${encoding}, whose parts are not the file's`, path);
  }
  const range = parseContentRange(headers.get("content-range"));
  if (range === undefined) {
    throw rangeError(`the answer does not tell its range: ${headers.get("content-range") ?? "no Content-Range"}`, path);
  }
  return range;
}

/** Makes an `ERR_HTTP_RANGE`. */
export function rangeError(message: string, path: string): NpyError {
  return new NpyError("ERR_HTTP_RANGE", message, { path });
}
