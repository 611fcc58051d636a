import test from "ava";
import fc from "fast-check";
import { LaneDeal } from "../src/lane-deal.ts";

test("lanes give a row each in turn, and one that has ended is passed over", (t) => {
  const deal = new LaneDeal([3, 1, 2]);
  t.is(deal.length, 6);
  const taken = Array.from({ length: 6 }, (_, position) => deal.segments(position, 1)[0]);
  t.deepEqual(
    taken.map((segment) => [segment?.lane, segment?.start]),
    [
      [0, 0],
      [1, 0],
      [2, 0],
      [0, 1],
      [2, 1],
      [0, 2],
    ],
  );
});

test("segments of any batch cover it once, each lane from its next position on", (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 13 }),
      (lengths, size) => {
        const deal = new LaneDeal(lengths);
        const next = lengths.map(() => 0);
        for (let position = 0; position < deal.length; position += size) {
          const count = Math.min(size, deal.length - position);
          const seen = new Uint8Array(count);
          for (const { lane, start, count: taken, target, stride } of deal.segments(position, count)) {
            for (let i = 0; i < taken; i++) {
              t.true(start + i === next[lane]);
              next[lane] = (next[lane] ?? 0) + 1;
              seen[target + i * stride] = (seen[target + i * stride] ?? 0) + 1;
            }
          }
          if (!seen.every((times) => times === 1))
            throw new Error(`positions from ${position} on are not covered once`);
        }
        t.deepEqual(next, lengths);
      },
    ),
  );
});
