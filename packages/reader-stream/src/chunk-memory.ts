import { allocateBytes } from "./allocate-bytes.ts";
import { markPooled } from "./pooled-memory.ts";

/** Gives chunks of a stream their memory: each its own, or that of the chunks before once the consumer is done with them. */
export class ChunkMemory {
  readonly #isPooled: boolean;
  readonly #free: ArrayBuffer[] = [];

  constructor(ownership: "fresh" | "pooled") {
    this.#isPooled = ownership === "pooled";
  }

  /** Gives memory for a chunk; what is in it is of no meaning. */
  take(byteLength: number): Uint8Array {
    const index = this.#free.findIndex((buffer) => buffer.byteLength >= byteLength);
    const [buffer] = index < 0 ? [] : this.#free.splice(index, 1);
    const bytes = buffer === undefined ? allocateBytes(byteLength) : new Uint8Array(buffer, 0, byteLength);
    if (this.#isPooled) markPooled(bytes.buffer);
    return bytes;
  }

  /** Takes the memory of a chunk that the consumer is done with: its data is detached, so that a kept chunk is empty. */
  giveBack({ buffer }: Pick<Uint8Array, "buffer">): void {
    // The consumer may have transferred it to another thread.
    if (!this.#isPooled || !(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) return;
    this.#free.push(structuredClone(buffer, { transfer: [buffer] }));
  }
}
