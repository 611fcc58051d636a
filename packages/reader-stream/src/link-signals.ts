import { setMaxListeners } from "node:events";

/** A signal that is aborted with others. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Aborts this signal alone. */
  readonly abort: (reason?: unknown) => void;
  /** Gives up the listeners. `AbortSignal.any` has nothing like it, and its signals live as long as their sources. */
  readonly unlink: () => void;
}

/** Makes a signal that is aborted as soon as one of `signals` is, with its reason. */
export function linkSignals(signals: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  // As many reads as are under way listen to it, and stop to when they have ended.
  setMaxListeners(0, controller.signal);
  const links: (() => void)[] = [];
  for (const signal of signals) {
    if (signal === undefined) continue;
    const abort = (): void => controller.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    links.push(() => signal.removeEventListener("abort", abort));
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => {
      for (const unlink of links) unlink();
    },
  };
}
