import { type DType, NdArray } from "@npystream/codec";
import test from "ava";

const keepsBits = test.macro({
  title: (_, dtype: DType) =>
    `a copy of ${dtype} in another order keeps every bit, those of NaNs with a message included`,
  exec(t, dtype: DType, bits: Uint16Array | Uint32Array | BigUint64Array) {
    const array = NdArray.zeros(dtype, shapeOf(dtype, bits.length));
    const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
    new Uint8Array(array.data.buffer).set(bytes);
    // Engines move floats another way once the loop has been compiled, so both ways are seen.
    for (let run = 0; run < 20_000; run++) {
      const back = array.transpose().contiguous().transpose().contiguous();
      const found = new Uint8Array(back.data.buffer, back.data.byteOffset, back.byteLength);
      if (Buffer.compare(found, bytes) !== 0) return t.deepEqual(found, bytes, `run ${run}`);
    }
    return t.pass();
  },
});

// Signalling and quiet NaNs with a message, of both signs; the second double is what R has for a missing value.
test(keepsBits, "float16", Uint16Array.of(0x7c01, 0xfd23, 0x7e01, 0xfe45, 0x3c00, 0x8000));
test(keepsBits, "bfloat16", Uint16Array.of(0x7f81, 0xffa3, 0x7fc1, 0xffc5, 0x3f80, 0x8000));
test(keepsBits, "float32", Uint32Array.of(0x7f800001, 0xff812345, 0x7fc00001, 0xffc12345, 0x3f800000, 0x80000000));
test(keepsBits, "complex64", Uint32Array.of(0x7f800001, 0xff812345, 0x7fc00001, 0xffc12345));
test(keepsBits, "float64", BigUint64Array.of(1n << 63n, 0x7ff00000000007a2n, 0xfff0000000000001n, 0x7ff8000000000123n));
test(keepsBits, "complex128", BigUint64Array.of(1n << 63n, 0x7ff00000000007a2n, 0xfff0000000000001n, 1n));

/** Two rows, of numbers that take one entry or two. */
function shapeOf(dtype: DType, entries: number): number[] {
  return [2, entries / (dtype.startsWith("complex") ? 4 : 2)];
}
