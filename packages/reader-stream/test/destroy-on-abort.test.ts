import { getEventListeners, once } from "node:events";
import { Readable } from "node:stream";
import test from "ava";
import { destroyOnAbort, failureOf, thrownOf } from "../src/destroy-on-abort.ts";

function idle(): Readable {
  return new Readable({ read: () => undefined });
}

test("an abort, also one before, destroys the stream with the reason untouched", async (t) => {
  const reason = { not: "an error" };
  const controller = new AbortController();
  const [stream, late] = [idle(), idle()];
  destroyOnAbort(stream, controller.signal);
  controller.abort(reason);
  t.is((await once(stream, "close").catch((error: unknown) => error)) as unknown, reason);
  destroyOnAbort(late, controller.signal);
  t.is((await once(late, "close").catch((error: unknown) => error)) as unknown, reason);
});

test("a reason that Node takes for no error is an AbortError of that cause", async (t) => {
  for (const reason of [null, 0, "", false]) {
    const stream = idle();
    destroyOnAbort(stream, AbortSignal.abort(reason));
    const error: unknown = await once(stream, "close").catch((caught: unknown) => caught);
    t.like(error, { name: "AbortError", cause: reason });
    t.is(thrownOf(error), reason);
  }
  const error = new Error("the disk is gone");
  t.is(failureOf(error), error);
  t.is(thrownOf(error), error);
});

test("a stream that has ended listens no more, and none is needed", (t) => {
  const { signal } = new AbortController();
  const stop = destroyOnAbort(idle(), signal);
  t.is(getEventListeners(signal, "abort").length, 1);
  stop();
  t.is(getEventListeners(signal, "abort").length, 0);
  t.notThrows(destroyOnAbort(idle(), undefined));
});
