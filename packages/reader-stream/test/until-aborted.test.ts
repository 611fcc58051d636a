import { getEventListeners } from "node:events";
import test from "ava";
import { untilAborted } from "../src/until-aborted.ts";

const never = new Promise<never>(() => undefined);

test("it gives what the work gives, or fails as it does, and leaves no listener", async (t) => {
  const { signal } = new AbortController();
  const error = new Error("the disk is gone");
  t.is(await untilAborted(Promise.resolve(7), undefined), 7);
  t.is(await untilAborted(Promise.resolve(8), signal), 8);
  t.is(await t.throwsAsync(untilAborted(Promise.reject(error), signal)), error);
  t.is(getEventListeners(signal, "abort").length, 0);
});

test("an abort, also one before, ends the wait with the reason untouched", async (t) => {
  for (const reason of [null, { why: "enough" }]) {
    const controller = new AbortController();
    const waiting = untilAborted(never, controller.signal);
    controller.abort(reason);
    t.is(await waiting.catch((caught: unknown) => caught), reason);
    t.is(await untilAborted(never, controller.signal).catch((caught: unknown) => caught), reason);
    t.is(getEventListeners(controller.signal, "abort").length, 0);
  }
});

test("work that fails after the abort is no unhandled rejection", async (t) => {
  let fail = (_: Error): void => undefined;
  const work = new Promise<never>((_, reject) => {
    fail = reject;
  });
  await t.throwsAsync(untilAborted(work, AbortSignal.abort(new Error("enough"))), { message: "enough" });
  fail(new Error("too late"));
  await new Promise((resolve) => setImmediate(resolve));
  t.pass();
});
