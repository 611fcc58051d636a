import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { eachConcurrently } from "../src/each-concurrently.ts";

test("so many run at once and no more, and the next item is taken when one has ended", async (t) => {
  let [underWay, most, taken] = [0, 0, 0];
  function* items(): Generator<number> {
    for (let i = 0; i < 20; i++) {
      taken++;
      t.true(underWay < 3, `${i} was taken while ${underWay} were under way`);
      yield i;
    }
  }
  const done: number[] = [];
  await eachConcurrently(items(), 3, async (item) => {
    most = Math.max(most, ++underWay);
    await turn();
    done.push(item);
    underWay--;
  });
  t.is(most, 3);
  t.is(taken, 20);
  t.deepEqual(
    done.toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test("a failure is thrown when all that is under way has ended, and no more is taken", async (t) => {
  const error = new Error("the disk is gone");
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    await turn();
    if (item === 1) throw error;
    for (let i = 0; i < 5; i++) await turn();
    ended.push(item);
  };
  t.is(await t.throwsAsync(eachConcurrently([0, 1, 2, 3, 4, 5], 3, work)), error);
  t.deepEqual(ended, [0, 2]);
});

test("a failure of null is one too, and no items are no work", async (t) => {
  const failing = eachConcurrently([1], 2, () => Promise.reject(null));
  t.is(await failing.then(() => "no failure").catch((error: unknown) => error), null);
  await eachConcurrently([], 2, async () => t.fail());
  t.pass();
});
