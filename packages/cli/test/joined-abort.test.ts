import test from "ava";
import { JoinedAbort } from "../src/joined-abort.ts";

test("the first signal to abort gives the reason", (t) => {
  const [first, second] = [new AbortController(), new AbortController()];
  using joined = new JoinedAbort([first.signal, second.signal]);
  t.false(joined.signal.aborted);
  const reason = new Error("enough");
  second.abort(reason);
  first.abort(new Error("later"));
  t.is(joined.signal.reason, reason);
});

test("a signal that has aborted before counts", (t) => {
  const reason = new Error("before");
  using joined = new JoinedAbort([new AbortController().signal, AbortSignal.abort(reason)]);
  t.is(joined.signal.reason, reason);
});

test("signals are left alone when it is disposed of", (t) => {
  const controller = new AbortController();
  const joined = new JoinedAbort([controller.signal]);
  joined[Symbol.dispose]();
  controller.abort();
  t.false(joined.signal.aborted);
});
