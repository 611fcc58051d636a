import { execFileSync } from "node:child_process";
import test from "ava";
import { parseRowRange, resolveRowRange } from "../src/row-range.ts";

const RANGES = [
  ":",
  "0:3",
  "2:",
  ":2",
  "-2:",
  ":-2",
  "-3:-1",
  "5:2",
  "-100:100",
  "3:3",
  "+1:+2",
  "99999999999999999999:",
  "7:9",
];
const LENGTHS = [0, 1, 2, 5, 7];

test("rows are those of Python's slices, bounds outside clipped", (t) => {
  const program = `
import json, sys
ranges, lengths = json.loads(sys.argv[1])
def indices(text, length):
    a, b = (int(part) if part else None for part in text.split(':'))
    start, stop, _ = slice(a, b).indices(length)
    return list(range(start, stop))
print(json.dumps([[indices(r, n) for n in lengths] for r in ranges]))`;
  const expected: number[][][] = JSON.parse(
    execFileSync("python3", ["-c", program, JSON.stringify([RANGES, LENGTHS])], { encoding: "utf8" }),
  );
  for (const [row, text] of RANGES.entries()) {
    for (const [column, length] of LENGTHS.entries()) {
      const { start, stop } = resolveRowRange(parseRowRange(text), length);
      const indices = Array.from({ length: stop - start }, (_, i) => start + i);
      t.deepEqual(indices, expected[row]?.[column], `${text} of ${length}`);
    }
  }
});

test("anything but two bounds is refused", (t) => {
  for (const text of ["", "3", "1:2:3", "a:b", "1.5:2", "1e3:", "--1:", "1:2 x", "::"]) {
    t.throws(() => parseRowRange(text), { instanceOf: RangeError }, text);
  }
});
