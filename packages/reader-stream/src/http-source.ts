import { setMaxListeners } from "node:events";
import { type ByteReadOptions, type ByteSource, NpyError } from "@npystream/codec";
import { checkRange } from "./bytes-source.ts";
import { exchange } from "./http-exchange.ts";
import {
  type HttpResponse,
  type HttpSettings,
  type HttpSourceOptions,
  REQUEST_BYTES,
  resolveHttp,
} from "./http-options.ts";
import {
  checkPartial,
  conditionOf,
  type HttpVersion,
  isSameVersion,
  parseContentRange,
  rangeError,
  versionOf,
} from "./http-range.ts";
import { withRetries } from "./http-retry.ts";
import { shownUrl } from "./shown-url.ts";

/**
 * Bytes up to which the last read is kept: the end record of an archive is looked for in 64 KiB that mostly hold its
 * directory too, and a member's local header is read with as much of what follows.
 */
const KEPT_BYTES = 128 << 10;

/** What is known of a file on a server once it is opened. */
interface HttpFile {
  readonly byteLength: number;
  readonly version: HttpVersion;
  /** The first bytes. */
  readonly prefix: Uint8Array;
}

/**
 * Opens a file on a web server, of which parts are read by `Range` requests. One request opens it and keeps the first bytes.
 *
 * What is read is of one state of the file: every answer has to have the ETag, or where there is none the date, of the
 * first one. A server that sends neither is taken at the file's length.
 *
 * @param url - An `http:` or `https:` URL. A user and password in it are sent as `Authorization: Basic`; messages show
 *   neither them nor the query.
 * @throws NpyError `ERR_HTTP_STATUS` (a `HttpStatusError`), `ERR_HTTP_RANGE` where the server sends no parts,
 *   `ERR_HTTP_CONNECTION`, `ERR_SOURCE_TRUNCATED`; reads also `ERR_SOURCE_CHANGED`.
 *
 * @example
 * const source = await httpSource(url, { headers: { authorization: `Bearer ${token}` } });
 * await using x = await openNpy(source);
 */
export async function httpSource(url: string | URL, options: HttpSourceOptions = {}): Promise<ByteSource> {
  const settings = resolveHttp(url, options);
  const { signal } = options;
  const file = await withRetries(settings, [signal], () => openFile(settings, signal));
  return new HttpSource(settings, file);
}

class HttpSource implements ByteSource {
  readonly byteLength: number;
  readonly version?: string;
  readonly gapBytes: number = REQUEST_BYTES;
  readonly #settings: HttpSettings;
  readonly #file: HttpFile;
  readonly #path: string;
  #last: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) };
  readonly #closing = new AbortController();

  constructor(settings: HttpSettings, file: HttpFile) {
    this.#settings = settings;
    this.#file = file;
    this.#path = shownUrl(settings.url);
    // Every read under way listens.
    setMaxListeners(0, this.#closing.signal);
    this.byteLength = file.byteLength;
    const version = file.version.etag ?? file.version.lastModified;
    if (version !== undefined) this.version = version;
  }

  async read(into: Uint8Array, position: number, options: ByteReadOptions = {}): Promise<void> {
    const signals = [this.#closing.signal, options.signal];
    for (const signal of signals) signal?.throwIfAborted();
    checkRange(this.byteLength, position, into.length, this.#path);
    let filled = this.#copyKept(into, position);
    if (filled === into.length) return;
    // An answer that was cut is continued, not repeated.
    await withRetries(this.#settings, signals, async () => {
      await this.#readRange(into.subarray(filled), position + filled, signals, (count) => {
        filled += count;
      });
    });
    if (into.length <= KEPT_BYTES) this.#last = { start: position, bytes: into.slice() };
  }

  /** Ends the reads under way. */
  async close(): Promise<void> {
    this.#closing.abort(new TypeError("the source has been closed"));
  }

  /** Copies what is at hand of a range: its start from the first bytes, or all of it from the last read. */
  #copyKept(into: Uint8Array, position: number): number {
    const { start, bytes } = this.#last;
    const isWithin = position >= start && position + into.length <= start + bytes.length;
    const known = isWithin
      ? bytes.subarray(position - start, position - start + into.length)
      : this.#file.prefix.subarray(position, position + into.length);
    into.set(known);
    return known.length;
  }

  async #readRange(
    into: Uint8Array,
    start: number,
    signals: readonly (AbortSignal | undefined)[],
    onBytes: (count: number) => void,
  ): Promise<void> {
    const headers = { ...rangeHeader(start, start + into.length), ...conditionOf(this.#file.version) };
    await exchange(this.#settings, headers, signals, async ({ response, fill }) => {
      this.#checkUnchanged(response);
      const range = checkPartial(response, this.#path);
      if (range.start !== start || range.stop !== start + into.length) {
        const found = response.headers.get("content-range");
        throw rangeError(`asked for bytes ${start}-${start + into.length - 1}, the answer is ${found}`, this.#path);
      }
      await fill(into, onBytes);
    });
  }

  /** Looks at the state first: a file that was replaced may be answered in any way. */
  #checkUnchanged(response: HttpResponse): void {
    const { status, headers } = response;
    const isAnswer = status === 200 || status === 206;
    const total = parseContentRange(headers.get("content-range"))?.total ?? this.byteLength;
    const isSame = total === this.byteLength && (!isAnswer || isSameVersion(this.#file.version, versionOf(response)));
    if (isSame && status !== 412) return;
    const { etag, lastModified } = this.#file.version;
    const known = etag ?? lastModified ?? `${this.byteLength} bytes`;
    throw new NpyError("ERR_SOURCE_CHANGED", `the file on the server is no longer the one opened, ${known}`, {
      path: this.#path,
    });
  }
}

async function openFile(settings: HttpSettings, signal: AbortSignal | undefined): Promise<HttpFile> {
  const path = shownUrl(settings.url);
  const { prefixBytes } = settings;
  return await exchange(settings, rangeHeader(0, prefixBytes), [signal], async ({ response, fill }) => {
    const version = versionOf(response);
    if (isEmptyFile(response)) return { byteLength: 0, version, prefix: new Uint8Array(0) };
    const { start, stop, total } = checkPartial(response, path);
    if (total === undefined) throw rangeError("the server does not tell how long the file is", path);
    if (start !== 0 || stop !== Math.min(prefixBytes, total)) {
      const found = response.headers.get("content-range");
      throw rangeError(`asked for bytes 0-${prefixBytes - 1}, the answer is ${found}`, path);
    }
    const prefix = new Uint8Array(stop);
    await fill(prefix);
    return { byteLength: total, version, prefix };
  });
}

/** No range of an empty file exists (RFC 9110 14.1.2); some servers send it whole instead. */
function isEmptyFile({ status, headers }: HttpResponse): boolean {
  if (status === 416) return parseContentRange(headers.get("content-range"))?.total === 0;
  return status === 200 && headers.get("content-length") === "0";
}

function rangeHeader(start: number, stop: number): Record<string, string> {
  return { range: `bytes=${start}-${stop - 1}` };
}
