import { promisify } from "node:util";
import { constants, deflateRaw, type ZlibOptions } from "node:zlib";
import pLimit, { type LimitFunction } from "p-limit";

/** Output is collected in pieces of this; zlib's 16 KiB make many of a block. */
const CHUNK_BYTES = 256 << 10;
/** Buffers are whole multiples of this, so that one serves members whose blocks differ by a row. */
const BUFFER_BYTES = 2 << 20;

const deflateRawAsync: (bytes: Uint8Array, options: ZlibOptions) => Promise<Uint8Array> = promisify(deflateRaw);

/**
 * Deflates blocks side by side in Node's thread pool, for all members of an archive together.
 *
 * A block that is not the last of its member ends with a full flush: at a whole byte, and nothing behind refers to what
 * is before, so that it inflates alone.
 */
export class BlockDeflater {
  /** Most blocks at once, as far as each member has at least one. */
  readonly concurrency: number;
  readonly #level: number;
  readonly #limit: LimitFunction;
  readonly #spare: Uint8Array[] = [];
  #inFlight = 0;

  /** @param level - 0 to 9. */
  constructor(level: number, concurrency: number) {
    this.#level = level;
    this.concurrency = concurrency;
    this.#limit = pLimit(concurrency);
  }

  /** Blocks that were taken and not given back. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Gives a buffer of at least `byteLength` bytes. */
  take(byteLength: number): Uint8Array {
    this.#inFlight++;
    const fitting = this.#spare.findIndex(({ length }) => length >= byteLength);
    const [spare] = fitting < 0 ? [] : this.#spare.splice(fitting, 1);
    return spare ?? Buffer.allocUnsafeSlow(Math.ceil(byteLength / BUFFER_BYTES) * BUFFER_BYTES);
  }

  /** Takes a buffer back, of which nothing is needed any more. */
  give(buffer: Uint8Array): void {
    this.#inFlight--;
    if (this.#spare.length < this.concurrency) this.#spare.push(buffer);
  }

  /** Deflates a block, which must not change meanwhile. */
  deflate(block: Uint8Array, isLast: boolean): Promise<Uint8Array> {
    const finishFlush = isLast ? constants.Z_FINISH : constants.Z_FULL_FLUSH;
    return this.#limit(deflateRawAsync, block, { level: this.#level, chunkSize: CHUNK_BYTES, finishFlush });
  }
}
