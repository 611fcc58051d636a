import { Writable } from "node:stream";

/** A stream that keeps what it is given, after a pause where one is asked for, and counts how much waits in it. */
export class MemoryWritable extends Writable {
  readonly #chunks: Buffer[] = [];
  readonly #pauseMs: number;
  /** Most bytes that waited at once. */
  mostWaiting = 0;
  /** Bytes so far. */
  byteLength = 0;

  constructor(pauseMs = 0) {
    super();
    this.#pauseMs = pauseMs;
  }

  /** Everything so far. */
  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.mostWaiting = Math.max(this.mostWaiting, this.writableLength);
    const keep = (): void => {
      this.#chunks.push(Buffer.from(chunk));
      this.byteLength += chunk.length;
      callback();
    };
    if (this.#pauseMs === 0) keep();
    else setTimeout(keep, this.#pauseMs);
  }
}
