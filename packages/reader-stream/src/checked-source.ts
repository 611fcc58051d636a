import { crc32 } from "node:zlib";
import { type ByteReadOptions, type ByteSource, NpyError } from "@npystream/codec";
import { type ForkableSource, isForkable } from "./inflated-source.ts";

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

/** Checksum of the bytes before a position. */
interface CheckedPrefix {
  readonly end: number;
  readonly crc32: number;
}

const NOTHING: CheckedPrefix = { end: 0, crc32: 0 };

class CheckedSource implements ByteSource {
  readonly byteLength: number;
  readonly version?: string;
  protected readonly source: ByteSource;
  protected readonly expected: number;
  protected prefix: CheckedPrefix;

  constructor(source: ByteSource, expected: number, prefix: CheckedPrefix = NOTHING) {
    this.byteLength = source.byteLength;
    if (source.version !== undefined) this.version = source.version;
    this.source = source;
    this.expected = expected;
    this.prefix = prefix;
  }

  async read(into: Uint8Array, position: number, options?: ByteReadOptions): Promise<void> {
    await this.source.read(into, position, options);
    const { prefix } = this;
    const end = position + into.length;
    if (position > prefix.end || end <= prefix.end) return;
    const crc = crc32(into.subarray(prefix.end - position), prefix.crc32);
    if (end === this.byteLength && crc !== this.expected) {
      // Whoever reads it again is told again.
      this.prefix = NOTHING;
      throw new NpyError("ERR_NPZ_CRC", "the member's checksum does not match its bytes");
    }
    this.prefix = { end, crc32: crc };
  }

  close(): Promise<void> {
    return this.source.close();
  }
}

class ForkableCheckedSource extends CheckedSource implements ForkableSource {
  fork(): ByteSource {
    const source = isForkable(this.source) ? this.source.fork() : this.source;
    return new ForkableCheckedSource(source, this.expected, this.prefix);
  }
}
