import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";

/** Longest time in which nothing else has a turn. A turn takes a few microseconds, so that this costs nothing. */
const TURN_MS = 10;

/** Lets timers and I/O have their turn now and then, where work that waits for nothing would go on without an end. */
export class EventTurns {
  #last = performance.now();

  /** Whether the last turn is long ago. */
  get isDue(): boolean {
    return performance.now() - this.#last > TURN_MS;
  }

  /** Resolves once everything else that was due has had its turn. */
  async take(): Promise<void> {
    await setImmediate();
    this.#last = performance.now();
  }
}
