import test from "ava";
import { ProgressClock } from "../src/progress-clock.ts";

test("nothing is told within a tenth of a second, and the end always", (t) => {
  const told: unknown[] = [];
  const clock = new ProgressClock((progress) => told.push(progress));
  const started = performance.now();
  for (let rows = 0; performance.now() - started < 50; rows++) clock.tick(rows, { byteLength: rows });
  t.true(told.length <= (performance.now() - started) / 100);
  clock.last(7, 56);
  t.deepEqual(told.at(-1), { rows: 7, bytes: 56 });
});

test("what counts the bytes is not asked where nobody listens", (t) => {
  const clock = new ProgressClock(undefined);
  const written = {
    get byteLength(): number {
      throw new Error("asked");
    },
  };
  t.notThrows(() => {
    clock.tick(1, written);
    clock.last(1, 8);
  });
});
