import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { StopSignals } from "../src/stop-signals.ts";

test("the caller's signal ends it, also one that has aborted before, with the reason", (t) => {
  const controller = new AbortController();
  using stop = new StopSignals({ signal: controller.signal, stopOn: [] });
  t.false(stop.isAsked);
  controller.abort("enough");
  t.true(stop.isAsked);
  t.is(stop.signal.reason, "enough");
  using late = new StopSignals({ signal: controller.signal, stopOn: [] });
  t.true(late.signal.aborted);
});

test("an end from inside was not asked for, and the first reason counts", (t) => {
  using stop = new StopSignals({ signal: undefined, stopOn: [] });
  stop.stop(new Error("first"));
  stop.stop(new Error("second"));
  t.false(stop.isAsked);
  t.is(stop.signal.reason.message, "first");
});

test("a signal of the system ends it, and is left to the system again afterwards", async (t) => {
  const before = process.listenerCount("SIGUSR2");
  {
    using stop = new StopSignals({ signal: undefined, stopOn: ["SIGUSR2"] });
    process.emit("SIGUSR2", "SIGUSR2");
    await stop.wait();
    t.true(stop.isAsked);
    t.regex(stop.signal.reason.message, /SIGUSR2/);
  }
  t.is(process.listenerCount("SIGUSR2"), before);
});

test("waiting gives the result or, at the end, nothing, and nothing of it is kept", async (t) => {
  using stop = new StopSignals({ signal: undefined, stopOn: [] });
  for (let i = 0; i < 100; i++) {
    t.is(await stop.orStop(Promise.resolve(i)), i);
  }
  await t.throwsAsync(stop.orStop(Promise.reject(new Error("failed"))), { message: "failed" });
  t.is(getEventListeners(stop.signal, "abort").length, 0);
  const waiting = stop.orStop(sleep(60_000, "late", { ref: false }));
  stop.stop("over");
  t.is(await waiting, undefined);
  t.is(await stop.orStop(sleep(60_000, "late", { ref: false })), undefined);
});
