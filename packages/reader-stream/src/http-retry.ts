import { setTimeout as sleep } from "node:timers/promises";
import { TransientFailure } from "./http-error.ts";
import { linkSignals } from "./link-signals.ts";

/** How often and how fast a failed request is repeated. */
export interface RetryPolicy {
  /** Repetitions after the first attempt. */
  readonly retries: number;
  /** Milliseconds before the first repetition; each next one waits twice as long. */
  readonly retryDelayMs: number;
}

/** Longest wait in milliseconds, also where a server asks for more: whoever reads would take it for hanging. */
const MAX_DELAY_MS = 30_000;

/**
 * Repeats `attempt` while it fails with a {@link TransientFailure}, with growing pauses between.
 *
 * @param signals - Any of them ends the wait, with its reason.
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  signals: readonly (AbortSignal | undefined)[],
  attempt: () => Promise<T>,
): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      if (retry >= policy.retries) throw error.failure;
      await pause(error.retryAfterMs ?? backoffMs(policy, retry), signals);
    }
  }
}

/**
 * Reads a `Retry-After` header: seconds, or a date (RFC 9110 10.2.3).
 *
 * @returns Milliseconds from now on; `undefined` where it is none.
 */
export function parseRetryAfter(text: string | null, now: number = Date.now()): number | undefined {
  if (text === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Half of it is chance, so that many readers that were refused together do not come back together. */
function backoffMs({ retryDelayMs }: RetryPolicy, retry: number): number {
  return retryDelayMs * 2 ** retry * (0.5 + Math.random() / 2);
}

async function pause(ms: number, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  const { signal, unlink } = linkSignals(signals);
  try {
    await sleep(Math.min(ms, MAX_DELAY_MS), undefined, { signal });
  } catch {
    throw signal.reason;
  } finally {
    unlink();
  }
}
