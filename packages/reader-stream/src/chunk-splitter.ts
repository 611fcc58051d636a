import type { RowChunk } from "@npystream/codec";
import { ChunkTransform } from "./chunk-transform.ts";

/** A transform of which every input makes some chunks, by a generator that is run as far as chunks are wanted. */
export abstract class ChunkSplitter<Input> extends ChunkTransform {
  #chunks: Iterator<RowChunk> | undefined;
  #taken: (() => void) | undefined;

  override _write(input: Input, _encoding: BufferEncoding, callback: () => void): void {
    this.#begin(() => this.split(input), callback);
  }

  override _flush(callback: () => void): void {
    this.#begin(() => this.rest(), callback);
  }

  /** Makes the chunks of an input. */
  protected abstract split(input: Input): Iterable<RowChunk>;

  /** Makes the chunks that are left when no input follows. */
  protected abstract rest(): Iterable<RowChunk>;

  protected override nextReady(): RowChunk | undefined {
    const next = this.#chunks?.next();
    if (next?.done === false) return next.value;
    this.#chunks = undefined;
    return undefined;
  }

  /** Asks for the next input once this one has made all its chunks. */
  protected override onGiven(): void {
    if (this.#chunks !== undefined) return;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  #begin(make: () => Iterable<RowChunk>, taken: () => void): void {
    try {
      this.#chunks = make()[Symbol.iterator]();
    } catch (error) {
      // Only errors are thrown by what makes chunks here.
      this.destroy(error as Error);
      return;
    }
    this.#taken = taken;
    this.give();
  }
}
