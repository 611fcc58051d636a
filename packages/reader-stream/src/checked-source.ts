import { crc32 } from "node:zlib";
import { type ByteReadOptions, type ByteSource, NpyError } from "@npystream/codec";
import { type ForkableSource, isForkable } from "./inflated-source.ts";
import { canReadWhole, type WholeSource } from "./whole-source.ts";

/**
 * Checks the CRC-32 of a source the first time that it is read to its end.
 *
 * Reads may overlap; those that jump ahead are handed through, and then the checksum is not checked. A fork goes on with
 * the checksum of what was read before it.
 *
 * @throws NpyError `ERR_NPZ_CRC` from the `read` that reaches the end.
 */
export function checkedSource(source: ByteSource, expected: number): ByteSource {
  return isForkable(source) ? new ForkableCheckedSource(source, expected) : new CheckedSource(source, expected);
}

/** Bytes from the start on that are read or being read, one behind the other. */
interface ReadFront {
  readonly end: number;
  /** Their checksum once all of them are there; `undefined` where a read of them failed. */
  readonly crc32: Promise<number | undefined>;
}

const NOTHING: ReadFront = { end: 0, crc32: Promise.resolve(0) };

class CheckedSource implements ByteSource {
  readonly byteLength: number;
  readonly version?: string;
  readonly gapBytes?: number;
  readonly bytes?: (position: number, length: number) => Uint8Array;
  readonly readWhole?: (options?: ByteReadOptions) => Promise<Uint8Array>;
  protected readonly source: ByteSource;
  protected readonly expected: number;
  protected front: ReadFront;

  constructor(source: ByteSource, expected: number, front: ReadFront = NOTHING) {
    this.byteLength = source.byteLength;
    if (source.version !== undefined) this.version = source.version;
    if (source.gapBytes !== undefined) this.gapBytes = source.gapBytes;
    if (source.bytes !== undefined) this.bytes = (position, length) => source.bytes?.(position, length) as Uint8Array;
    if (canReadWhole(source)) this.readWhole = (options) => this.#checkWhole(source, options);
    this.source = source;
    this.expected = expected;
    this.front = front;
  }

  async read(into: Uint8Array, position: number, options?: ByteReadOptions): Promise<void> {
    const { front } = this;
    const end = position + into.length;
    if (position > front.end || end <= front.end) {
      await this.source.read(into, position, options);
      return;
    }
    const checksum = this.#readOn(front, into, position, options);
    this.front = { end, crc32: checksum.catch(() => undefined) };
    try {
      const found = await checksum;
      if (end === this.byteLength && found !== undefined && found !== this.expected) throw wrongChecksum();
    } catch (error) {
      // Whoever reads it again is told again.
      this.front = NOTHING;
      throw error;
    }
  }

  /** Reads on and gives the checksum of all up to there: in order, whichever of several reads ends first. */
  async #readOn(
    front: ReadFront,
    into: Uint8Array,
    position: number,
    options?: ByteReadOptions,
  ): Promise<number | undefined> {
    await this.source.read(into, position, options);
    const before = await front.crc32;
    return before === undefined ? undefined : crc32(into.subarray(front.end - position), before);
  }

  close(): Promise<void> {
    return this.source.close();
  }

  async #checkWhole(source: WholeSource, options?: ByteReadOptions): Promise<Uint8Array> {
    const bytes = await source.readWhole(options);
    if (crc32(bytes) !== this.expected) throw wrongChecksum();
    return bytes;
  }
}

class ForkableCheckedSource extends CheckedSource implements ForkableSource {
  fork(): ByteSource {
    const source = isForkable(this.source) ? this.source.fork() : this.source;
    return new ForkableCheckedSource(source, this.expected, this.front);
  }
}

function wrongChecksum(): NpyError {
  return new NpyError("ERR_NPZ_CRC", "the member's checksum does not match its bytes");
}
