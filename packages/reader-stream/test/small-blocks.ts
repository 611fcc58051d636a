import fc from "fast-check";

/** Options of a block shuffle with blocks and windows so small that short datasets have several. */
export const smallBlocks = fc.record({
  shuffle: fc.record({
    kind: fc.constant("block" as const),
    blockRows: fc.integer({ min: 1, max: 9 }),
    windowBlocks: fc.integer({ min: 1, max: 9 }),
  }),
});
