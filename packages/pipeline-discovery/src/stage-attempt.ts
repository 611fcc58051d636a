import { NpyError } from "@npystream/codec";

/** When an attempt ends at the latest. */
export interface AttemptLimits {
  /** Milliseconds that it may take. */
  readonly timeoutMs: number | undefined;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

/** How long an attempt that was aborted may take to close what it has open, before it is no longer waited for. */
const UNWIND_MS = 1000;

/**
 * Runs one attempt, which is told by its signal when it has to end.
 *
 * One that does not heed its signal is left behind after a second, so that it holds up nothing else. It can no longer
 * commit anything.
 *
 * @throws NpyError `ERR_STAGE_TIMEOUT` where it took too long; the reason of `limits.signal`; what `run` throws.
 */
export async function runAttempt(run: (signal: AbortSignal) => unknown, limits: AttemptLimits): Promise<void> {
  const { timeoutMs, signal } = limits;
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          controller.abort(new NpyError("ERR_STAGE_TIMEOUT", `the stage took longer than ${timeoutMs} ms`));
        }, timeoutMs);
  let patience: NodeJS.Timeout | undefined;
  const leftBehind = new Promise<never>((_, reject) => {
    const onAbort = (): void => {
      patience = setTimeout(() => reject(controller.signal.reason), UNWIND_MS);
    };
    controller.signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    const work = (async () => void (await run(controller.signal)))();
    await Promise.race([work, leftBehind]);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(patience);
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/**
 * How long to wait before the next attempt, in milliseconds: up to twice as long each time, and between half of that
 * and all of it by chance, so that sets which failed together are not tried together again.
 *
 * @param failures - Attempts that have failed, from 1.
 */
export function backoffMs(failures: number, baseMs: number, maxMs: number): number {
  return Math.min(maxMs, baseMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}
