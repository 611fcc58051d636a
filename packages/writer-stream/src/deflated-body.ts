import { crc32 } from "node:zlib";
import { type BlockPlan, combineCrc32, formatBlockTable, tableOf } from "@npystream/codec";
import type { BlockDeflater } from "./node-deflater.ts";
import type { MemberBody, MemberPlace, WholeMember } from "./npz-member-body.ts";

/** Most bytes of a block that deflate stores as it is (RFC 1951 section 3.2.4). */
const STORED_BLOCK_BYTES = 0xffff;

interface DeflatingBlock {
  readonly buffer: Uint8Array;
  readonly deflated: Promise<Uint8Array>;
}

/**
 * A member that is deflated in blocks. They are compressed side by side and written in their order; how many are in
 * memory is bounded by the deflater, whatever the size of the array.
 *
 * The header, which may change at the end, is stored in front of the first block and not compressed, so that it can be
 * replaced. A member of one block has it in that block.
 */
export class DeflatedBody implements MemberBody {
  readonly #header: Uint8Array;
  readonly #plan: BlockPlan;
  readonly #deflater: BlockDeflater;
  readonly #openPlace: () => Promise<MemberPlace>;
  readonly #deflating: DeflatingBlock[] = [];
  /** Compressed bytes of each block that was written. */
  readonly #written: { readonly length: number }[] = [];
  #block: Uint8Array | undefined;
  #used = 0;
  #place: MemberPlace | undefined;
  #storedHeaderBytes = 0;
  #crc32 = 0;
  #byteLength = 0;

  /**
   * @param header - Of the length that it keeps.
   * @param openPlace - Called once there is more than a block.
   */
  constructor(header: Uint8Array, plan: BlockPlan, deflater: BlockDeflater, openPlace: () => Promise<MemberPlace>) {
    this.#header = header;
    this.#plan = plan;
    this.#deflater = deflater;
    this.#openPlace = openPlace;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { blockBytes } = this.#plan;
    for (let start = 0; start < bytes.length; ) {
      // A full block waits for what follows it, since the last one ends the stream.
      if (this.#used === blockBytes) await this.#dispatch(false);
      this.#block ??= this.#deflater.take(blockBytes);
      const part = bytes.subarray(start, start + blockBytes - this.#used);
      this.#block.set(part, this.#used);
      this.#used += part.length;
      start += part.length;
    }
  }

  async finish(header: Uint8Array): Promise<WholeMember> {
    if (this.#place === undefined) return await this.#finishOne(header);
    await this.#dispatch(true);
    while (this.#deflating.length > 0) await this.#writeOldest();
    if (Buffer.compare(header, this.#header) !== 0) await this.#place.rewriteStart(storedBlocks(header));
    const byteLength = header.length + this.#byteLength;
    return {
      crc32: combineCrc32(crc32(header), this.#crc32, this.#byteLength),
      compressedSize: this.#written.reduce((total, { length }) => total + length, 0),
      byteLength,
      table: formatBlockTable(tableOf(this.#plan, byteLength, this.#written)),
    };
  }

  async #finishOne(header: Uint8Array): Promise<WholeMember> {
    const content = Buffer.concat([
      header,
      ...(this.#block === undefined ? [] : [this.#block.subarray(0, this.#used)]),
    ]);
    if (this.#block !== undefined) this.#deflater.give(this.#block);
    const bytes = await this.#deflater.deflate(content, true);
    return { crc32: crc32(content), compressedSize: bytes.length, byteLength: content.length, bytes };
  }

  async #dispatch(isLast: boolean): Promise<void> {
    const buffer = this.#block;
    if (buffer === undefined) return;
    const rows = buffer.subarray(0, this.#used);
    this.#block = undefined;
    this.#used = 0;
    const deflated = this.#deflater.deflate(rows, isLast);
    // Whoever waits for the block hears of a failure; nobody does once the member is dropped.
    deflated.catch(() => undefined);
    this.#deflating.push({ buffer, deflated });
    this.#crc32 = crc32(rows, this.#crc32);
    this.#byteLength += rows.length;
    if (this.#place === undefined) {
      this.#place = await this.#openPlace();
      const header = storedBlocks(this.#header);
      await this.#place.write(header);
      this.#storedHeaderBytes = header.length;
    }
    while (this.#deflating.length > 1 && this.#deflater.inFlight >= this.#deflater.concurrency) {
      await this.#writeOldest();
    }
  }

  async #writeOldest(): Promise<void> {
    const oldest = this.#deflating.shift();
    if (oldest === undefined || this.#place === undefined) return;
    const bytes = await oldest.deflated;
    this.#deflater.give(oldest.buffer);
    await this.#place.write(bytes);
    // The first block begins with the header.
    this.#written.push({ length: bytes.length + (this.#written.length === 0 ? this.#storedHeaderBytes : 0) });
  }
}

/** Puts bytes into a deflate stream without compressing them: 5 bytes before every 65,535 of them (RFC 1951 section 3.2.4). */
function storedBlocks(bytes: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += STORED_BLOCK_BYTES) {
    const piece = bytes.subarray(start, start + STORED_BLOCK_BYTES);
    const prefix = new Uint8Array(5);
    const view = new DataView(prefix.buffer);
    view.setUint16(1, piece.length, true);
    view.setUint16(3, piece.length ^ 0xffff, true);
    pieces.push(prefix, piece);
  }
  return Buffer.concat(pieces);
}
