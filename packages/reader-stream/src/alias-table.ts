import type { CounterRandom } from "./counter-random.ts";

/**
 * Draws indices in proportion to weights in O(1) (Walker, 1977; built as Vose, 1991). 16 bytes a weight; no limit of their
 * number but memory.
 */
export class AliasTable {
  readonly #keep: Float64Array;
  readonly #alias: Float64Array;

  /** @throws RangeError where a weight is negative or not finite, or none is positive. */
  constructor(weights: ArrayLike<number>) {
    const count = weights.length;
    let [sum, heaviest] = [0, 0];
    for (let i = 0; i < count; i++) {
      const weight = weights[i] as number;
      if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
        throw new RangeError(`weight ${i} is ${weight}: weights are finite numbers from 0`);
      }
      sum += weight;
      if (weight > (weights[heaviest] as number)) heaviest = i;
    }
    if (!(sum > 0 && sum < Number.POSITIVE_INFINITY)) throw new RangeError(`the weights add up to ${sum}`);
    const keep = Float64Array.from({ length: count }, (_, i) => ((weights[i] as number) * count) / sum);
    const alias = new Float64Array(count).fill(heaviest);
    // Indices of less than the mean from the front, of more from the back.
    const order = new Float64Array(count);
    let [small, large] = [0, count];
    for (let i = 0; i < count; i++) order[(keep[i] as number) < 1 ? small++ : --large] = i;
    let next = 0;
    while (next < small && large < count) {
      const low = order[next++] as number;
      const high = order[large] as number;
      alias[low] = high;
      keep[high] = (keep[high] as number) - (1 - (keep[low] as number));
      if ((keep[high] as number) >= 1) continue;
      // It has become a small one, and the place it leaves is where those end.
      large++;
      order[small++] = high;
    }
    // What rounding leaves keeps itself.
    while (next < small) keep[order[next++] as number] = 1;
    while (large < count) keep[order[large++] as number] = 1;
    for (let i = 0; i < count; i++) if ((weights[i] as number) === 0) keep[i] = 0;
    this.#keep = keep;
    this.#alias = alias;
  }

  /** Draws an index. */
  draw(random: CounterRandom): number {
    const index = random.integer(this.#keep.length);
    return random.float() < (this.#keep[index] as number) ? index : (this.#alias[index] as number);
  }
}
