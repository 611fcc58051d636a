import { setTimeout as sleep } from "node:timers/promises";
import { StopSignals } from "./stop-signals.ts";

/** How long tidying up may take: an input that does not come on, a pipe or a terminal, cannot be told to end. */
const GRACE_MS = 1000;

/**
 * Does `work` that leaves something half done where it is killed: a first signal aborts it, and once it has tidied up the
 * process ends by that signal as if nobody had listened. A second one ends it at once.
 *
 * @throws what `work` throws.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  let signalled: string | undefined;
  using signals = new StopSignals((name) => {
    signalled = name;
  });
  const working = work(signals.stop);
  const settled = working.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([settled, aborted(signals.stop)]);
  if (signalled === undefined) return await working;
  await Promise.race([settled, aborted(signals.force), sleep(GRACE_MS)]);
  signals[Symbol.dispose]();
  process.kill(process.pid, signalled);
  return await working;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
