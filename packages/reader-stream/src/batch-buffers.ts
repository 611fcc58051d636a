import { allocateBytes } from "./allocate-bytes.ts";
import { markPooled } from "./pooled-memory.ts";
import type { RowFields } from "./row-fields.ts";

/** Memory of one batch, by field. */
export type BatchBytes = ReadonlyMap<string, Uint8Array>;

/** Gives batches their memory: each its own, or the same again once a batch is done with. */
export class BatchBuffers {
  readonly #fields: RowFields;
  readonly #isPooled: boolean;
  readonly #free = new Map<string, ArrayBuffer[]>();

  constructor(fields: RowFields, ownership: "fresh" | "pooled") {
    this.#fields = fields;
    this.#isPooled = ownership === "pooled";
  }

  /** Gives memory for rows of every field; what is in it is of no meaning. */
  take(rows: number): BatchBytes {
    return new Map(
      this.#fields.names.map((name) => {
        const byteLength = rows * this.#fields.rowBytes(name);
        const free = this.#free.get(name);
        const index = free?.findIndex((buffer) => buffer.byteLength >= byteLength) ?? -1;
        const [buffer] = index < 0 ? [] : (free?.splice(index, 1) ?? []);
        const bytes = buffer === undefined ? allocateBytes(byteLength) : new Uint8Array(buffer, 0, byteLength);
        if (this.#isPooled) markPooled(bytes.buffer);
        return [name, bytes];
      }),
    );
  }

  /** Takes memory of a batch that was not delivered, or that the consumer is done with: its arrays are detached. */
  giveBack(bytes: BatchBytes): void {
    if (!this.#isPooled) return;
    for (const [name, { buffer }] of bytes) {
      // A transform may have handed it to another thread.
      if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) continue;
      const free = this.#free.get(name) ?? [];
      free.push(structuredClone(buffer, { transfer: [buffer] }));
      this.#free.set(name, free);
    }
  }

  /** Gives up what is kept. */
  clear(): void {
    this.#free.clear();
  }
}
