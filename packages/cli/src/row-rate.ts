/** Milliseconds that a rate is the mean of. */
const WINDOW_MS = 10_000;

/** Rows a second of the last ten seconds. */
export class RowRate {
  readonly #begun: number;
  #recent: { readonly at: number; readonly rows: number }[] = [];

  /** @param now - Milliseconds of a clock that only goes forward. */
  constructor(now: number) {
    this.#begun = now;
  }

  /** Takes note of rows that are done. */
  add(rows: number, now: number): void {
    this.#recent.push({ at: now, rows });
    this.#drop(now);
  }

  /** Gives rows a second. */
  at(now: number): number {
    this.#drop(now);
    const rows = this.#recent.reduce((sum, one) => sum + one.rows, 0);
    return rows === 0 ? 0 : (rows * 1000) / Math.max(1, Math.min(WINDOW_MS, now - this.#begun));
  }

  #drop(now: number): void {
    const from = this.#recent.findIndex(({ at }) => at > now - WINDOW_MS);
    this.#recent = from < 0 ? [] : this.#recent.slice(from);
  }
}
