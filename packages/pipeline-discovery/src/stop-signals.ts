import { setMaxListeners } from "node:events";
import { constants } from "node:os";

/** What tells a loop to end. */
export interface StopOptions {
  readonly signal: AbortSignal | undefined;
  /** Signals of the system that end it as well. */
  readonly stopOn: readonly NodeJS.Signals[];
}

/**
 * Refuses what is no list of names of signals.
 *
 * @throws TypeError
 */
export function checkStopOn(stopOn: unknown): void {
  if (!Array.isArray(stopOn) || !stopOn.every((name) => Object.hasOwn(constants.signals, name))) {
    throw new TypeError("stopOn must be a list of names of signals, as SIGTERM");
  }
}

/** One signal that aborts when a caller's does, when the system tells the process to end, or by itself; heeded until disposed of. */
export class StopSignals implements Disposable {
  readonly #options: StopOptions;
  readonly #stop = new AbortController();
  readonly #onAbort = (): void => this.stop(this.#options.signal?.reason);
  readonly #onSignal = (name: NodeJS.Signals): void => {
    this.#isAsked = true;
    this.stop(new Error(`the process was told to end by ${name}`));
  };
  #isAsked = false;

  constructor(options: StopOptions) {
    const { signal, stopOn } = options;
    this.#options = options;
    // As many wait for the end as there are sets on their way.
    setMaxListeners(0, this.signal);
    for (const name of stopOn) {
      process.on(name, this.#onSignal);
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted === true) {
      this.#onAbort();
    }
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the end was asked for from outside. */
  get isAsked(): boolean {
    return this.#isAsked || this.#options.signal?.aborted === true;
  }

  /** Ends it from inside. */
  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /** Waits for the end. */
  async wait(): Promise<void> {
    await this.orStop(new Promise<never>(() => undefined));
  }

  /**
   * Waits for `promise` or for the end, which gives nothing. Nothing of it is kept: a race with one promise that lasts as long as
   * the loop would keep every result until then.
   */
  async orStop<T>(promise: Promise<T>): Promise<T | undefined> {
    const { signal } = this;
    let onAbort = (): void => undefined;
    const stopped = new Promise<undefined>((settle) => {
      onAbort = (): void => settle(undefined);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) {
        settle(undefined);
      }
    });
    try {
      return await Promise.race([promise, stopped]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  [Symbol.dispose](): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    for (const name of this.#options.stopOn) {
      process.off(name, this.#onSignal);
    }
  }
}
