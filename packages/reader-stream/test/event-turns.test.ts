import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { NdArray } from "@npystream/codec";
import test from "ava";
import { EventTurns } from "../src/event-turns.ts";
import { type BatchesOptions, openDataset } from "../src/index.ts";

test("a turn is due some time after the last one, and lets timers run", async (t) => {
  const turns = new EventTurns();
  while (!turns.isDue) performance.now();
  let ran = false;
  const timer = sleep(0).then(() => {
    ran = true;
  });
  for (let turn = 0; turn < 3; turn++) await turns.take();
  await timer;
  t.true(ran);
  t.false(turns.isDue);
});

const aborts = test.macro({
  title: (_, what: string) => `a timer that aborts is heard while batches take no waiting: ${what}`,
  async exec(t, _what: string, options: Partial<BatchesOptions<{ readonly x: "float32" }>>) {
    await using dataset = await openDataset({ x: { from: NdArray.from(new Float32Array(1000)), as: "float32" } });
    const controller = new AbortController();
    const reason = new Error("enough");
    const timer = setTimeout(() => controller.abort(reason), 1);
    const batches = dataset.batches({ ...options, size: 10, epochs: 3000, signal: controller.signal });
    const caught = await t.throwsAsync(async () => {
      for await (const _ of batches);
      // It was not heard before the end, which takes some time.
      clearTimeout(timer);
    });
    t.is(caught, reason);
  },
});
test(aborts, "as they lie", {});
test(aborts, "a full shuffle", { shuffle: { kind: "full" } });
test(aborts, "by blocks", { shuffle: true });
test(aborts, "every one of which is skipped", {
  transform: () => {
    throw new Error("bad");
  },
  onError: () => "skip" as const,
});
