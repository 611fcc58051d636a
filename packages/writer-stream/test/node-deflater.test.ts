import { inflateRawSync } from "node:zlib";
import test from "ava";
import { BlockDeflater } from "../src/node-deflater.ts";

const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * i) >> 7);

test("a last block inflates, and others before it join to one stream and inflate alone", async (t) => {
  const deflater = new BlockDeflater(6, 2);
  const blocks = [bytes.subarray(0, 300_000), bytes.subarray(300_000, 300_001), bytes.subarray(300_001)];
  const deflated = await Promise.all(blocks.map((block, index) => deflater.deflate(block, index === 2)));
  t.deepEqual(new Uint8Array(inflateRawSync(Buffer.concat(deflated))), bytes);
  for (const [index, block] of deflated.entries()) {
    const ended = Buffer.concat([block, Buffer.of(3, 0)]);
    t.deepEqual(new Uint8Array(inflateRawSync(ended)), blocks[index]);
  }
});

test("buffers that were given back are used again, and what is in flight is counted", (t) => {
  const deflater = new BlockDeflater(6, 2);
  const first = deflater.take(1 << 20);
  const second = deflater.take(3 << 20);
  t.true(first.length >= 1 << 20 && second.length >= 3 << 20);
  t.is(deflater.inFlight, 2);
  deflater.give(first);
  t.is(deflater.inFlight, 1);
  t.not(deflater.take(3 << 20), first);
  t.is(deflater.take((1 << 20) + 512), first);
});
