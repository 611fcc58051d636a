import { getEventListeners } from "node:events";
import test from "ava";
import { ReadQueue } from "../src/read-queue.ts";

/** A read that ends when it is told to. */
function held(log: string[], name: string) {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    end: () => end(),
    read: async () => {
      log.push(name);
      await ended;
      return name;
    },
  };
}

test("reads run one after another, also behind one that failed", async (t) => {
  const queue = new ReadQueue();
  const log: string[] = [];
  const error = new Error("the disk is gone");
  const first = held(log, "first");
  const failing = queue.run(async () => {
    await first.read();
    throw error;
  });
  const second = queue.run(async () => log.push("second"));
  await Promise.resolve();
  t.deepEqual(log, ["first"]);
  first.end();
  t.is(await t.throwsAsync(failing), error);
  t.is(await second, 2);
});

test("one that is aborted while it waits rejects at once with the reason untouched, and never runs", async (t) => {
  const queue = new ReadQueue();
  const log: string[] = [];
  const first = held(log, "first");
  const running = queue.run(first.read);
  for (const reason of [null, { why: "enough" }]) {
    const controller = new AbortController();
    const waiting = queue.run(async () => log.push("never"), controller.signal);
    controller.abort(reason);
    t.is(await waiting.catch((caught: unknown) => caught), reason);
    t.is(await queue.run(async () => log.push("never"), controller.signal).catch((caught: unknown) => caught), reason);
  }
  first.end();
  t.is(await running, "first");
  await queue.idle();
  t.deepEqual(log, ["first"]);
});

test("no listener stays behind", async (t) => {
  const queue = new ReadQueue();
  const { signal } = new AbortController();
  await Promise.all([queue.run(async () => 1, signal), queue.run(async () => 2, signal)]);
  t.is(getEventListeners(signal, "abort").length, 0);
});
