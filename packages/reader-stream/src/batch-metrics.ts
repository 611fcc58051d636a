/** What an iteration over batches has done so far. */
export interface BatchMetrics {
  /** Batches delivered. */
  readonly batches: number;
  /** Rows delivered, without padding. */
  readonly rows: number;
  /** Bytes asked of the fields, as they are delivered. */
  readonly bytes: number;
  /** Ranges of rows, or sets of rows, asked of the fields. */
  readonly reads: number;
  /** Windows read. */
  readonly windows: number;
  /** Time in milliseconds that the consumer waited for batches. */
  readonly waitMs: number;
  /**
   * Most bytes that windows and batches took together, those that are made ready or not delivered yet; what reads that are
   * merged or cast, transforms and samplers take besides is not counted.
   */
  readonly peakBytes: number;
}

/** Counts for {@link BatchMetrics}. */
export class BatchCounts {
  batches = 0;
  rows = 0;
  bytes = 0;
  reads = 0;
  windows = 0;
  waitMs = 0;
  #held = 0;
  #peak = 0;

  /** Counts bytes that are held from now on. */
  take(byteLength: number): void {
    this.#held += byteLength;
    this.#peak = Math.max(this.#peak, this.#held);
  }

  /** Counts bytes that are no longer held. */
  release(byteLength: number): void {
    this.#held -= byteLength;
  }

  /** Gives the counts as they are now. */
  snapshot(): BatchMetrics {
    const { batches, rows, bytes, reads, windows, waitMs } = this;
    return { batches, rows, bytes, reads, windows, waitMs, peakBytes: this.#peak };
  }
}
