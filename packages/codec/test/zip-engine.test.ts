import { deflateRawSync, inflateRawSync } from "node:zlib";
import { portableEngine } from "@npystream/codec";
import test from "ava";

const bytes = Uint8Array.from({ length: 10_007 }, (_, i) => (i * i) >>> 5);

test("what the portable engine deflates zlib inflates, and the other way round, at every level", (t) => {
  for (let level = 0; level <= 9; level++) {
    t.true(inflateRawSync(portableEngine.deflate(bytes, level)).equals(bytes));
    t.deepEqual(portableEngine.inflate(deflateRawSync(bytes, { level }), bytes.length), bytes);
  }
  for (const level of [-1, 10, 1.5]) {
    t.throws(() => portableEngine.deflate(bytes, level), { instanceOf: RangeError, message: /level is 0 to 9/ });
  }
});

test("the start of a stream is as long as asked for, or as the stream", (t) => {
  const stream = deflateRawSync(bytes);
  t.deepEqual(portableEngine.inflateStart(stream, 12), bytes.slice(0, 12));
  t.deepEqual(portableEngine.inflateStart(stream, 20_000), bytes);
  t.is(portableEngine.inflateStart(deflateRawSync(new Uint8Array(0)), 12).length, 0);
  t.throws(() => portableEngine.inflateStart(stream.subarray(0, 100), 20_000), { code: "ERR_NPZ_DEFLATE" });
});

test("a stream of another length than declared is ERR_NPZ_SIZE with both lengths, a broken one ERR_NPZ_DEFLATE", (t) => {
  const stream = deflateRawSync(bytes);
  t.throws(() => portableEngine.inflate(stream, 10_000), { code: "ERR_NPZ_SIZE", message: /10000 .* more/ });
  t.throws(() => portableEngine.inflate(stream, 10_008), { code: "ERR_NPZ_SIZE", message: /10008 .* 10007/ });
  t.throws(() => portableEngine.inflate(new Uint8Array(0), 0), { code: "ERR_NPZ_DEFLATE" });
});
