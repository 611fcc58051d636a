import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { isNpyError } from "@npystream/codec";
import test from "ava";
import fc from "fast-check";
import { RawInflater, WINDOW_BYTES } from "../src/raw-inflater.ts";

/** Inflates into pieces of `room` bytes behind a window, as one that keeps nothing does. */
function inflateInPieces(bytes: Uint8Array, room: number): Buffer {
  const inflater = new RawInflater(bytes);
  const output = new Uint8Array(WINDOW_BYTES + room);
  const pieces: Buffer[] = [];
  // Until the window has been filled, all that came lies in front.
  let at = 0;
  for (;;) {
    const limit = Math.min(output.length, at + room);
    const end = inflater.inflate(output.subarray(0, limit), at);
    pieces.push(Buffer.from(output.slice(at, end)));
    if (inflater.isDone) return Buffer.concat(pieces);
    const dropped = Math.max(0, end - WINDOW_BYTES);
    output.copyWithin(0, dropped, end);
    at = end - dropped;
  }
}

/** Content of all kinds: noise, runs, repeats near and far. */
const contents = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(20_000)).map(([unit, times]) => {
        return Uint8Array.from({ length: times }, (_, i) => unit[i % unit.length] ?? 0);
      }),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => Buffer.concat([...pieces, ...pieces.slice(0, 3)]));

const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED } = constants;
const deflates = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  strategy: fc.constantFrom(Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED),
});

test("whatever zlib deflates comes back, at every level and strategy and in pieces of any size", (t) => {
  fc.assert(
    fc.property(contents, deflates, fc.integer({ min: 1, max: 40_000 }), (content, options, room) => {
      t.true(inflateInPieces(deflateRawSync(content, options), room).equals(content));
    }),
    { numRuns: 300 },
  );
});

function resultOf(inflate: () => Uint8Array): Uint8Array | "refused" {
  try {
    return inflate();
  } catch (error) {
    if (isNpyError(error)) return "refused";
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) return "refused";
    throw error;
  }
}

test("broken streams are refused where zlib refuses them, and else inflate to what zlib gives", (t) => {
  let refused = 0;
  fc.assert(
    fc.property(
      contents,
      deflates,
      fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat(), { nil: undefined }),
      (content, options, flips, cut) => {
        const bytes = new Uint8Array(deflateRawSync(content, options));
        // Most of what decides is at the start.
        for (const [place, bit] of flips) {
          const at = place % Math.min(bytes.length, 100);
          bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        }
        const broken = cut === undefined ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
        const expected = resultOf(() => inflateRawSync(broken));
        const found = resultOf(() => inflateInPieces(broken, 10_000));
        if (expected === "refused") refused++;
        t.deepEqual(found, expected);
      },
    ),
    { numRuns: 1500 },
  );
  t.true(refused > 300);
});

/** Bits as they come in the stream, lowest of each byte first. */
function bits(text: string): Uint8Array {
  const digits = text.replaceAll(" ", "");
  return Uint8Array.from({ length: Math.ceil(digits.length / 8) }, (_, i) =>
    Number.parseInt([...digits.slice(8 * i, 8 * i + 8)].reverse().join(""), 2),
  );
}

const refuses = test.macro({
  title: (_, what: string) => `${what} is ERR_NPZ_DEFLATE, and the message says so`,
  exec(t, _what: string, bytes: Uint8Array, message: RegExp) {
    t.is(
      resultOf(() => inflateRawSync(bytes)),
      "refused",
    );
    t.throws(() => new RawInflater(bytes).inflate(new Uint8Array(1000), 0), { code: "ERR_NPZ_DEFLATE", message });
  },
});
test(refuses, "no byte at all", new Uint8Array(0), /cut/);
test(refuses, "a block type that there is not", bits("1 11"), /type 3/);
test(refuses, "a stored block whose lengths differ", Uint8Array.of(1, 5, 0, 5, 0), /complement/);
test(refuses, "a stored block that is cut", Uint8Array.of(1, 5, 0, 0xfa, 0xff, 1), /ends inside/);
test(refuses, "a match before the first byte", bits("1 10 0000001 00000"), /before the first byte/);
test(refuses, "a length symbol that stands for nothing", bits("1 10 11000110"), /length/);
test(refuses, "a distance symbol that stands for nothing", bits("1 10 00110000 0000001 11110"), /distance/);
test(refuses, "too many literal codes", bits("1 01 11111 00000 0000"), /too many/);
// Symbols 16 and 0 have the codes 1 and 0.
const repeats = bits(`1 01 00000 00000 0000 100 000 000 100 ${"1".repeat(80)}`);
test(refuses, "a repeat without a length before it", repeats, /repeats none/);
const none = bits(`1 01 00000 00000 0000 100 000 000 100 ${"0".repeat(300)}`);
test(refuses, "a block without a code for its end", none, /for its end/);
test(
  refuses,
  "code lengths that make no code",
  bits(`1 01 00000 00000 0000 100 100 100 100 ${"0".repeat(80)}`),
  /make no code/,
);

test("a stream that goes on costs nothing past the room it is given", (t) => {
  const bomb = deflateRawSync(new Uint8Array(1 << 20));
  const inflater = new RawInflater(bomb);
  const room = new Uint8Array(10).fill(7);
  t.is(inflater.inflate(room, 0), 10);
  t.false(inflater.isDone);
  t.deepEqual(room, new Uint8Array(10));
});
