import test from "ava";
import { Wake } from "../src/wake.ts";

test("a call ends the sleep, and one that came before is not lost", async (t) => {
  const wake = new Wake();
  const order: string[] = [];
  const sleeping = wake.sleep().then(() => order.push("woke"));
  order.push("sleeps");
  wake.call();
  await sleeping;
  wake.call();
  wake.call();
  await wake.sleep();
  let isAwake = false;
  const again = wake.sleep(60_000).then(() => {
    isAwake = true;
  });
  await new Promise(setImmediate);
  t.false(isAwake, "two calls end one sleep");
  wake.call();
  await again;
  t.deepEqual(order, ["sleeps", "woke"]);
});

test("a sleep ends by itself when its time is over", async (t) => {
  await new Wake().sleep(1);
  t.pass();
});
