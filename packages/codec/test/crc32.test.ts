import { crc32 as zlibCrc32 } from "node:zlib";
import test from "ava";
import { crc32 } from "../src/crc32.ts";

const bytes = Uint8Array.from({ length: 10_007 }, (_, i) => (i * i) >>> 5);

test("the checksum is zlib's, of bytes of any length and at any place in memory", (t) => {
  for (const length of [0, 1, 7, 8, 9, 15, 16, 17, 10_000]) {
    for (let start = 0; start < 8; start++) {
      const part = bytes.subarray(start, start + length);
      t.is(crc32(part), zlibCrc32(part), `${length} bytes from ${start}`);
    }
  }
  t.is(crc32(new TextEncoder().encode("123456789")), 0xcbf43926, "the check value of the algorithm");
});

test("a checksum goes on from that of the bytes before", (t) => {
  for (const cut of [0, 1, 8, 100, 10_007]) {
    t.is(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut))), zlibCrc32(bytes));
  }
});
