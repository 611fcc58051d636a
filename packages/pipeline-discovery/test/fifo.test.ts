import test from "ava";
import { Fifo } from "../src/fifo.ts";

test("items come out in the order in which they came in, as many as are asked for", (t) => {
  const line = new Fifo<number>();
  t.deepEqual(line.take(3), []);
  const came: number[] = [];
  for (let at = 0; at < 10_000; at++) {
    line.push(at);
    if (at % 3 === 0) {
      came.push(...line.take(2));
    }
  }
  t.is(line.length, 10_000 - came.length);
  t.deepEqual([...line].slice(0, 2), [came.length, came.length + 1]);
  t.deepEqual(line.take(0), []);
  t.deepEqual(line.take(-1), []);
  came.push(...line.take(20_000));
  t.deepEqual(
    came,
    Array.from({ length: 10_000 }, (_, at) => at),
  );
  t.is(line.length, 0);
});
