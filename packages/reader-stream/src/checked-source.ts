import { crc32 } from "node:zlib";
import { type ByteReadOptions, type ByteSource, NpyError } from "@npystream/codec";
import { type ForkableSource, isForkable } from "./inflated-source.ts";
import { isWatched } from "./unchanged-source.ts";
import { canReadWhole, type WholeSource } from "./whole-source.ts";

/**
 * Checks the CRC-32 of a source the first time that it is read to its end.
 *
 * Reads may overlap; those that jump ahead are handed through, and then the checksum is not checked, as it is not where
 * bytes are looked at without a read. A fork goes on with the checksum of what was read before it. It can do what the source
 * below can.
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
  /** The same once it is known. */
  known?: number | undefined;
}

/** Longest read of one that is checked: its checksum is taken while the next one is read. */
const SLICE_BYTES = 16 << 20;
const NOTHING: ReadFront = { end: 0, crc32: Promise.resolve(0), known: 0 };

class CheckedSource implements ByteSource {
  readonly byteLength: number;
  readonly version?: string;
  readonly gapBytes?: number;
  readonly bytes?: (position: number, length: number) => Uint8Array;
  readonly readSync?: (into: Uint8Array, position: number) => void;
  readonly checkUnchanged?: () => void;
  readonly readWhole?: (options?: ByteReadOptions) => Promise<Uint8Array>;
  protected readonly source: ByteSource;
  protected readonly expected: number;
  protected front: ReadFront;

  constructor(source: ByteSource, expected: number, front: ReadFront = NOTHING) {
    this.byteLength = source.byteLength;
    if (source.version !== undefined) this.version = source.version;
    if (source.gapBytes !== undefined) this.gapBytes = source.gapBytes;
    if (source.bytes !== undefined) this.bytes = (position, length) => source.bytes?.(position, length) as Uint8Array;
    if (source.readSync !== undefined) this.readSync = (into, position) => this.#readSync(into, position);
    if (isWatched(source)) this.checkUnchanged = () => source.checkUnchanged();
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
    const reached: ReadFront = { end, crc32: checksum.catch(() => undefined) };
    this.front = reached;
    try {
      reached.known = await checksum;
      this.#checkEnd(reached);
    } catch (error) {
      // Whoever reads it again is told again.
      this.front = NOTHING;
      throw error;
    }
  }

  #readSync(into: Uint8Array, position: number): void {
    const { front } = this;
    const end = position + into.length;
    this.source.readSync?.(into, position);
    // Behind a read that is under way the checksum is not there to go on with.
    if (position > front.end || end <= front.end || front.known === undefined) return;
    const known = crc32(into.subarray(front.end - position), front.known);
    this.front = { end, known, crc32: Promise.resolve(known) };
    try {
      this.#checkEnd(this.front);
    } catch (error) {
      this.front = NOTHING;
      throw error;
    }
  }

  #checkEnd({ end, known }: ReadFront): void {
    if (end === this.byteLength && known !== undefined && known !== this.expected) throw wrongChecksum();
  }

  /** Reads on and gives the checksum of all up to there: in order, whichever of several reads ends first. */
  async #readOn(
    front: ReadFront,
    into: Uint8Array,
    position: number,
    options?: ByteReadOptions,
  ): Promise<number | undefined> {
    // Remote sources answer one request sooner than several.
    const sliceBytes = this.gapBytes === undefined ? SLICE_BYTES : into.length;
    let slice = into.subarray(0, sliceBytes);
    await this.source.read(slice, position, options);
    let checksum = await front.crc32;
    for (let [start, next] = [0, sliceBytes]; ; start = next, next += sliceBytes) {
      const ahead = into.subarray(next, next + sliceBytes);
      const reading = ahead.length > 0 ? this.source.read(ahead, position + next, options) : undefined;
      if (checksum !== undefined) checksum = crc32(slice.subarray(Math.max(0, front.end - position - start)), checksum);
      if (reading === undefined) return checksum;
      await reading;
      slice = ahead;
    }
  }

  close(): Promise<void> {
    return this.source.close();
  }

  async #checkWhole(source: WholeSource, options?: ByteReadOptions): Promise<Uint8Array> {
    let [known, length] = [0, 0];
    const onPiece = (piece: Uint8Array): void => {
      known = crc32(piece, known);
      length += piece.length;
    };
    const bytes = await source.readWhole({ ...options, onPiece });
    if ((length === bytes.length ? known : crc32(bytes)) !== this.expected) throw wrongChecksum();
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
