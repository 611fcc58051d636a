import { elementType } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { ResidentRows } from "../src/resident-rows.ts";

const [float64, float32, int64, int32] = ["float64", "float32", "int64", "int32"].map((name) => elementType(name)) as [
  ReturnType<typeof elementType>,
  ...ReturnType<typeof elementType>[],
];

const cuts = fc.array(fc.nat(50), { maxLength: 6 }).map((points) => [0, ...points.toSorted((a, b) => a - b), 50]);
const requests = fc.array(fc.nat(49), { maxLength: 80 });

test("rows come in their order out of any number of pieces, empty ones too", (t) => {
  fc.assert(
    fc.property(cuts, requests, fc.constantFrom(1, 2, 5, 40), (points, ids, columns) => {
      const all = Float64Array.from({ length: 50 * columns }, (_, at) => at);
      const pieces = points.slice(1).map((stop, i) => {
        return new Uint8Array(all.slice((points[i] as number) * columns, stop * columns).buffer);
      });
      const into = new Float64Array(ids.length * columns);
      const rows = new ResidentRows(pieces, columns * 8, float64, float64);
      rows.copy(Float64Array.from(ids), new Uint8Array(into.buffer));
      t.deepEqual(
        Array.from(into),
        ids.flatMap((id) => Array.from(all.subarray(id * columns, (id + 1) * columns))),
      );
    }),
  );
});

test("rows are cast as they are copied, those of a tile and those of many", (t) => {
  const columns = 700;
  const values = Float64Array.from({ length: 50 * columns }, (_, at) => at / 3);
  const rows = new ResidentRows([new Uint8Array(values.buffer)], columns * 8, float64, float32 ?? float64);
  // A tile of 128 KiB holds 23 rows.
  for (const count of [0, 1, 23, 24, 100]) {
    const ids = Float64Array.from({ length: count }, (_, i) => (i * 17) % 50);
    const into = new Float32Array(count * columns);
    rows.copy(ids, new Uint8Array(into.buffer));
    const expected = Array.from(ids).flatMap((id) => Array.from(values.subarray(id * columns, (id + 1) * columns)));
    t.deepEqual(into, Float32Array.from(expected));
  }
  const labels = BigInt64Array.from({ length: 50 }, (_, i) => BigInt(i - 25));
  const into = new Int32Array(3);
  const casting = new ResidentRows([new Uint8Array(labels.buffer)], 8, int64 ?? float64, int32 ?? float64);
  casting.copy(Float64Array.of(49, 0, 49), new Uint8Array(into.buffer));
  t.deepEqual(into, Int32Array.of(24, -25, 24));
});
