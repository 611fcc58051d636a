/**
 * Random numbers that are a function of a key and a counter (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * 2011): the same key gives the same numbers, whatever was drawn elsewhere.
 */
export class CounterRandom {
  readonly #key: number;
  #counter = 0;

  /** @param words - What the numbers depend on: safe integers, such as seed, epoch and row. */
  constructor(...words: readonly number[]) {
    this.#key = keyOf(words);
  }

  /** Draws a whole number from 0 to 2^32 - 1. */
  uint32(): number {
    // Weyl steps of the golden ratio keep the counters apart; the key goes in twice, so that two keys are no two offsets.
    return mix(mix(this.#key + Math.imul(++this.#counter, 0x9e3779b9)) ^ this.#key);
  }

  /** Draws a number from 0 up to 1, which is left out, with 53 random bits. */
  float(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /**
   * Draws a whole number from 0 up to `stop`, which is left out.
   *
   * @param stop - From 1 to 2^53 - 1.
   */
  integer(stop: number): number {
    return Math.floor(this.float() * stop);
  }

  /** Draws from the normal distribution of mean 0 and variance 1 (Box and Muller, 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }
}

/**
 * The 32-bit finaliser of MurmurHash3 (Appleby, `fmix32`). A round of one multiplication fails statistically at 1,000
 * rows.
 */
export function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Makes a key of 32 bits from the 53 bits of each number. */
export function keyOf(words: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const value of words) {
    state = mix(Math.imul(state, 31) + (value >>> 0));
    state = mix(Math.imul(state, 31) + (Math.floor(value / 2 ** 32) >>> 0));
  }
  return state;
}
