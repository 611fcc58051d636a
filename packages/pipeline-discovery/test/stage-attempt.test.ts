import { setTimeout as sleep } from "node:timers/promises";
import { isNpyError } from "@npystream/codec";
import test from "ava";
import { backoffMs, runAttempt } from "../src/stage-attempt.ts";

const never = new AbortController().signal;

test("an attempt ends as its function does", async (t) => {
  await t.notThrowsAsync(runAttempt(() => "done", { timeoutMs: 1000, signal: never }));
  const error = new Error("failed");
  const failing = async (): Promise<void> => {
    throw error;
  };
  t.is(await t.throwsAsync(runAttempt(failing, { timeoutMs: undefined, signal: never })), error);
});

test("an attempt that is told to end rejects with the reason, whatever its function throws then", async (t) => {
  const stop = new AbortController();
  const reason = new Error("enough");
  const attempt = runAttempt(
    async (signal) => {
      stop.abort(reason);
      await sleep(1000, undefined, { signal });
    },
    { timeoutMs: undefined, signal: stop.signal },
  );
  t.is(await t.throwsAsync(attempt), reason);
  let begun = false;
  const late = runAttempt(() => (begun = true), { timeoutMs: undefined, signal: stop.signal });
  t.is(await t.throwsAsync(late), reason);
  t.false(begun);
});

test("an attempt that ends well all the same counts, and one that does not end is left behind", async (t) => {
  await t.notThrowsAsync(runAttempt(() => sleep(50), { timeoutMs: 10, signal: never }));
  const error = await t.throwsAsync(runAttempt(() => new Promise(() => undefined), { timeoutMs: 10, signal: never }));
  t.true(isNpyError(error) && error.code === "ERR_STAGE_TIMEOUT");
});

test("waits double up to the longest, and differ by chance", (t) => {
  for (const [failures, most] of [
    [1, 100],
    [2, 200],
    [4, 800],
    [5, 1000],
    [2000, 1000],
  ] as const) {
    const waits = Array.from({ length: 50 }, () => backoffMs(failures, 100, 1000));
    t.true(waits.every((wait) => wait >= most / 2 && wait <= most));
    t.true(new Set(waits).size > 1);
  }
});
