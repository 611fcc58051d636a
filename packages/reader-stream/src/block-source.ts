import type { BlockTable, ByteReadOptions, ByteSource } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { checkOpen, checkRange } from "./bytes-source.ts";
import { eachConcurrently } from "./each-concurrently.ts";
import { type InflateOptions, inflateInto, inflateWhole, isLikely, measureInflated } from "./inflate-whole.ts";
import type { WholeSource } from "./whole-source.ts";

/** Blocks inflated in one job, of a read that takes many: fewer jobs, and still enough of them for every core. */
const BLOCKS_PER_JOB = 4;
/** Jobs under way at once: node's thread pool has four threads. */
const CONCURRENCY = 4;
/** Inflated blocks that are kept for the next small read: eight of this project's own, one of larger ones. */
const MAX_KEPT_BLOCKS = 8;
const KEPT_BYTES = 8 << 20;

/** A member of an archive that was deflated in blocks, and where it lies. */
export interface BlockMember {
  /** Position in the archive of the first compressed byte. */
  readonly start: number;
  /** Bytes when inflated. */
  readonly byteLength: number;
  readonly table: BlockTable;
}

/**
 * Shows the inflated content of a member that was deflated in blocks as a source: a read inflates the blocks it touches,
 * several at once, and no others.
 *
 * @throws NpyError `ERR_NPZ_DEFLATE` for a broken block, `ERR_NPZ_SIZE` for one of another length, from `read`.
 */
export function blockSource(source: ByteSource, member: BlockMember): WholeSource {
  return new BlockSource(source, member);
}

class BlockSource implements WholeSource {
  readonly byteLength: number;
  readonly version?: string;
  readonly #source: ByteSource;
  readonly #member: BlockMember;
  readonly #count: number;
  readonly #mostKept: number;
  /** The blocks read last, the latest at the end. */
  readonly #kept = new Map<number, Promise<Uint8Array>>();
  #isClosed = false;

  constructor(source: ByteSource, member: BlockMember) {
    this.byteLength = member.byteLength;
    if (source.version !== undefined) this.version = source.version;
    this.#source = source;
    this.#member = member;
    const { compressed, firstBytes, blockBytes } = member.table;
    this.#count = compressed.length - 1;
    const longest = Math.max(firstBytes, Math.min(blockBytes, member.byteLength));
    this.#mostKept = Math.min(MAX_KEPT_BLOCKS, Math.max(1, Math.round(KEPT_BYTES / longest)));
  }

  async read(into: Uint8Array, position: number, options?: ByteReadOptions): Promise<void> {
    checkOpen(this.#isClosed);
    checkRange(this.byteLength, position, into.length);
    if (into.length === 0) return;
    const { signal } = options ?? {};
    const first = this.#blockAt(position);
    const stop = this.#blockAt(position + into.length - 1) + 1;
    if (stop - first <= 2) {
      signal?.throwIfAborted();
      for (let block = first; block < stop; block++) {
        const bytes = await this.#keep(block);
        signal?.throwIfAborted();
        checkOpen(this.#isClosed);
        this.#copy(block, bytes, into, position);
      }
      return;
    }
    await eachConcurrently(jobs(first, stop), CONCURRENCY, async (block) => {
      signal?.throwIfAborted();
      checkOpen(this.#isClosed);
      const end = Math.min(block + BLOCKS_PER_JOB, stop);
      const [from, to] = [this.#startOf(block) - position, this.#startOf(end) - position];
      const isInside = from >= 0 && to <= into.length;
      const bytes = isInside ? into.subarray(from, to) : allocateBytes(to - from);
      await this.#inflate(block, end, bytes, options);
      if (!isInside) this.#copy(block, bytes, into, position);
    });
  }

  async readWhole(options?: ByteReadOptions): Promise<Uint8Array> {
    checkOpen(this.#isClosed);
    // A claim that is not likely gets memory once every block was seen to hold what it says.
    if (!isLikely(this.byteLength, this.#member.table.compressed[this.#count] as number)) {
      for (const block of jobs(0, this.#count)) {
        options?.signal?.throwIfAborted();
        const stop = Math.min(block + BLOCKS_PER_JOB, this.#count);
        const byteLength = this.#startOf(stop) - this.#startOf(block);
        await measureInflated(await this.#compressed(block, stop, options), byteLength, this.#cutAt(stop, options));
      }
    }
    const bytes = allocateBytes(this.byteLength);
    await this.read(bytes, 0, options);
    return bytes;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#kept.clear();
  }

  /** Copies what `into`, which begins at `position`, takes of blocks from `block` on. */
  #copy(block: number, bytes: Uint8Array, into: Uint8Array, position: number): void {
    const start = this.#startOf(block) - position;
    if (start >= 0) into.set(bytes.subarray(0, into.length - start), start);
    else into.set(bytes.subarray(-start, into.length - start));
  }

  /** A small read often has a neighbour in the same block. */
  #keep(block: number): Promise<Uint8Array> {
    const known = this.#kept.get(block);
    // Without the signal: one reader's is no reason to fail another's read of the same block.
    const bytes = known ?? this.#inflateBlock(block);
    this.#kept.delete(block);
    this.#kept.set(block, bytes);
    if (known === undefined) {
      bytes.catch(() => this.#kept.delete(block));
      const [oldest] = this.#kept.keys();
      if (this.#kept.size > this.#mostKept && oldest !== undefined) this.#kept.delete(oldest);
    }
    return bytes;
  }

  async #inflateBlock(block: number): Promise<Uint8Array> {
    const compressed = await this.#compressed(block, block + 1);
    return await inflateWhole(compressed, this.#startOf(block + 1) - this.#startOf(block), this.#cutAt(block + 1));
  }

  async #inflate(first: number, stop: number, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    await inflateInto(await this.#compressed(first, stop, options), into, this.#cutAt(stop, options));
  }

  async #compressed(first: number, stop: number, options?: ByteReadOptions): Promise<Uint8Array> {
    const { compressed } = this.#member.table;
    const start = compressed[first] as number;
    const bytes = allocateBytes((compressed[stop] as number) - start);
    await this.#source.read(bytes, this.#member.start + start, options);
    return bytes;
  }

  #cutAt(stop: number, options?: ByteReadOptions): InflateOptions {
    return { isCut: stop < this.#count, signal: options?.signal };
  }

  #startOf(block: number): number {
    const { firstBytes, blockBytes } = this.#member.table;
    return block === 0 ? 0 : Math.min(this.byteLength, firstBytes + (block - 1) * blockBytes);
  }

  #blockAt(position: number): number {
    const { firstBytes, blockBytes } = this.#member.table;
    return position < firstBytes ? 0 : 1 + Math.floor((position - firstBytes) / blockBytes);
  }
}

function* jobs(first: number, stop: number): Generator<number> {
  for (let block = first; block < stop; block += BLOCKS_PER_JOB) yield block;
}
