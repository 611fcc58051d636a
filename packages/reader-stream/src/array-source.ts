import { type ByteSource, type NdArray, npyPieces } from "@npystream/codec";
import { checkOpen, checkRange } from "./bytes-source.ts";
import { sha256 } from "./sha256.ts";

/**
 * Shows an array in memory as a source of the `.npy` that it would be. The elements are not copied where they lie in C
 * order, and must not change while they are read.
 *
 * `version` is the SHA-256 of the elements, worked out once, when it is asked for.
 */
export function arraySource(array: NdArray): ByteSource {
  return new ArraySource(array);
}

class ArraySource implements ByteSource {
  readonly byteLength: number;
  readonly #header: Uint8Array;
  readonly #data: Uint8Array;
  #version: string | undefined;
  #isClosed = false;

  constructor(array: NdArray) {
    // Rows of a Fortran array would be gathered from every column again and again.
    [this.#header, this.#data] = npyPieces(array.contiguous());
    this.byteLength = this.#header.length + this.#data.length;
  }

  get version(): string {
    this.#version ??= sha256([this.#data]);
    return this.#version;
  }

  bytes(position: number, length: number): Uint8Array {
    checkOpen(this.#isClosed);
    checkRange(this.byteLength, position, length);
    const start = position - this.#header.length;
    if (start >= 0) return this.#data.subarray(start, start + length);
    const head = this.#header.subarray(position, position + length);
    if (head.length === length) return head;
    const joined = new Uint8Array(length);
    joined.set(head);
    joined.set(this.#data.subarray(0, length - head.length), head.length);
    return joined;
  }

  readSync(into: Uint8Array, position: number): void {
    into.set(this.bytes(position, into.length));
  }

  async read(into: Uint8Array, position: number, options?: { readonly signal?: AbortSignal }): Promise<void> {
    options?.signal?.throwIfAborted();
    this.readSync(into, position);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}
