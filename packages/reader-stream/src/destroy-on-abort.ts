import type { Stream } from "node:stream";

/** A stream, as far as stopping it needs one. */
interface Destroyable extends Stream {
  destroy(error?: Error): unknown;
}

/**
 * Destroys a stream with `signal.reason`, untouched, when the signal is aborted or where it is already.
 *
 * @returns Stops listening; a signal may live much longer than the stream.
 */
export function destroyOnAbort(stream: Destroyable, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => undefined;
  const abort = (): void => void stream.destroy(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return () => signal.removeEventListener("abort", abort);
}
