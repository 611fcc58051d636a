import { checkOptionKeys } from "@npystream/codec";
import { kindOf } from "./value-kind.ts";

/** What a {@link HttpFetch} answers with; the `Response` of `fetch` is one. */
export interface HttpResponse {
  /** Status code. */
  readonly status: number;
  /** Status text. */
  readonly statusText: string;
  /** Header fields. */
  readonly headers: {
    /** Gives a header by its name. */
    get(name: string): string | null;
  };
  /** Content, undecoded. */
  readonly body: HttpBody | null;
}

/** Content of a {@link HttpResponse}; a `ReadableStream` of bytes is one. */
export interface HttpBody {
  /** Gives its only reader. */
  getReader(): HttpBodyReader;
}

/** Reader of a {@link HttpBody}. */
export interface HttpBodyReader {
  /** Gives the next bytes, or that there are no more. */
  read(): Promise<HttpBodyPart>;
}

/** What comes next of a body. */
export interface HttpBodyPart {
  /** Whether nothing came, since the body has ended. */
  readonly done: boolean;
  /** The bytes that came. */
  readonly value?: Uint8Array | undefined;
}

/**
 * Sends one GET request; the global `fetch` is one. Redirects are its to follow, aborting `signal` frees its connection, and
 * with a `range` it asks for no encoding (Fetch Standard, HTTP-network-or-cache fetch).
 */
export type HttpFetch = (
  url: string,
  init: { readonly headers: Record<string, string>; readonly signal: AbortSignal },
) => Promise<HttpResponse>;

/** Options of `httpSource`. */
export interface HttpSourceOptions {
  /** Header fields of every request, such as `authorization`. `range`, `if-...` and `accept-encoding` are not yours. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * How often a request is repeated that found no connection, lost it, or was answered with 408, 429 or 5xx.
   *
   * @defaultValue `3`
   */
  readonly retries?: number;
  /**
   * Wait before the first repetition in milliseconds, doubled each time and in part random. A `Retry-After` of the server
   * goes first, up to 30 seconds.
   *
   * @defaultValue `200`
   */
  readonly retryDelayMs?: number;
  /**
   * Milliseconds without a single byte after which a request counts as failed.
   *
   * @defaultValue `30_000`
   */
  readonly timeoutMs?: number;
  /**
   * Bytes read when opening, and kept, so that the header needs no second request.
   *
   * @defaultValue `32_768`
   */
  readonly prefixBytes?: number;
  /** Aborts the opening; reads take a signal of their own. */
  readonly signal?: AbortSignal;
  /**
   * Sends the requests, for proxies, signatures and tokens that expire.
   *
   * @defaultValue the global `fetch`
   */
  readonly fetch?: HttpFetch;
}

/** Options with nothing left open. */
export interface HttpSettings {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly timeoutMs: number;
  readonly prefixBytes: number;
  readonly fetch: HttpFetch;
}

/** As many bytes as a request costs in time, so that asking for fewer would save nothing. */
export const REQUEST_BYTES: number = 32 << 10;

const OPTION_NAMES = ["headers", "retries", "retryDelayMs", "timeoutMs", "prefixBytes", "signal", "fetch"];
const OWN_HEADERS = /^(range|if-.*|accept-encoding)$/;

/**
 * Checks what `httpSource` was given.
 *
 * @throws TypeError for an address that is not `http:` or `https:`, or an unknown option; RangeError for a number that is
 *   none of the kind.
 */
export function resolveHttp(address: string | URL, options: HttpSourceOptions): HttpSettings {
  checkOptionKeys("httpSource", options, OPTION_NAMES);
  const url = parseUrl(address);
  const headers = new Headers(options.headers);
  for (const name of headers.keys()) {
    if (OWN_HEADERS.test(name)) throw new TypeError(`the header ${name} is set by httpSource itself`);
  }
  // fetch refuses such a URL, and its message would show the password.
  if (url.username !== "" || url.password !== "") {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    if (!headers.has("authorization"))
      headers.set("authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
    url.username = "";
    url.password = "";
  }
  return {
    url,
    headers: Object.fromEntries(headers),
    retries: wholeNumber("retries", options.retries ?? 3, 0),
    retryDelayMs: wholeNumber("retryDelayMs", options.retryDelayMs ?? 200, 0),
    timeoutMs: wholeNumber("timeoutMs", options.timeoutMs ?? 30_000, 1),
    prefixBytes: wholeNumber("prefixBytes", options.prefixBytes ?? REQUEST_BYTES, 1),
    fetch: options.fetch ?? fetch,
  };
}

/** Tells whether a text is the address of something on a web server. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

function parseUrl(address: string | URL): URL {
  const text = String(address);
  if (!isHttpUrl(text) || !URL.canParse(text)) {
    // Not the text itself, which may hold a password.
    const found =
      address instanceof URL ? address.protocol : typeof address === "string" ? "another text" : kindOf(address);
    throw new TypeError(`expected an http: or https: URL, not ${found}`);
  }
  return new URL(text);
}

function wholeNumber(name: string, value: number, least: number): number {
  // 2^31 - 1 is the longest that a timer of Node waits.
  if (Number.isInteger(value) && value >= least && value < 2 ** 31) return value;
  throw new RangeError(`${name} is a whole number from ${least} on, not ${value}`);
}
