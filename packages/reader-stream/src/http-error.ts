import { NpyError } from "@npystream/codec";

/**
 * `ERR_HTTP_STATUS`: a server answered with a status that is none of a file's.
 */
export class HttpStatusError extends NpyError {
  /** Status of the answer, such as 404. */
  readonly status: number;

  /** @internal */
  constructor(status: number, statusText: string, path: string) {
    super("ERR_HTTP_STATUS", `${path} is answered with ${status} ${statusText}`.trimEnd(), { path });
    this.status = status;
  }
}

/** A failure after which the same request may succeed. */
export class TransientFailure extends Error {
  /** What is thrown where it does not. */
  readonly failure: NpyError;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: NpyError, retryAfterMs?: number) {
    super(failure.message);
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Request Timeout, Too Many Requests, and whatever is the server's own fault (RFC 9110 15.5.9, 15.6; RFC 6585 4). */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status <= 599);
}

/**
 * Tells whether a request that failed with `cause` may do better next time: not where a certificate is refused, which
 * is the same at every attempt.
 */
export function isTransientCause(cause: unknown): boolean {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : "";
  return !/CERT|_TLS_|_SSL_|UNABLE_TO_|SELF_SIGNED|_INVALID_/.test(code);
}
