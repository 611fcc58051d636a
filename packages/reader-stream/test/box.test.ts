import test from "ava";
import fc from "fast-check";
import { type Box, type BoxLimits, type BoxRead, planBoxReads } from "../src/box.ts";

const WIDE: BoxLimits = { gapBytes: 64, spanBytes: 1000 };

const range = (start: number, step: number, length: number) => ({ start, step, length });
const plan = (box: Box, limits = WIDE): BoxRead[] => [...planBoxReads(box, limits)];

test("a box without gaps is one read, whatever its size", (t) => {
  const reads = plan({
    shape: [1000, 50, 4],
    ranges: [range(10, 1, 900), range(0, 1, 50), range(0, 1, 4)],
    itemSize: 8,
  });
  t.deepEqual(
    reads.map(({ position, byteLength, target }) => [position, byteLength, target]),
    [[10 * 200 * 8, 900 * 200 * 8, 0]],
  );
});

test("a column is read along where the gap costs less than a read, and alone where it costs more", (t) => {
  const near = plan({ shape: [100, 16], ranges: [range(0, 1, 100), range(3, 1, 1)], itemSize: 4 });
  t.true(near.length < 10, `${near.length} reads`);
  t.true(near.every(({ byteLength }) => byteLength <= 1000));
  const far = plan({ shape: [100, 32], ranges: [range(0, 1, 100), range(3, 1, 1)], itemSize: 4 });
  t.deepEqual(
    far.map(({ position, byteLength, target }) => [position, byteLength, target]),
    Array.from({ length: 100 }, (_, row) => [row * 128 + 12, 4, row * 4]),
  );
});

test("nothing selected is nothing read", (t) => {
  t.deepEqual(plan({ shape: [5, 5], ranges: [range(0, 1, 5), range(2, 1, 0)], itemSize: 4 }), []);
});

test("an array without axes is its one element", (t) => {
  t.deepEqual(plan({ shape: [], ranges: [], itemSize: 16 }), [
    { position: 0, byteLength: 16, target: 0, shape: [], strides: [] },
  ]);
});

const axis = fc.integer({ min: 1, max: 7 }).chain((extent) =>
  fc.tuple(fc.integer({ min: 0, max: extent - 1 }), fc.integer({ min: 1, max: 4 })).chain(([start, step]) =>
    fc.record({
      extent: fc.constant(extent),
      start: fc.constant(start),
      step: fc.constant(step),
      length: fc.integer({ min: 0, max: Math.ceil((extent - start) / step) }),
    }),
  ),
);

test("reads together hold every element of a box at its place, in file order and within the limits", (t) => {
  fc.assert(
    fc.property(
      fc.array(axis, { maxLength: 4 }),
      fc.constantFrom(0, 1, 3, 12, 100),
      fc.constantFrom(1, 7, 40, 1000),
      (axes, gapBytes, spanBytes) => {
        const box = { shape: axes.map(({ extent }) => extent), ranges: axes, itemSize: 1 };
        // Each element of the array is its own position, so that what is copied shows where it is from.
        const total = box.shape.reduce((product, extent) => product * extent, 1);
        const size = axes.reduce((product, { length }) => product * length, 1);
        const found = new Float64Array(size).fill(-1);
        let last = -1;
        for (const read of planBoxReads(box, { gapBytes, spanBytes })) {
          if (read.position <= last || read.position + read.byteLength > total) return false;
          last = read.position;
          const count = read.shape.reduce((product, extent) => product * extent, 1);
          const isWhole = count === read.byteLength;
          if (!isWhole && read.byteLength > spanBytes) return false;
          forEachIndex(read.shape, (index, at) => {
            found[read.target + at] = read.position + dot(index, read.strides);
          });
        }
        const strides = box.shape.map((_, i) =>
          box.shape.slice(i + 1).reduce((product, extent) => product * extent, 1),
        );
        let isRight = true;
        forEachIndex(
          axes.map(({ length }) => length),
          (index, at) => {
            const places = index.map((i, k) => (axes[k]?.start ?? 0) + i * (axes[k]?.step ?? 1));
            isRight &&= found[at] === dot(places, strides);
          },
        );
        return isRight;
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

function forEachIndex(shape: readonly number[], visit: (index: readonly number[], at: number) => void): void {
  const size = shape.reduce((product, extent) => product * extent, 1);
  for (let at = 0; at < size; at++) {
    let rest = at;
    const index = shape
      .toReversed()
      .map((extent) => {
        const i = rest % extent;
        rest = (rest - i) / extent;
        return i;
      })
      .toReversed();
    visit(index, at);
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}
