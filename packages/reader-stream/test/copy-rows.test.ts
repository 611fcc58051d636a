import test from "ava";
import fc from "fast-check";
import { copyRows } from "../src/copy-rows.ts";

/** A view that begins at an odd or even place of its buffer, with bytes that tell where they are. */
function numberedBytes(length: number, byteOffset: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length + byteOffset), byteOffset).map((_, at) => (at * 31 + (at >> 8)) & 255);
}

test("rows of any length go where they are wanted, from and to memory of any alignment, and nothing else changes", (t) => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 255, 512, 1024, 4096, 4097));
  const offsets = fc.integer({ min: 0, max: 9 });
  const request = fc.record({
    ids: fc.array(fc.nat(29), { maxLength: 40 }),
    target: fc.nat(3),
    stride: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(sizes, offsets, offsets, request, (rowBytes, fromOffset, intoOffset, { ids, target, stride }) => {
      const from = numberedBytes(30 * rowBytes, fromOffset);
      const into = new Uint8Array(new ArrayBuffer((target + ids.length * stride) * rowBytes + intoOffset), intoOffset);
      into.fill(7);
      const expected = into.slice();
      for (const [i, id] of ids.entries()) {
        expected.set(from.subarray(id * rowBytes, (id + 1) * rowBytes), (target + i * stride) * rowBytes);
      }
      copyRows(from, into, rowBytes, { rows: Float64Array.from(ids), count: ids.length, target, stride });
      t.deepEqual(into, expected);
    }),
    { numRuns: 150 },
  );
});

test("places say where each row goes, in any order", (t) => {
  const lengths = fc.constantFrom(1, 2, 3, 4, 8, 12, 16, 17, 100, 1024);
  const places = fc.uniqueArray(fc.nat(19), { maxLength: 20 });
  fc.assert(
    fc.property(lengths, places, fc.infiniteStream(fc.nat(9)), (rowBytes, chosen, ids) => {
      const from = numberedBytes(10 * rowBytes, 0);
      const rows = Float64Array.from(chosen, () => ids.next().value as number);
      const into = new Uint8Array(20 * rowBytes);
      const expected = into.slice();
      for (const [i, place] of chosen.entries()) {
        const row = rows[i] as number;
        expected.set(from.subarray(row * rowBytes, (row + 1) * rowBytes), place * rowBytes);
      }
      const copy = { rows, count: rows.length, target: 0, stride: 1, places: Uint32Array.from(chosen) };
      copyRows(from, into, rowBytes, copy);
      t.deepEqual(into, expected);
    }),
    { numRuns: 60 },
  );
});

test("only `count` rows are taken, and every bit of a NaN stays", (t) => {
  const from = new Uint8Array(Uint32Array.of(0x7fa0_0001, 1, 0xffb1_2345, 2).buffer);
  const into = new Uint8Array(24);
  copyRows(from, into, 8, { rows: Float64Array.of(1, 0, 1), count: 2, target: 0, stride: 1 });
  t.deepEqual(new Uint32Array(into.buffer), Uint32Array.of(0xffb1_2345, 2, 0x7fa0_0001, 1, 0, 0));
});
