import test from "ava";
import { cutBlocks, planBlocks, tableOf } from "../src/deflate-blocks.ts";

const MIB = 1 << 20;

test("blocks are about 1 MiB and end with a row, the first with the header before them", (t) => {
  t.deepEqual(planBlocks(128, 3600), { blockBytes: 291 * 3600, firstBytes: 128 + 291 * 3600 });
  t.deepEqual(planBlocks(128, 1), { blockBytes: MIB, firstBytes: 128 + MIB });
  t.deepEqual(planBlocks(128, 3 * MIB), { blockBytes: 3 * MIB, firstBytes: 128 + 3 * MIB });
  t.deepEqual(planBlocks(128, 5 * MIB), { blockBytes: MIB, firstBytes: 128 + MIB }, "a long row is cut");
  t.deepEqual(planBlocks(0, 0), { blockBytes: MIB, firstBytes: MIB }, "there are no rows");
});

test("content in any pieces is cut alike, without a copy where a block lies in one piece", (t) => {
  const content = Uint8Array.from({ length: 25 }, (_, i) => i);
  const plan = { firstBytes: 7, blockBytes: 6 };
  for (const places of [[], [7], [3, 20], [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 25]]) {
    const ends = [...places, content.length];
    const pieces = ends.map((end, i) => content.subarray(i === 0 ? 0 : ends[i - 1], end));
    const blocks = [...cutBlocks(pieces, plan)];
    t.deepEqual(
      blocks.map((block) => [...block]),
      [0, 7, 13, 19].map((start, i) => [...content.subarray(start, [7, 13, 19, 25][i])]),
    );
  }
  t.true([...cutBlocks([content], plan)].every((block) => block.buffer === content.buffer));
});

test("no content is one empty block", (t) => {
  const plan = { firstBytes: 7, blockBytes: 6 };
  t.deepEqual([...cutBlocks([], plan)], [new Uint8Array(0)]);
  t.deepEqual(tableOf(plan, 0, [new Uint8Array(2)]), {
    firstBytes: 0,
    blockBytes: 6,
    compressed: Float64Array.of(0, 2),
  });
});
