import type { BlockTable } from "./block-table.ts";
import { joinBytes } from "./join-bytes.ts";

/** Bytes of content a block holds, unless rows ask for more or less. */
const BLOCK_BYTES = 1 << 20;
/** Longest row for which blocks end with a row; of longer ones a block holds a part. */
const MAX_ROW_BYTES = 4 << 20;

/** Where a member's content is cut. */
export interface BlockPlan {
  /** Bytes of the first block, with the header of the array. */
  readonly firstBytes: number;
  /** Bytes of the others; the last may be shorter. */
  readonly blockBytes: number;
}

/**
 * Plans blocks of about 1 MiB that end with a row.
 *
 * @param dataOffset - Bytes in front of the first row.
 * @param rowBytes - Bytes a row.
 */
export function planBlocks(dataOffset: number, rowBytes: number): BlockPlan {
  const rows = Math.max(1, Math.round(BLOCK_BYTES / Math.max(1, rowBytes)));
  const blockBytes = rowBytes === 0 || rowBytes > MAX_ROW_BYTES ? BLOCK_BYTES : rows * rowBytes;
  return { firstBytes: dataOffset + blockBytes, blockBytes };
}

/** Cuts content into its blocks: views, but for a block that lies across two pieces. No content is one empty block. */
export function* cutBlocks(content: readonly Uint8Array[], plan: BlockPlan): Generator<Uint8Array> {
  let needed = plan.firstBytes;
  let collected: Uint8Array[] = [];
  let byteLength = 0;
  let cut = 0;
  for (const piece of content) {
    for (let start = 0; start < piece.length; ) {
      const part = piece.subarray(start, start + needed - byteLength);
      collected.push(part);
      byteLength += part.length;
      start += part.length;
      if (byteLength < needed) continue;
      yield blockOf(collected);
      cut++;
      collected = [];
      byteLength = 0;
      needed = plan.blockBytes;
    }
  }
  if (byteLength > 0 || cut === 0) yield blockOf(collected);
}

/** Makes the table of deflated blocks. */
export function tableOf(
  plan: BlockPlan,
  byteLength: number,
  pieces: readonly { readonly length: number }[],
): BlockTable {
  const compressed = new Float64Array(pieces.length + 1);
  for (const [index, { length }] of pieces.entries()) compressed[index + 1] = (compressed[index] as number) + length;
  return { firstBytes: Math.min(plan.firstBytes, byteLength), blockBytes: plan.blockBytes, compressed };
}

function blockOf(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : joinBytes(pieces);
}
