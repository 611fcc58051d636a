/**
 * Aborts when the first of several signals does, until it is disposed of.
 *
 * `AbortSignal.any` is not used: on Node 20.20 200,000 of its signals with a listener kept 250 MB for as long as one of those
 * that they were made of lived (a loop that made and dropped them, after a garbage collection).
 */
export class JoinedAbort implements Disposable {
  readonly #controller = new AbortController();
  readonly #undo: (() => void)[] = [];

  constructor(signals: readonly AbortSignal[]) {
    for (const signal of signals) {
      const abort = (): void => this.#controller.abort(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      this.#undo.push(() => signal.removeEventListener("abort", abort));
    }
  }

  /** Aborts with the reason of the first. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Leaves the signals alone. */
  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }
}
