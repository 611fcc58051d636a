/** How many sets stand where. */
export interface DiscoveryStats {
  /** Sets that are not complete, or not looked at yet. */
  readonly pending: number;
  /** Complete sets that nobody has taken yet. */
  readonly ready: number;
  /** Sets that were taken and neither acknowledged, released nor quarantined. */
  readonly inFlight: number;
  /** Sets that were acknowledged. */
  readonly done: number;
  /** Sets that are in quarantine now. */
  readonly quarantined: number;
  /** Milliseconds for which the oldest of the pending sets has been so. */
  readonly oldestPendingMs: number;
}
