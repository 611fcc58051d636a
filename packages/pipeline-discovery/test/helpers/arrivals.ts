import { setTimeout as sleep } from "node:timers/promises";
import type { ArraySet } from "../../src/index.ts";

/** A set as it was when it was delivered. */
export interface ArrivedSet {
  readonly key: string;
  /** When it was delivered, in nanoseconds of the system's monotonic clock, which Python's `time.monotonic_ns()` gives as well. */
  readonly atNs: bigint;
  /** What was in its arrays then. */
  readonly data: Readonly<Record<string, ArrayLike<unknown>>>;
  readonly set: ArraySet;
}

/** Takes sets as they are delivered, reads each whole at once and acknowledges it. */
export class Arrivals {
  readonly sets: ArrivedSet[] = [];
  #failure: { readonly reason: unknown } | undefined;

  constructor(found: AsyncIterable<ArraySet>) {
    this.#follow(found).catch((reason: unknown) => {
      this.#failure = { reason };
    });
  }

  /** Keys of the sets, in the order in which they came. */
  get keys(): string[] {
    return this.sets.map(({ key }) => key);
  }

  /** Waits until so many sets have come; a test that waits in vain is ended by AVA. */
  async waitFor(count: number): Promise<void> {
    while (this.sets.length < count) {
      if (this.#failure !== undefined) {
        throw this.#failure.reason;
      }
      await sleep(5);
    }
  }

  async #follow(found: AsyncIterable<ArraySet>): Promise<void> {
    for await (const set of found) {
      const atNs = process.hrtime.bigint();
      const data: Record<string, ArrayLike<unknown>> = {};
      for (const [role, array] of Object.entries(set.arrays)) {
        await using handle = await array.open();
        data[role] = (await handle.read()).data as ArrayLike<unknown>;
      }
      await set.ack();
      this.sets.push({ key: set.key, atNs, data, set });
    }
  }
}
