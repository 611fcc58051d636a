import type { Stream } from "node:stream";

/** A stream, as far as stopping it needs one. */
interface Destroyable extends Stream {
  destroy(error?: Error): unknown;
}

/**
 * Stands in for a reason that Node's streams take for none: `destroy(null)` would look like an end that was asked for.
 *
 * Its `cause` is the reason.
 */
class AbortError extends Error {
  override readonly name: string = "AbortError";
}

/**
 * Destroys a stream with `signal.reason`, untouched, when the signal is aborted or where it is already. Where the reason is
 * null, 0 or the like, the stream's error is an `AbortError` with the reason as its cause.
 *
 * @returns Stops listening; a signal may live much longer than the stream.
 */
export function destroyOnAbort(stream: Destroyable, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => undefined;
  const abort = (): void => void stream.destroy(failureOf(signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return () => signal.removeEventListener("abort", abort);
}

/** What to destroy a stream with for something that was thrown or is the reason of an abort. */
export function failureOf(thrown: unknown): Error {
  // Node hands on what is no Error as it is, unless it is falsy.
  return thrown ? (thrown as Error) : new AbortError("the operation was aborted", { cause: thrown });
}

/** What was thrown, of an error that {@link failureOf} made. */
export function thrownOf(failure: unknown): unknown {
  return failure instanceof AbortError ? failure.cause : failure;
}
