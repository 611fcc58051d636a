import type { WriteProgress } from "./npy-write-options.ts";

const PROGRESS_MS = 100;

/** Tells somebody how far a writer is, at most ten times a second and once more at the end. */
export class ProgressClock {
  readonly #onProgress: ((progress: WriteProgress) => void) | undefined;
  #toldAt = performance.now();

  constructor(onProgress: ((progress: WriteProgress) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  /** Notes that there is something to tell. @param written - What counts the bytes, asked only where they are told. */
  tick(rows: number, written: { readonly byteLength: number }): void {
    if (this.#onProgress === undefined) return;
    const now = performance.now();
    if (now - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = now;
    this.#onProgress({ rows, bytes: written.byteLength });
  }

  /** Tells where the writer is at the end. */
  last(rows: number, bytes: number): void {
    this.#onProgress?.({ rows, bytes });
  }
}
