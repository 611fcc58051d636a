import type { Random } from "./random.ts";

const BYTES = [0x00, 0x01, 0x0a, 0x20, 0x27, 0x28, 0x5b, 0x7b, 0x7f, 0x80, 0xff];

/** Numbers at which arithmetic goes wrong, beside those near the file's length. */
const NUMBERS = [
  ...[0n, 1n, 2n, 7n, 8n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0x8000n, 0xffffn, 0x10000n, 0x100000n],
  ...[0x7fffffffn, 0x80000000n, 0xfffffffen, 0xffffffffn, 0x100000000n, 1n << 40n],
  ...[(1n << 53n) - 1n, 1n << 53n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n],
];

/** A number to put where a length, a count or an offset is. */
export function hostileNumber(random: Random, fileBytes: number): bigint {
  if (random.oneIn(3)) return BigInt(Math.max(0, fileBytes - random.below(200) + random.below(20)));
  if (random.oneIn(3)) return BigInt(random.below(1 << (1 + random.below(24))));
  return random.pick(NUMBERS);
}

/** Writes a little-endian number of 1, 2, 4 or 8 bytes as far as it fits into the bytes. */
export function putNumber(bytes: Uint8Array, at: number, width: number, value: bigint): void {
  for (let i = 0; i < width && at + i < bytes.length; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

/** Changes bytes without a thought for what they mean. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  const length = 1 + random.below(random.oneIn(4) ? 2000 : 20);
  switch (random.below(7)) {
    case 0:
      return changed(bytes, (copy) => {
        for (let i = random.below(8); i >= 0; i--) flipBit(copy, random.below(copy.length), random.below(8));
      });
    case 1:
      return changed(bytes, (copy) => {
        for (let i = random.below(4); i >= 0; i--) copy[random.below(copy.length)] = random.pick(BYTES);
      });
    case 2:
      return changed(bytes, (copy) => {
        putNumber(copy, at, random.pick([2, 4, 8]), hostileNumber(random, bytes.length));
      });
    case 3:
      return bytes.slice(0, at);
    case 4:
      return replaced(bytes, at, at + length, new Uint8Array(0));
    case 5:
      return replaced(bytes, at, at, new Uint8Array(length).fill(random.pick(BYTES)));
    default:
      return replaced(bytes, at, at + random.below(length), pieceOf(bytes, random, length));
  }
}

/** The beginning of one file and the end of another, or a piece of one in the other. */
export function splice(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  if (random.oneIn(2)) return replaced(bytes, at, bytes.length, other.subarray(random.below(other.length + 1)));
  const length = 1 + random.below(400);
  return replaced(bytes, at, at + random.below(length), pieceOf(other, random, length));
}

/** A copy with what `change` does to it. */
export function changed(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = new Uint8Array(bytes);
  if (copy.length > 0) change(copy);
  return copy;
}

/** The bytes with those from `start` to `stop` replaced by others. */
export function replaced(bytes: Uint8Array, start: number, stop: number, by: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(stop, bytes.length));
  const joined = new Uint8Array(start + by.length + rest.length);
  joined.set(bytes.subarray(0, start));
  joined.set(by, start);
  joined.set(rest, start + by.length);
  return joined;
}

function flipBit(bytes: Uint8Array, at: number, bit: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
}

function pieceOf(bytes: Uint8Array, random: Random, length: number): Uint8Array {
  const from = random.below(bytes.length + 1);
  return bytes.subarray(from, from + length);
}
