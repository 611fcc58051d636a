import { crc32 } from "node:zlib";
import { combineCrc32 } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";

test("the checksum of two pieces is that of both together", (t) => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    (first, second) => {
      return combineCrc32(crc32(first), crc32(second), second.length) === crc32(second, crc32(first));
    },
  );
  t.notThrows(() => fc.assert(property));
});

test("a piece past 4 GiB is combined in its full length", (t) => {
  const mebibyte = crc32(new Uint8Array(1 << 20));
  let zeros = mebibyte;
  let length = 1 << 20;
  for (; length < 4 * 1024 ** 3; length *= 2) zeros = combineCrc32(zeros, zeros, length);
  // Python's zlib.crc32 over 4 GiB of zeros, and over 1 MiB more.
  t.is(zeros, 3523407757);
  t.is(combineCrc32(zeros, mebibyte, 1 << 20), 3332672296);
  t.is(combineCrc32(mebibyte, zeros, length), 3332672296);
});
