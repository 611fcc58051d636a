import { formatNpyHeader } from "@npystream/codec";
import test from "ava";
import { GrowingHeader } from "../src/growing-header.ts";

/** A version 1.0 header with this text. */
function headerOf(text: string): Uint8Array {
  const length = Buffer.from([text.length & 0xff, text.length >> 8]);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, Buffer.from(text, "latin1")]);
}

function patched(bytes: Uint8Array, rows: number): Uint8Array {
  const patch = new GrowingHeader(bytes).patch(rows);
  const grown = new Uint8Array(bytes);
  if (patch !== undefined) grown.set(patch.bytes, patch.position);
  return grown;
}

test("a header of NumPy's grows into what it writes for so many rows, up to 2^53 - 1", (t) => {
  for (const shape of [[0], [9, 3], [99, 2, 2], [5, 0]]) {
    const bytes = formatNpyHeader({ dtype: "float32", shape });
    t.is(new GrowingHeader(bytes).mostRows, Number.MAX_SAFE_INTEGER);
    for (const rows of [9, 10, 12_345, 2 ** 40]) {
      t.deepEqual(patched(bytes, rows), formatNpyHeader({ dtype: "float32", shape: [rows, ...shape.slice(1)] }));
    }
  }
});

test("a patch is the bytes that differ, and none where none do", (t) => {
  const bytes = formatNpyHeader({ dtype: "float32", shape: [128, 3] });
  const at = Buffer.from(bytes).indexOf("128");
  const patch = new GrowingHeader(bytes).patch(129);
  t.deepEqual(patch, { position: at + 2, bytes: Uint8Array.of(0x39), old: Uint8Array.of(0x38) });
  t.is(new GrowingHeader(bytes).patch(128), undefined);
});

test("a field named shape, quotes and brackets in names do not mislead", (t) => {
  const tricky = ["shape", "'shape': (7,", "a\\'}({[", "é"];
  for (const name of tricky) {
    const dtype = [[name, "<i4"] as const];
    const bytes = formatNpyHeader({ dtype, shape: [9] });
    t.deepEqual(patched(bytes, 1000), formatNpyHeader({ dtype, shape: [1000] }), name);
  }
});

test("a number written otherwise becomes a plain one", (t) => {
  for (const number of ["9L", "9"]) {
    const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${number}, 3), }`.padEnd(117);
    const grown = Buffer.from(patched(headerOf(`${text}\n`), 10)).toString("latin1", 10);
    t.is(grown, `${"{'descr': '<f4', 'fortran_order': False, 'shape': (10, 3), }".padEnd(117)}\n`, number);
  }
});

test("a key that is not written plainly cannot be changed, and says so", (t) => {
  const text = "{'descr': '<f4', 'fortran_order': False, 's\\x68ape': (9, 3), }".padEnd(117);
  t.throws(() => new GrowingHeader(headerOf(`${text}\n`)), { code: "ERR_WRITE_APPEND" });
});
