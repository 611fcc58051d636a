import { createHash } from "node:crypto";
import test from "ava";
import { sha256 } from "../src/sha256.ts";

test("the digest is that of all parts behind each other, in pieces of any length", (t) => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
  const expected = createHash("sha256").update("head").update(bytes).update("tail").digest("hex");
  for (const pieceBytes of [1, 7, 999, 1000, 1001, undefined]) {
    t.is(sha256(["head", bytes, "tail", new Uint8Array(0)], pieceBytes), expected);
  }
});

test("no more than Node takes at once is hashed at once", (t) => {
  const pieces: number[] = [];
  const long = {
    length: 2 ** 31 + 5,
    subarray: (start: number, stop: number) => {
      pieces.push(Math.min(stop, long.length) - start);
      return new Uint8Array(1);
    },
  };
  // Hashing 2 GiB takes seconds; what is asked for of them is all that counts.
  sha256([long as unknown as Uint8Array]);
  t.is(
    pieces.reduce((sum, length) => sum + length, 0),
    long.length,
  );
  t.true(pieces.every((length) => length < 2 ** 31));
});
