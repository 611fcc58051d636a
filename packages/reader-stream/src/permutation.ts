import { keyOf, mix } from "./counter-random.ts";

/**
 * A pseudo-random permutation of the rows 0 to `length` - 1 that needs no memory: position to row and back in O(1).
 *
 * A Feistel network (Luby and Rackoff, 1988) over the smallest power of two of at least `length` values; what falls
 * outside walks on along its cycle (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
 */
export interface Permutation {
  /** Number of rows. */
  readonly length: number;
  /** The row at a position. */
  row(position: number): number;
  /** The position of a row. */
  position(row: number): number;
}

/** Six rounds: four make a permutation that looks random (Luby and Rackoff), and two more are for the small halves. */
const ROUNDS = 6;
/** Largest half in bits: two of them make 2^52, and the arithmetic below stays exact. */
const MAX_HALF_BITS = 26;

/**
 * Makes the permutation of `seed` and `epoch`; the same three numbers give the same one on every machine.
 *
 * @param length - Number of rows, up to 2^52.
 * @param seed - Any safe integer.
 * @throws RangeError where an argument is not such a number.
 */
export function createPermutation(length: number, seed: number, epoch: number): Permutation {
  for (const [name, value] of Object.entries({ seed, epoch })) {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${name} is a safe integer, not ${value}`);
  }
  if (!Number.isSafeInteger(length) || length < 0 || length > 2 ** (2 * MAX_HALF_BITS)) {
    throw new RangeError(`a permutation has 0 to 2^52 rows, not ${length}`);
  }
  return permutationOf(length, [seed, epoch]);
}

/**
 * Makes the permutation of any whole numbers.
 *
 * @param length - Number of rows, up to 2^52.
 * @param words - Safe integers.
 */
export function permutationOf(length: number, words: readonly number[]): Permutation {
  let bits = 2;
  while (2 ** bits < length) bits++;
  // Halves that differ by a bit where the number is odd: an unbalanced network is a bijection all the same.
  const leftBits = bits >> 1;
  const rightBits = bits - leftBits;
  const leftSize = 2 ** leftBits;
  const rightSize = 2 ** rightBits;
  const keys = roundKeys(words);
  const encrypt = (value: number): number => {
    let left = Math.floor(value / rightSize);
    let right = value % rightSize;
    for (let round = 0; round < ROUNDS; round += 2) {
      left ^= mix(right ^ (keys[round] as number)) & (leftSize - 1);
      right ^= mix(left ^ (keys[round + 1] as number)) & (rightSize - 1);
    }
    return left * rightSize + right;
  };
  const decrypt = (value: number): number => {
    let left = Math.floor(value / rightSize);
    let right = value % rightSize;
    for (let round = ROUNDS - 2; round >= 0; round -= 2) {
      right ^= mix(left ^ (keys[round + 1] as number)) & (rightSize - 1);
      left ^= mix(right ^ (keys[round] as number)) & (leftSize - 1);
    }
    return left * rightSize + right;
  };
  const walk = (step: (value: number) => number, from: number): number => {
    if (!Number.isInteger(from) || from < 0 || from >= length) {
      throw new RangeError(`${from} is not one of ${length} rows`);
    }
    let value = step(from);
    while (value >= length) value = step(value);
    return value;
  };
  return { length, row: (position) => walk(encrypt, position), position: (row) => walk(decrypt, row) };
}

/** Keys of the rounds, from what the order depends on. */
function roundKeys(words: readonly number[]): Uint32Array {
  const state = keyOf(words);
  return Uint32Array.from({ length: ROUNDS }, (_, round) => {
    // Weyl steps of the golden ratio keep the keys apart.
    return mix(state + Math.imul(round + 1, 0x9e3779b9));
  });
}
