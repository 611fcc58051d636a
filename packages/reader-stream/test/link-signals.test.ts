import { getEventListeners } from "node:events";
import test from "ava";
import { linkSignals } from "../src/link-signals.ts";

test("a linked signal is aborted with the first of the others, for its reason", (t) => {
  const [first, second] = [new AbortController(), new AbortController()];
  const { signal } = linkSignals([first.signal, undefined, second.signal]);
  t.false(signal.aborted);
  const reason = { not: "an error" };
  second.abort(reason);
  first.abort("too late");
  t.is(signal.reason, reason);
});

test("a signal that is aborted already aborts at once", (t) => {
  t.is(linkSignals([AbortSignal.abort("over")]).signal.reason, "over");
});

test("unlinking gives up every listener", (t) => {
  const { signal } = new AbortController();
  const links = Array.from({ length: 3 }, () => linkSignals([signal]));
  t.is(getEventListeners(signal, "abort").length, 3);
  for (const { unlink } of links) unlink();
  t.is(getEventListeners(signal, "abort").length, 0);
});
