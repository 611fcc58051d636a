/** Runs reads one after another. One that is aborted while it waits rejects at once, and never runs. */
export class ReadQueue {
  #last: Promise<void> = Promise.resolve();

  /** Runs `read` after those that were queued before it. */
  run<T>(read: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const abort = (): void => reject(signal?.reason);
      if (signal?.aborted) {
        abort();
        return;
      }
      signal?.addEventListener("abort", abort, { once: true });
      this.#last = this.#last.then(async () => {
        signal?.removeEventListener("abort", abort);
        if (!signal?.aborted) await read().then(resolve, reject);
      });
    });
  }

  /** Resolves when no read is under way or waits. */
  idle(): Promise<void> {
    return this.#last;
  }
}
