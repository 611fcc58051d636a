/**
 * Linux keeps 16,384 events for a reader (`fs.inotify.max_queued_events`) and drops further ones, of which Node says nothing. So
 * many that come at once may not have been all, and a listing is cheaper than a look at each.
 */
const MOST_HINTS = 10_000;

/** Notices that so many hints came at once that some may have been dropped. */
class HintBurst {
  readonly #listeners = new Set<() => void>();
  #count = 0;

  /** Has `listener` be called after each burst. */
  heed(listener: () => void): void {
    this.#listeners.add(listener);
  }

  leave(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Counts a hint. */
  add(): void {
    if (this.#count === 0) {
      setImmediate(() => this.#end());
    }
    this.#count += 1;
  }

  #end(): void {
    const isBurst = this.#count > MOST_HINTS;
    this.#count = 0;
    for (const listener of isBurst ? [...this.#listeners] : []) {
      listener();
    }
  }
}

/** The one of the thread: all its watches share one queue of the system, so that a root may lose what another one floods. */
export const hintBurst: HintBurst = new HintBurst();
