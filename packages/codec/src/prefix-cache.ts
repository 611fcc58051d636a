/** Prefixes kept: the features and the labels of a folder, and as many more. */
const MAX_ENTRIES = 4;
/** Longest prefix kept in bytes. */
const MAX_BYTES = 4096;

interface Entry<Value> {
  /** Memory of {@link MAX_BYTES}, used again: a new array for each header cost more than parsing it. */
  readonly memory: Uint8Array;
  readonly length: number;
  readonly context: object;
  readonly value: Value;
}

/** Remembers what the last few distinct prefixes were parsed to, and finds them by their bytes. */
export class PrefixCache<Value> {
  readonly #entries: Entry<Value>[] = [];
  #next = 0;

  /** Gives what the prefix that `bytes` begin with was parsed to; `undefined` where it is not among the last. */
  find(bytes: Uint8Array, context: object): Value | undefined {
    for (const { memory, length, context: known, value } of this.#entries) {
      if (known === context && beginsWith(bytes, memory, length)) return value;
    }
    return undefined;
  }

  /**
   * Remembers what a prefix was parsed to, in the place of the oldest.
   *
   * @param length - Bytes of the prefix, which are copied; one of more than 4 KiB is not remembered.
   * @param context - What else the value depends on, by identity.
   */
  add(bytes: Uint8Array, length: number, context: object, value: Value): void {
    if (length > MAX_BYTES) return;
    const memory = this.#entries[this.#next]?.memory ?? new Uint8Array(MAX_BYTES);
    for (let i = 0; i < length; i++) memory[i] = bytes[i] as number;
    this.#entries[this.#next] = { memory, length, context, value };
    this.#next = (this.#next + 1) % MAX_ENTRIES;
  }
}

function beginsWith(bytes: Uint8Array, prefix: Uint8Array, length: number): boolean {
  if (bytes.length < length) return false;
  // From the end, where the shape is: the beginning is the same in nearly all.
  for (let i = length - 1; i >= 0; i--) if (bytes[i] !== prefix[i]) return false;
  return true;
}
