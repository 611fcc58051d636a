import { decodeNpy, encodeNpy, fromNested, NdArray, NpyParser, type NpyPart } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";

const arrays: readonly NdArray[] = [
  NdArray.from(
    Float32Array.from({ length: 30 }, (_, i) => i / 7),
    [10, 3],
  ),
  fromNested([1n, 2n, 3n], "int64"),
  NdArray.from(
    Int16Array.from({ length: 24 }, (_, i) => i),
    [4, 3, 2],
  ).transpose(),
  NdArray.zeros("float64", []),
  NdArray.zeros("uint8", [0, 5]),
  NdArray.zeros("uint8", [5, 0]),
  fromNested(
    [
      { a: 1, b: "x" },
      { a: 2, b: "yz" },
    ],
    [
      ["a", ">i4"],
      ["b", "U2"],
    ],
  ),
];

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

function parse(pieces: readonly Uint8Array[], chunkBytes = 64): NpyPart[] {
  const parser = new NpyParser({ chunkBytes });
  const parts: NpyPart[] = [];
  for (const piece of pieces) {
    const lent = piece.slice();
    parts.push(...parser.push(lent));
    // The bytes are the caller's again.
    lent.fill(0xee);
  }
  parser.finish();
  return parts;
}

/** Puts the chunks of each array together again. */
function values(parts: readonly NpyPart[], index: number): unknown {
  const chunks = parts.flatMap((part) => (part.kind === "rows" && part.index === index ? [part.rows] : []));
  if (chunks[0]?.rank === 0) return chunks[0].toNested();
  return chunks.flatMap((chunk) => chunk.toNested() as unknown[]);
}

function sequence(list: readonly NdArray[]): Uint8Array {
  return new Uint8Array(Buffer.concat(list.map((array) => encodeNpy(array))));
}

test("a sequence of arrays is parsed the same however its bytes are cut", async (t) => {
  const bytes = sequence(arrays);
  await fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 40 }), fc.integer({ min: 1, max: 500 }), (places, chunkBytes) => {
      const parts = parse(cut(bytes, places), chunkBytes);
      for (const [index, array] of arrays.entries()) {
        t.deepEqual(values(parts, index), array.toNested() as unknown);
        const kinds = parts.filter((part) => part.index === index).map(({ kind }) => kind);
        t.is(kinds[0], "header");
        t.is(kinds.at(-1), "end");
      }
    }),
    { numRuns: 60 },
  );
});

test("byte by byte, rows come as soon as they are whole, each with its place", (t) => {
  const bytes = encodeNpy(arrays[0] as NdArray);
  const parser = new NpyParser();
  const starts: number[] = [];
  for (const [i, byte] of bytes.entries()) {
    for (const part of parser.push(Uint8Array.of(byte))) {
      if (part.kind === "rows") starts.push(part.rows.rowStart);
      if (part.kind === "header") t.is(i, 127);
      if (part.kind === "end") t.is(i, bytes.length - 1);
    }
  }
  t.deepEqual(starts, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("chunks are no longer than asked for, a row at least", (t) => {
  const bytes = encodeNpy(arrays[0] as NdArray);
  const sizes = (chunkBytes: number): number[] =>
    parse([bytes], chunkBytes).flatMap((part) => (part.kind === "rows" ? [part.rows.length] : []));
  t.deepEqual(sizes(50), [4, 4, 2]);
  t.deepEqual(sizes(1), Array(10).fill(1));
  t.throws(() => new NpyParser({ chunkBytes: 0 }), { instanceOf: RangeError });
});

test("bytes that end inside an array are ERR_NPY_TRUNCATED at every cut", (t) => {
  const bytes = encodeNpy(arrays[1] as NdArray);
  for (let end = 0; end < bytes.length; end++) {
    const parser = new NpyParser();
    t.is([...parser.push(bytes.subarray(0, end))].filter(({ kind }) => kind === "end").length, 0);
    t.throws(() => parser.finish(), { code: "ERR_NPY_TRUNCATED" }, `${end} bytes`);
  }
  t.is(decodeNpy(bytes).length, 3);
});

test("a header that declares more than will ever come costs only what came", (t) => {
  const huge = encodeNpy(NdArray.zeros("float64", [1, 0]));
  const text = Buffer.from(huge)
    .toString("latin1")
    .replace("(1, 0), }  ", "(1, 9999999999999)}".padEnd(11))
    .slice(0, 128);
  const parser = new NpyParser();
  const [part] = [...parser.push(new Uint8Array(Buffer.from(`${text.slice(0, 127)}\n`, "latin1")))];
  t.is(part?.kind, "header");
  t.deepEqual([...parser.push(new Uint8Array(1000))], []);
  t.throws(() => parser.finish(), { code: "ERR_NPY_TRUNCATED" });
});

test("what is no array is refused with its code", (t) => {
  t.throws(() => parse([new TextEncoder().encode("hello, this is text")]), { code: "ERR_NPY_MAGIC" });
  t.throws(() => parse([sequence([arrays[1] as NdArray]), new TextEncoder().encode("and some text behind")]), {
    code: "ERR_NPY_MAGIC",
  });
});

test("a Buffer whose memory is used again for the next bytes is parsed as well", (t) => {
  const bytes = encodeNpy(arrays[1] as NdArray);
  const parser = new NpyParser();
  const lent = Buffer.alloc(7);
  const parts: NpyPart[] = [];
  for (let at = 0; at < bytes.length; at += lent.length) {
    const count = Math.min(lent.length, bytes.length - at);
    lent.set(bytes.subarray(at, at + count));
    parts.push(...parser.push(lent.subarray(0, count)));
    lent.fill(0xee);
  }
  parser.finish();
  t.deepEqual(values(parts, 0), [1n, 2n, 3n]);
});
