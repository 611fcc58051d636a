import { Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { type ByteReadOptions, type ByteSource, isNpyError, NpyError } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { checkOpen, checkRange } from "./bytes-source.ts";
import { inflateWhole, isLikely, wrongSize } from "./inflate-whole.ts";
import { ReadQueue } from "./read-queue.ts";
import type { WholeReadOptions, WholeSource } from "./whole-source.ts";

/**
 * A source that goes forward cheaply and back only by starting anew. A fork has a position of its own, and cannot be read
 * any more once what it was made of is closed.
 */
export interface ForkableSource extends ByteSource {
  fork(): ByteSource;
}

/** Tells whether a source has one position that its readers share. */
export function isForkable(source: ByteSource): source is ForkableSource {
  return "fork" in source;
}

/** Compressed bytes read at once, and inflated bytes handed out at once. */
const PIECE_BYTES = 256 << 10;
/** Longest member inflated in one job, which counts in 32 bits and holds all compressed bytes. */
const MAX_WHOLE_BYTES = 1 << 30;

/**
 * Shows the inflated content of a deflated member as a source.
 *
 * Reads that go forward inflate what lies between; a read before the last piece starts from the beginning.
 *
 * @param byteLength - Inflated bytes; inflating stops there, whatever follows.
 * @throws NpyError `ERR_NPZ_DEFLATE` for a broken stream, `ERR_NPZ_SIZE` for one of another length, from `read`.
 */
export function inflatedSource(
  source: ByteSource,
  start: number,
  compressedSize: number,
  byteLength: number,
): ForkableSource {
  return new InflatedSource(source, start, compressedSize, byteLength);
}

class InflatedSource implements ForkableSource, WholeSource {
  readonly byteLength: number;
  readonly version?: string;
  readonly #source: ByteSource;
  readonly #start: number;
  readonly #compressedSize: number;
  readonly #parent: InflatedSource | undefined;
  readonly #queue = new ReadQueue();
  #isClosed = false;
  #pieces: AsyncGenerator<Uint8Array> | undefined;
  #piece: Uint8Array = new Uint8Array(0);
  #pieceStart = 0;

  constructor(
    source: ByteSource,
    start: number,
    compressedSize: number,
    byteLength: number,
    parent?: InflatedSource | undefined,
  ) {
    this.byteLength = byteLength;
    if (source.version !== undefined) this.version = source.version;
    this.#source = source;
    this.#start = start;
    this.#compressedSize = compressedSize;
    this.#parent = parent;
  }

  fork(): ByteSource {
    return new InflatedSource(this.#source, this.#start, this.#compressedSize, this.byteLength, this);
  }

  /** Reads one after another: there is one position. */
  read(into: Uint8Array, position: number, options?: ByteReadOptions): Promise<void> {
    return this.#queue.run(() => this.#fill(into, position, options?.signal), options?.signal);
  }

  async readWhole(options?: WholeReadOptions): Promise<Uint8Array> {
    this.#checkOpen();
    if (Math.max(this.byteLength, this.#compressedSize) > MAX_WHOLE_BYTES) {
      // A claim that is not likely gets memory once the stream was seen to hold it.
      if (!isLikely(this.byteLength, this.#compressedSize)) await this.#measure(options?.signal);
      const bytes = allocateBytes(this.byteLength);
      await this.read(bytes, 0, options);
      return bytes;
    }
    const compressed = allocateBytes(this.#compressedSize);
    await this.#source.read(compressed, this.#start, options);
    return await inflateWhole(compressed, this.byteLength, options);
  }

  /** Reads that are under way or wait fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#queue.idle();
    await this.#stop();
  }

  #checkOpen(): void {
    checkOpen(this.#isClosed);
    if (this.#parent !== undefined) this.#parent.#checkOpen();
  }

  /** Inflates once and keeps nothing. */
  async #measure(signal: AbortSignal | undefined): Promise<void> {
    let found = 0;
    for await (const piece of this.#inflate()) {
      signal?.throwIfAborted();
      this.#checkOpen();
      found += piece.length;
      if (found > this.byteLength) throw wrongSize(this.byteLength, "more");
    }
    if (found < this.byteLength) throw wrongSize(this.byteLength, found);
  }

  async #fill(into: Uint8Array, position: number, signal: AbortSignal | undefined): Promise<void> {
    this.#checkOpen();
    checkRange(this.byteLength, position, into.length);
    if (this.#pieces === undefined || position < this.#pieceStart) {
      await this.#stop();
      this.#pieces = this.#inflate();
    }
    let filled = 0;
    while (filled < into.length) {
      signal?.throwIfAborted();
      this.#checkOpen();
      const from = position + filled - this.#pieceStart;
      if (from < this.#piece.length) {
        const part = this.#piece.subarray(from, from + into.length - filled);
        into.set(part, filled);
        filled += part.length;
        continue;
      }
      const next = await this.#next(this.#pieces);
      if (next.done) {
        throw wrongSize(this.byteLength, this.#pieceStart + this.#piece.length);
      }
      this.#pieceStart += this.#piece.length;
      this.#piece = next.value;
    }
    if (position + into.length === this.byteLength) await this.#expectEnd();
  }

  /** After a failure the next read starts anew: what has failed once, such as a connection, may not fail again. */
  async #next(pieces: AsyncGenerator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await pieces.next();
    } catch (error) {
      await this.#stop();
      throw error;
    }
  }

  /** A stream that goes on past what was declared lies; one piece shows it. */
  async #expectEnd(): Promise<void> {
    const rest = this.#pieceStart + this.#piece.length - this.byteLength;
    const next = rest > 0 || this.#pieces === undefined ? undefined : await this.#next(this.#pieces);
    if (rest > 0 || next?.done === false) {
      await this.#stop();
      throw wrongSize(this.byteLength, "more");
    }
  }

  async #stop(): Promise<void> {
    await this.#pieces?.return(undefined);
    this.#pieces = undefined;
    this.#piece = new Uint8Array(0);
    this.#pieceStart = 0;
  }

  async *#inflate(): AsyncGenerator<Uint8Array> {
    const compressed = Readable.from(this.#compressed(), { objectMode: false, highWaterMark: PIECE_BYTES });
    const inflate = createInflateRaw({ chunkSize: PIECE_BYTES });
    compressed.on("error", (error) => inflate.destroy(error));
    try {
      for await (const piece of compressed.pipe(inflate)) yield piece;
    } catch (cause) {
      const isFormat = cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_");
      if (!isFormat || isNpyError(cause)) throw cause;
      throw new NpyError("ERR_NPZ_DEFLATE", "the deflate stream is broken", { cause });
    } finally {
      compressed.destroy();
      inflate.destroy();
    }
  }

  async *#compressed(): AsyncGenerator<Uint8Array> {
    for (let position = 0; position < this.#compressedSize; position += PIECE_BYTES) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, this.#compressedSize - position));
      await this.#source.read(piece, this.#start + position);
      yield piece;
    }
  }
}
