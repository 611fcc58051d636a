/** Taken items are cut off once there are this many, since cutting moves all the others. */
const CUT = 1024;

/** A list that is added to at its end and taken from at its beginning, at the same cost however long it is. */
export class Fifo<T> {
  #items: T[] = [];
  #taken = 0;

  get length(): number {
    return this.#items.length - this.#taken;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes out up to this many, the oldest first. */
  take(count: number): T[] {
    const taken = this.#items.slice(this.#taken, this.#taken + Math.max(0, count));
    this.#taken += taken.length;
    if (this.length === 0 || (this.#taken >= CUT && this.#taken * 2 >= this.#items.length)) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return taken;
  }

  /** Goes through those that are in it, and takes none out. */
  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#taken; at < this.#items.length; at++) {
      yield this.#items[at] as T;
    }
  }
}
