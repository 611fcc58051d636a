import { execFileSync } from "node:child_process";
import { resolveIndex, resolveRange } from "@npystream/codec";
import test from "ava";

const bounds = [null, 0, 1, 2, 5, 7, -1, -2, -5, -7, 100, -100];
const steps = [null, 1, 2, 3, 100, -1, -2, -3, -100];
const program = `
import json, sys
bounds, steps = json.loads(sys.argv[1])
print(json.dumps([[start, stop, step, n, len(r), r[0] if len(r) else None, r.step]
  for n in (0, 1, 5) for start in bounds for stop in bounds for step in steps
  for r in [range(*slice(start, stop, step).indices(n))]]))
`;
const cases: [number | null, number | null, number | null, number, number, number | null, number][] = JSON.parse(
  execFileSync("python3", ["-c", program, JSON.stringify([bounds, steps])], { encoding: "utf8", maxBuffer: 1 << 24 }),
);

test("a range is what Python's slice.indices makes of it", (t) => {
  t.true(cases.length > 3000);
  for (const [start, stop, step, extent, length, first, distance] of cases) {
    const given = {
      ...(start === null ? {} : { start }),
      ...(stop === null ? {} : { stop }),
      ...(step === null ? {} : { step }),
    };
    const found = resolveRange(given, extent);
    const what = `${JSON.stringify(given)} of ${extent}`;
    t.is(found.length, length, what);
    t.is(found.step, distance, what);
    if (first !== null) t.is(found.start, first, what);
  }
});

test("bounds that are no whole numbers, and a step of 0, are refused", (t) => {
  for (const range of [{ start: 0.5 }, { stop: Number.NaN }, { step: 1.5 }, { stop: Number.POSITIVE_INFINITY }]) {
    t.throws(() => resolveRange(range, 5), { instanceOf: RangeError, message: /whole numbers/ });
  }
  t.throws(() => resolveRange({ step: 0 }, 5), { instanceOf: RangeError, message: /not 0/ });
});

test("an index counts from the end where it is negative, and is refused outside the axis", (t) => {
  t.is(resolveIndex(4, 5, 0), 4);
  t.is(resolveIndex(-5, 5, 0), 0);
  for (const index of [5, -6, 0.5, Number.NaN]) {
    t.throws(() => resolveIndex(index, 5, 3), { instanceOf: RangeError, message: /axis 3 with 5 entries/ });
  }
});

test("null is no bound, which would pass for 0", (t) => {
  for (const range of [{ start: null }, { stop: null }, { step: null }]) {
    t.throws(() => resolveRange(range as never, 5), { instanceOf: RangeError, message: /not null/ });
  }
});
