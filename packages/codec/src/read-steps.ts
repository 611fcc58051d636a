import type { ByteReadOptions, ByteSource } from "./byte-source.ts";

/** Bytes that a reader without I/O of its own asks for; it is sent exactly those. */
export interface ReadRequest {
  /** Position of the first byte. */
  readonly position: number;
  /** Number of bytes. */
  readonly length: number;
}

/**
 * A reader without I/O of its own: it yields what it wants to read and is sent those bytes, so that sources in memory and
 * asynchronous ones run the same code.
 */
export type ReadSteps<T> = Generator<ReadRequest, T, Uint8Array>;

/** Runs a reader over bytes in memory, of which it gets views. */
export function readInMemory<T>(steps: ReadSteps<T>, bytes: Uint8Array): T {
  for (let step = steps.next(); ; ) {
    if (step.done) return step.value;
    const { position, length } = step.value;
    step = steps.next(bytes.subarray(position, position + length));
  }
}

/**
 * Runs a reader over a source.
 *
 * @throws NpyError those of the reader and of the source.
 */
export async function readFromSource<T>(
  steps: ReadSteps<T>,
  source: ByteSource,
  options: ByteReadOptions = {},
): Promise<T> {
  const { signal } = options;
  for (let step = steps.next(); ; ) {
    if (step.done) return step.value;
    const bytes = new Uint8Array(step.value.length);
    await source.read(bytes, step.value.position, signal === undefined ? {} : { signal });
    step = steps.next(bytes);
  }
}
