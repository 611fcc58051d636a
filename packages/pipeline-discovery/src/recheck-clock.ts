import type { Candidate } from "./set-candidate.ts";

/** How a {@link RecheckClock} waits. */
export interface RecheckClockOptions {
  /** Milliseconds until an unfinished set is looked at the first time without a hint. Each further wait is twice as long. */
  readonly firstMs: number;
  /** Longest of these waits. */
  readonly longestMs: number;
}

/** A file that is written piece by piece gives an event for each; its set is looked at no more often than this. */
const PACE_MS = 10;
/** So many looks in one window double the pace of all, so that a thousand slow writers do not take a core. */
const CALM_LOOKS = 20;
const WINDOW_MS = 100;

/**
 * Plans when sets that are not complete are looked at again.
 *
 * An event of the file system calls for a look at once, or `PACE_MS` after the last one. Files that grow change no
 * folder's time, and events may be lost, so that each is also looked at by itself, less and less often.
 */
export class RecheckClock {
  readonly #options: RecheckClockOptions;
  #window = 0;
  #looks = 0;
  #looksBefore = 0;

  constructor(options: RecheckClockOptions) {
    this.#options = options;
  }

  /** Plans a look because something happened to the set. */
  soon(candidate: Candidate, look: () => void): void {
    const now = performance.now();
    const due = Math.max(now, (candidate.lookedAt ?? Number.NEGATIVE_INFINITY) + this.#pace(now));
    if (candidate.dueAt === undefined || candidate.dueAt > due) {
      this.#looks += 1;
      candidate.backoffMs = 0;
      plan(candidate, due - now, look);
    }
  }

  /** Plans a look because nothing is known to have happened for a while. */
  later(candidate: Candidate, look: () => void): void {
    const { firstMs, longestMs } = this.#options;
    candidate.backoffMs = Math.min(longestMs, candidate.backoffMs === 0 ? firstMs : candidate.backoffMs * 2);
    plan(candidate, candidate.backoffMs, look);
  }

  /** Plans a look after this many milliseconds. */
  after(candidate: Candidate, delayMs: number, look: () => void): void {
    plan(candidate, delayMs, look);
  }

  #pace(now: number): number {
    const window = Math.floor(now / WINDOW_MS);
    if (window !== this.#window) {
      this.#looksBefore = window === this.#window + 1 ? this.#looks : 0;
      this.#looks = 0;
      this.#window = window;
    }
    return PACE_MS * (1 + this.#looksBefore / CALM_LOOKS);
  }
}

function plan(candidate: Candidate, delayMs: number, look: () => void): void {
  clearTimeout(candidate.timer);
  candidate.dueAt = performance.now() + delayMs;
  candidate.timer = setTimeout(look, Math.ceil(delayMs));
}
