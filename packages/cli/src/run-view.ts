import type { Discovery } from "@npystream/pipeline-discovery";
import { printable } from "./printable-text.ts";
import type { SetRun } from "./set-run.ts";

/** Sets that are named in one line at most; a terminal shows fewer. */
const MOST_NAMED = 50;

/**
 * Words how a run stands: counts, what is under way, and what is set aside.
 *
 * @param found - Where its sets are from, where they are found here.
 */
export function runView(run: SetRun, isStopping: boolean, found?: Discovery): string[] {
  const counts: string[] = isStopping ? ["stopping"] : [];
  const stats = found?.stats();
  if (stats !== undefined) counts.push(`ready ${stats.ready}`, `waiting ${stats.pending}`);
  counts.push(run.isPublishing ? `published ${stats?.inFlight ?? 0}` : `running ${run.runningCount}`);
  counts.push(`done ${run.counts.done}`, `failed ${run.counts.failed}`);
  counts.push(`${Math.round(run.rowsPerSecond).toLocaleString("en-US")} rows/s`);
  const lines = [counts.join("  ")];
  if (run.runningCount > 0) lines.push(`running: ${run.runningText()}`);
  const quarantined = found?.quarantined ?? [];
  if (quarantined.length > 0) {
    const named = quarantined.slice(0, MOST_NAMED).map(({ key }) => printable(key));
    lines.push(`quarantined ${quarantined.length}: ${named.join(", ")}`);
  }
  return lines;
}
