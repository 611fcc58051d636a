import test from "ava";
import { formatPrometheus } from "../src/index.ts";

const stats = { pending: 1, ready: 2, inFlight: 3, done: 4, quarantined: 5, oldestPendingMs: 1500 };

test("counts are written as Prometheus reads them", (t) => {
  t.is(
    formatPrometheus(stats, { pipeline: "train" }),
    `# HELP npystream_sets Sets by where they stand.
# TYPE npystream_sets gauge
npystream_sets{pipeline="train",state="pending"} 1
npystream_sets{pipeline="train",state="ready"} 2
npystream_sets{pipeline="train",state="in_flight"} 3
npystream_sets{pipeline="train",state="quarantined"} 5
# HELP npystream_sets_done_total Sets that were acknowledged.
# TYPE npystream_sets_done_total counter
npystream_sets_done_total{pipeline="train"} 4
# HELP npystream_oldest_pending_seconds How long the oldest of the pending sets has been so.
# TYPE npystream_oldest_pending_seconds gauge
npystream_oldest_pending_seconds{pipeline="train"} 1.5
`,
  );
});

test("values of labels are escaped, and names that cannot be are refused", (t) => {
  t.regex(formatPrometheus(stats, { a: 'x"\\\n' }), /^npystream_sets_done_total\{a="x\\"\\\\\\n"\} 4$/m);
  t.regex(formatPrometheus(stats), /^npystream_sets_done_total 4$/m);
  t.throws(() => formatPrometheus(stats, { "a-b": "x" }), { instanceOf: RangeError });
});
