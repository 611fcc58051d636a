/** Signals that end a run: Ctrl-C, a service manager, and a terminal that is closed. */
const NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How a run that goes on until it is stopped is told to end. */
export class StopSignals implements Disposable {
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  readonly #onSignal = (name: NodeJS.Signals): void => this.#signalled(name);
  readonly #onFirst: (name: string) => void;

  /** @param onFirst - Is told of the signal that asks for an end. */
  constructor(onFirst: (name: string) => void) {
    this.#onFirst = onFirst;
    for (const name of NAMES) process.on(name, this.#onSignal);
  }

  /** Aborts when nothing more is to be begun. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborts when what is under way is to end at once. */
  get force(): AbortSignal {
    return this.#force.signal;
  }

  /** Ends everything at once. */
  endNow(reason: unknown): void {
    this.#stop.abort(reason);
    this.#force.abort(reason);
  }

  /** Leaves the signals to the system again. */
  [Symbol.dispose](): void {
    for (const name of NAMES) process.off(name, this.#onSignal);
  }

  #signalled(name: NodeJS.Signals): void {
    const reason = new Error(`the process was told to end by ${name}`);
    if (this.#stop.signal.aborted) {
      this.#force.abort(reason);
      return;
    }
    this.#stop.abort(reason);
    this.#onFirst(name);
  }
}
