import { Fifo } from "./fifo.ts";
import type { Candidate } from "./set-candidate.ts";

/** Every eighth time the sets that are doubted come first, so that they have their turn while others come without an end. */
const DOUBTED_TURN = 8;

/**
 * Sets that are to be looked at: those that are queued and, mostly where there are none of these, those that were judged and are only
 * looked at again in case that a hint was lost. They stay as they are until their turn.
 */
export class LookQueue {
  readonly #queued = new Fifo<Candidate>();
  readonly #doubted = new Fifo<Candidate>();
  #turn = 0;

  /** Number of sets that are queued. */
  get length(): number {
    return this.#queued.length;
  }

  get isEmpty(): boolean {
    return this.#queued.length === 0 && this.#doubted.length === 0;
  }

  /** Takes up a set that is queued. */
  push(candidate: Candidate): void {
    this.#queued.push(candidate);
  }

  /** Takes up those of some sets that were judged, unless they wait already. */
  doubt(candidates: Iterable<Candidate>): void {
    const waiting = new Set(this.#doubted);
    for (const candidate of candidates) {
      if (isJudged(candidate) && !waiting.has(candidate)) {
        this.#doubted.push(candidate);
      }
    }
  }

  /** Takes out up to this many, all of which are then queued. */
  take(count: number): Candidate[] {
    this.#turn = (this.#turn + 1) % DOUBTED_TURN;
    const first = this.#turn === 0 ? this.#takeDoubted(count) : [];
    const queued = this.#queued.take(count - first.length).filter(({ state }) => state === "queued");
    return [...first, ...queued, ...this.#takeDoubted(count - first.length - queued.length)];
  }

  #takeDoubted(count: number): Candidate[] {
    const judged = this.#doubted.take(count).filter(isJudged);
    for (const candidate of judged) {
      candidate.enter(candidate.isWhole ? "queued" : "partial");
    }
    return judged.filter(({ isWhole }) => isWhole);
  }
}

/** Whether a set stands as it was judged when it was looked at last. */
function isJudged({ state }: Candidate): boolean {
  return state === "waiting" || state === "taken" || state === "settled";
}
