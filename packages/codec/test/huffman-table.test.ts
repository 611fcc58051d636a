import test from "ava";
import { createHuffmanTable, fillHuffmanTable } from "../src/huffman-table.ts";

function codesOf(lengths: readonly number[]): string[] | false {
  const table = createHuffmanTable();
  if (!fillHuffmanTable(table, Uint8Array.from(lengths), true)) return false;
  return lengths.map((length, symbol) => {
    const at = table.entries.indexOf((symbol << 4) | length);
    // The table has the first bit of a code lowest.
    return length === 0 ? "" : [...at.toString(2).padStart(length, "0")].reverse().join("");
  });
}

test("the codes of the example in RFC 1951 section 3.2.2 are those that stand there", (t) => {
  t.deepEqual(codesOf([3, 3, 3, 3, 3, 2, 4, 4]), ["010", "011", "100", "101", "110", "00", "1110", "1111"]);
});

test("every sequence of bits is of a code, and codes of an earlier block leave nothing behind", (t) => {
  const table = createHuffmanTable();
  t.true(fillHuffmanTable(table, Uint8Array.of(2, 2, 2, 2), false));
  t.deepEqual(
    [...table.entries.subarray(0, table.mask + 1).sort()],
    [(0 << 4) | 2, (1 << 4) | 2, (2 << 4) | 2, (3 << 4) | 2],
  );
  t.true(fillHuffmanTable(table, Uint8Array.of(0, 1), true));
  t.deepEqual([...table.entries.subarray(0, table.mask + 1)], [(1 << 4) | 1, 0]);
});

test("lengths with too many codes, or too few of them, make no code", (t) => {
  t.false(codesOf([1, 1, 1]));
  t.false(codesOf([1, 2]));
  t.false(codesOf([2]), "a single code has one bit");
  t.deepEqual(codesOf([0, 0]), ["", ""], "and there may be none");
  const table = createHuffmanTable();
  t.false(fillHuffmanTable(table, Uint8Array.of(1), false));
  t.false(fillHuffmanTable(table, Uint8Array.of(0), false));
});
