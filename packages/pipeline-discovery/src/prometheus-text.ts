import type { DiscoveryStats } from "./discovery-stats.ts";

/**
 * Writes the counts of a discovery as Prometheus reads them (text exposition format 0.0.4): `npystream_sets` by state,
 * `npystream_sets_done_total` and `npystream_oldest_pending_seconds`.
 *
 * @param labels - Labels of every line: `{ pipeline: 'train' }`.
 * @throws RangeError for the name of a label that cannot be.
 */
export function formatPrometheus(stats: DiscoveryStats, labels: Readonly<Record<string, string>> = {}): string {
  const { pending, ready, inFlight, quarantined, done, oldestPendingMs } = stats;
  const states = { pending, ready, in_flight: inFlight, quarantined };
  const lines = [
    "# HELP npystream_sets Sets by where they stand.",
    "# TYPE npystream_sets gauge",
    ...Object.entries(states).map(([state, count]) => `npystream_sets${formatLabels({ ...labels, state })} ${count}`),
    "# HELP npystream_sets_done_total Sets that were acknowledged.",
    "# TYPE npystream_sets_done_total counter",
    `npystream_sets_done_total${formatLabels(labels)} ${done}`,
    "# HELP npystream_oldest_pending_seconds How long the oldest of the pending sets has been so.",
    "# TYPE npystream_oldest_pending_seconds gauge",
    `npystream_oldest_pending_seconds${formatLabels(labels)} ${oldestPendingMs / 1000}`,
  ];
  return `${lines.join("\n")}\n`;
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    if (!/^[a-zA-Z_]\w*$/.test(name)) {
      throw new RangeError(`${JSON.stringify(name)} cannot name a label`);
    }
    const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
