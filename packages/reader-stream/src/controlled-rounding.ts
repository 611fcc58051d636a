/**
 * Divides classes of rows among parts so that each part has of each class what its size says, rounded up or down, and
 * every class and every part add up exactly: controlled rounding of a table (Bacharach, 1966; Cox, 1987). It always exists,
 * since flows of whole numbers through whole capacities do.
 *
 * @param classes - Rows of each class.
 * @param sizes - Rows of each part; as many in all as the classes have.
 * @returns Rows of class `c` in part `p` at `c * sizes.length + p`.
 */
export function divideClasses(classes: ArrayLike<number>, sizes: readonly number[]): Float64Array {
  return new Rounding(classes, sizes).solve();
}

const ROUNDED_DOWN = 1;
const ROUNDED_UP = 2;

class Rounding {
  readonly #classCount: number;
  readonly #partCount: number;
  readonly #counts: Float64Array;
  /** 0 where the share of a class is whole, else how it is rounded. */
  readonly #rounded: Uint8Array;
  /** Shares that can still be rounded up, by part. */
  readonly #partLeft: number[];
  /** Shares to round up, by class. */
  readonly #classLeft: number[];
  /** What each part was to have of the classes so far, less what it got. */
  readonly #due: number[];
  readonly #fractions: Float64Array;

  constructor(classes: ArrayLike<number>, sizes: readonly number[]) {
    this.#classCount = classes.length;
    this.#partCount = sizes.length;
    this.#counts = new Float64Array(classes.length * sizes.length);
    this.#rounded = new Uint8Array(this.#counts.length);
    this.#fractions = new Float64Array(this.#counts.length);
    this.#partLeft = [...sizes];
    this.#classLeft = Array.from(classes);
    this.#due = sizes.map(() => 0);
    const total = BigInt(sizes.reduce((sum, size) => sum + size, 0));
    for (let at = 0; at < this.#counts.length; at++) {
      const [row, part] = [Math.floor(at / sizes.length), at % sizes.length];
      // The product passes 2^53 long before the rows do.
      const product = BigInt(classes[row] as number) * BigInt(sizes[part] as number);
      const floor = total === 0n ? 0 : Number(product / total);
      const rest = total === 0n ? 0n : product % total;
      this.#counts[at] = floor;
      this.#fractions[at] = Number(rest) / Number(total || 1n);
      if (rest > 0n) this.#rounded[at] = ROUNDED_DOWN;
      this.#partLeft[part] = (this.#partLeft[part] as number) - floor;
      this.#classLeft[row] = (this.#classLeft[row] as number) - floor;
    }
  }

  solve(): Float64Array {
    for (let row = 0; row < this.#classCount; row++) {
      for (let part = 0; part < this.#partCount; part++) this.#addDue(part, this.#fractions[this.#at(row, part)] ?? 0);
      for (let left = this.#classLeft[row] as number; left > 0; left--) this.#roundUpOne(row);
    }
    for (let at = 0; at < this.#counts.length; at++) {
      if (this.#rounded[at] === ROUNDED_UP) this.#counts[at] = (this.#counts[at] as number) + 1;
    }
    return this.#counts;
  }

  #roundUpOne(row: number): void {
    let best: number | undefined;
    for (let part = 0; part < this.#partCount; part++) {
      if (this.#rounded[this.#at(row, part)] !== ROUNDED_DOWN || this.#partLeft[part] === 0) continue;
      if (best === undefined || (this.#due[part] as number) > (this.#due[best] as number)) best = part;
    }
    if (best === undefined) this.#augment(row);
    else this.#round(row, best);
  }

  /** Every part that the class could have one more of is full: earlier classes move one on, along the shortest way. */
  #augment(row: number): void {
    const reached = new Map<number, { readonly from: number; readonly by: number }>();
    const queue: number[] = [];
    for (let part = 0; part < this.#partCount; part++) {
      if (this.#rounded[this.#at(row, part)] !== ROUNDED_DOWN) continue;
      reached.set(part, { from: -1, by: row });
      queue.push(part);
    }
    for (const part of queue) {
      if ((this.#partLeft[part] as number) > 0) {
        this.#shift(part, reached);
        return;
      }
      for (let other = 0; other < row; other++) {
        if (this.#rounded[this.#at(other, part)] !== ROUNDED_UP) continue;
        for (let next = 0; next < this.#partCount; next++) {
          if (reached.has(next) || this.#rounded[this.#at(other, next)] !== ROUNDED_DOWN) continue;
          reached.set(next, { from: part, by: other });
          queue.push(next);
        }
      }
    }
  }

  #shift(end: number, reached: ReadonlyMap<number, { readonly from: number; readonly by: number }>): void {
    for (let part = end; part >= 0; ) {
      const { from, by } = reached.get(part) ?? { from: -1, by: 0 };
      this.#round(by, part);
      if (from >= 0) {
        this.#rounded[this.#at(by, from)] = ROUNDED_DOWN;
        this.#partLeft[from] = (this.#partLeft[from] as number) + 1;
        this.#addDue(from, 1);
      }
      part = from;
    }
  }

  #round(row: number, part: number): void {
    this.#rounded[this.#at(row, part)] = ROUNDED_UP;
    this.#partLeft[part] = (this.#partLeft[part] as number) - 1;
    this.#addDue(part, -1);
  }

  #addDue(part: number, change: number): void {
    this.#due[part] = (this.#due[part] as number) + change;
  }

  #at(row: number, part: number): number {
    return row * this.#partCount + part;
  }
}
