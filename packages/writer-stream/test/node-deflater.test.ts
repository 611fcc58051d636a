import { inflateRawSync } from "node:zlib";
import { portableEngine, zipBlocks } from "@npystream/codec";
import test from "ava";
import { deflateAhead, nodeDeflater } from "../src/node-deflater.ts";

const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * i) >> 7);

test("zlib's checksum is the portable engine's, whole and continued", (t) => {
  t.is(nodeDeflater.crc32(bytes, 0), portableEngine.crc32(bytes));
  const half = nodeDeflater.crc32(bytes.subarray(0, 1000), 0);
  t.is(nodeDeflater.crc32(bytes.subarray(1000), half), nodeDeflater.crc32(bytes, 0));
});

test("what is deflated inflates again", (t) => {
  t.deepEqual(new Uint8Array(inflateRawSync(nodeDeflater.deflateBlock(bytes, 6, true))), bytes);
});

test("blocks deflated ahead are those that are deflated at once, and join to one stream", async (t) => {
  const long = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> 9);
  const input = { name: "a", content: [long.subarray(0, 100), long.subarray(100)] };
  const blocks = zipBlocks(input);
  t.is(blocks.length, 3);
  const [ahead] = await deflateAhead([input], 6);
  t.deepEqual(
    ahead?.deflated,
    blocks.map((block, index) => nodeDeflater.deflateBlock(block, 6, index === 2)),
  );
  t.deepEqual(new Uint8Array(inflateRawSync(Buffer.concat(ahead?.deflated ?? []))), long);
});
