import { setImmediate as nextTurn } from "node:timers/promises";
import { NpyError } from "@npystream/codec";
import { isTransientCause, TransientFailure } from "./http-error.ts";
import type { HttpBodyReader, HttpResponse, HttpSettings } from "./http-options.ts";
import { linkSignals } from "./link-signals.ts";
import { shownUrl } from "./shown-url.ts";

/** An answer under way. */
export interface HttpAnswer {
  readonly response: HttpResponse;
  /**
   * Fills `into` from the body and leaves what follows.
   *
   * @param onBytes - Told how many bytes arrived, each time.
   * @throws TransientFailure of `ERR_SOURCE_TRUNCATED` where the body ends before `into` is full.
   */
  fill(into: Uint8Array, onBytes?: (count: number) => void): Promise<void>;
}

/** Reason of our own to stop a request. */
const LATE = Symbol("late");

/**
 * Sends one GET request and hands its answer to `use`; whatever of it is left unread then is given up with its connection.
 *
 * @param signals - Any of them ends the request, with its reason.
 * @throws TransientFailure of `ERR_HTTP_CONNECTION` where no answer came.
 */
export async function exchange<T>(
  settings: HttpSettings,
  headers: Readonly<Record<string, string>>,
  signals: readonly (AbortSignal | undefined)[],
  use: (answer: HttpAnswer) => Promise<T>,
): Promise<T> {
  const path = shownUrl(settings.url);
  const { signal, abort, unlink } = linkSignals(signals);
  const { timeoutMs } = settings;
  const timer = setTimeout(() => abort(LATE), timeoutMs);
  let isRead = false;
  /** Waits for something of the network; what is said of its failure is `describe`'s, unless it was stopped. */
  const awaited = async <R>(step: Promise<R>, describe: (cause: unknown) => Error): Promise<R> => {
    try {
      const result = await step;
      timer.refresh();
      return result;
    } catch (cause) {
      if (!signal.aborted) throw describe(cause);
      if (signal.reason !== LATE) throw signal.reason;
      throw new TransientFailure(new NpyError("ERR_HTTP_CONNECTION", `no byte came for ${timeoutMs} ms`, { path }));
    }
  };
  try {
    signal.throwIfAborted();
    const request = settings.fetch(settings.url.href, { headers: { ...settings.headers, ...headers }, signal });
    const response = await awaited(request, (cause) => connectionError(cause, path));
    const fill: HttpAnswer["fill"] = async (into, onBytes) => {
      const reader = response.body?.getReader();
      for (let filled = 0; filled < into.length; ) {
        const cut = (cause?: unknown): TransientFailure => cutError(into.length, filled, path, cause);
        const { done, value } = (await (reader && awaited(reader.read(), cut))) ?? { done: true };
        if (done || value === undefined) throw cut();
        const part = value.subarray(0, into.length - filled);
        into.set(part, filled);
        filled += part.length;
        onBytes?.(part.length);
        if (part.length < value.length) return;
      }
      isRead = await endOf(response, reader, into.length);
    };
    return await use({ response, fill });
  } finally {
    clearTimeout(timer);
    unlink();
    if (!isRead) abort();
  }
}

/**
 * Reads the end of a body of which `found` bytes were read, where it comes with the last of them, so that the connection is
 * free again.
 */
async function endOf({ headers }: HttpResponse, reader: HttpBodyReader | undefined, found: number): Promise<boolean> {
  if (headers.get("content-length") !== `${found}`) return false;
  try {
    if ((await reader?.read())?.done === false) return false;
  } catch {
    return false;
  }
  // Node's fetch takes its connection back after the end of the body, in the same turn of the event loop: a request sent
  // before that would open one more.
  await nextTurn();
  return true;
}

function connectionError(cause: unknown, path: string): Error {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const what = inner instanceof Error ? inner.message : String(inner);
  const failure = new NpyError("ERR_HTTP_CONNECTION", `no answer came: ${what}`, { path, cause });
  return isTransientCause(cause) ? new TransientFailure(failure) : failure;
}

function cutError(expected: number, found: number, path: string, cause: unknown): TransientFailure {
  const message = `expected ${expected} bytes, found ${found}: the connection ended there`;
  return new TransientFailure(new NpyError("ERR_SOURCE_TRUNCATED", message, { path, cause }));
}
