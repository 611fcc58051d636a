import type { BlockTable } from "./block-table.ts";
import type { ZipDeflater } from "./zip-engine.ts";

/** Bytes of content a block holds, unless rows ask for more or less. */
export const BLOCK_BYTES: number = 1 << 20;
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

/** Cuts content into its blocks. */
export function* cutBlocks(content: Uint8Array, { firstBytes, blockBytes }: BlockPlan): Generator<Uint8Array> {
  for (let start = 0, end = firstBytes; start < content.length || start === 0; start = end, end += blockBytes) {
    yield content.subarray(start, end);
  }
}

/** Deflates content in blocks that join to one deflate stream and inflate alone. */
export function deflateBlocks(
  content: Uint8Array,
  plan: BlockPlan,
  level: number,
  engine: ZipDeflater,
): { readonly pieces: readonly Uint8Array[]; readonly table: BlockTable } {
  const blocks = [...cutBlocks(content, plan)];
  const pieces = blocks.map((block, index) => engine.deflateBlock(block, level, index === blocks.length - 1));
  return { pieces, table: tableOf(plan, content.length, pieces) };
}

/** Makes the table of deflated blocks. */
export function tableOf(plan: BlockPlan, byteLength: number, pieces: readonly { length: number }[]): BlockTable {
  const compressed = new Float64Array(pieces.length + 1);
  for (const [index, { length }] of pieces.entries()) compressed[index + 1] = (compressed[index] as number) + length;
  return { firstBytes: Math.min(plan.firstBytes, byteLength), blockBytes: plan.blockBytes, compressed };
}
