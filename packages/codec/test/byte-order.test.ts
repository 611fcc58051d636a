import { swapBytes, swapBytesInPlace, swapRecordsInPlace } from "@npystream/codec";
import test from "ava";

/** Bytes that tell their position, from an odd offset of their memory. */
function bytesOf(length: number): Uint8Array {
  return new Uint8Array(length + 1).map((_, i) => (i * 167) ^ (i >> 8)).subarray(1);
}

/** The definition: each unit backwards. */
function backwards(bytes: Uint8Array, unit: number): Uint8Array {
  return bytes.map((_, i) => bytes[i - (i % unit) + unit - 1 - (i % unit)] ?? 0);
}

const UNITS = [1, 2, 4, 8, 12, 16];

test("every unit is reversed in short and long arrays, and the input of swapBytes stays as it is", (t) => {
  for (const unit of UNITS) {
    // 512 bytes are where vectors begin, 65,536 where a second piece of them does; 16 units more end inside a vector.
    for (const length of [0, unit, 48, 480, 528, 65_520, 65_664, 196_608 + 16 * unit]) {
      if (length % unit !== 0) continue;
      const bytes = bytesOf(length);
      const expected = backwards(bytes, unit);
      const before = bytes.slice();
      t.deepEqual(swapBytes(bytes, unit), expected, `${length} bytes of ${unit}`);
      t.deepEqual(bytes, before);
      swapBytesInPlace(bytes, unit);
      t.deepEqual(bytes, expected);
    }
  }
});

test("bytes around those that are swapped in place stay as they are", (t) => {
  const memory = new Uint8Array(70_000).fill(7);
  const part = memory.subarray(11, 11 + 66_000);
  part.set(bytesOf(66_000));
  const expected = backwards(part, 8);
  swapBytesInPlace(part, 8);
  t.deepEqual(part, expected);
  t.true(memory.subarray(0, 11).every((byte) => byte === 7));
  t.true(memory.subarray(11 + 66_000).every((byte) => byte === 7));
});

test("a swap undoes itself, a NaN of every payload included", (t) => {
  const bits = new Uint32Array(1024).map((_, i) => 0x7f800001 + i * 4099);
  const bytes = new Uint8Array(bits.buffer);
  const before = bytes.slice();
  for (const unit of UNITS.filter((size) => 4096 % size === 0)) {
    t.deepEqual(swapBytes(swapBytes(bytes, unit), unit), before);
    t.deepEqual(swapBytes(swapBytes(bytes.subarray(0, 64), unit), unit), before.subarray(0, 64));
  }
});

test("bytes that are no whole number of units are a RangeError, and stay as they are", (t) => {
  for (const length of [9, 1025]) {
    const bytes = bytesOf(length);
    const before = bytes.slice();
    t.throws(() => swapBytes(bytes, 4), { instanceOf: RangeError, message: /not a whole number of 4-byte units/ });
    t.throws(() => swapBytesInPlace(bytes, 4), { instanceOf: RangeError });
    t.deepEqual(bytes, before);
  }
});

test("of records only the parts that are named are reversed", (t) => {
  const records = bytesOf(20 * 300);
  const before = records.slice();
  const swaps = [
    { offset: 1, unit: 4, count: 2 },
    { offset: 10, unit: 8, count: 1 },
    { offset: 18, unit: 2, count: 1 },
  ];
  swapRecordsInPlace(records, 20, swaps);
  const expected = before.map((byte, i) => {
    const at = i % 20;
    const part = swaps.find(({ offset, unit, count }) => at >= offset && at < offset + unit * count);
    if (part === undefined) return byte;
    const within = (at - part.offset) % part.unit;
    return before[i - within + part.unit - 1 - within] ?? 0;
  });
  t.deepEqual(records, expected);
  swapRecordsInPlace(records, 20, swaps);
  swapRecordsInPlace(records, 20, []);
  t.deepEqual(records, before);
});
