import { inflateRawSync } from "node:zlib";
import { portableEngine } from "@npystream/codec";
import test from "ava";
import { deflateAhead, nodeDeflater } from "../src/node-deflater.ts";

const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * i) >> 7);

test("zlib's checksum is the portable engine's, whole and continued", (t) => {
  t.is(nodeDeflater.crc32(bytes), portableEngine.crc32(bytes));
  const half = nodeDeflater.crc32(bytes.subarray(0, 1000));
  t.is(nodeDeflater.crc32(bytes.subarray(1000), half), nodeDeflater.crc32(bytes));
});

test("what is deflated inflates again, at once or ahead", async (t) => {
  t.deepEqual(new Uint8Array(inflateRawSync(nodeDeflater.deflate(bytes, 6))), bytes);
  const ahead = await deflateAhead([{ name: "a", bytes }], 6);
  t.deepEqual(ahead.deflate(bytes, 6), nodeDeflater.deflate(bytes, 6));
});
