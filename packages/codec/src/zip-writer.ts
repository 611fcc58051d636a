import { BLOCK_TABLE_MEMBER, blockTableField, formatBlockTable, formatLongTables } from "./block-table.ts";
import { type BlockPlan, cutBlocks, deflateBlocks, planBlocks } from "./deflate-blocks.ts";
import { isNpy, type NpyHeader, parseNpyHeader } from "./npy-header.ts";
import { portableEngine, type ZipDeflater } from "./zip-engine.ts";
import { encodeMemberName } from "./zip-name.ts";
import {
  alignmentPadding,
  formatCentralHeader,
  formatEndRecords,
  formatLocalHeader,
  type MemberRecord,
} from "./zip-records.ts";

/** One file to put in an archive. */
export interface ZipInput {
  /** Name as stored, `features.npy`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Options of {@link encodeZip}. */
export interface EncodeZipOptions {
  /** Whether members are deflated, in blocks where they are long. @defaultValue false */
  readonly compress?: boolean;
  /** Deflate level, 0 to 9. @defaultValue 6, as NumPy */
  readonly level?: number;
  /** Multiple at which the data of a stored array begins: 64 for vectors, `'page'` is 4096. @defaultValue 64 */
  readonly align?: 64 | "page";
  /** Compression and checksum. @defaultValue {@link portableEngine} */
  readonly engine?: ZipDeflater;
}

interface Content {
  readonly method: 0 | 8;
  readonly pieces: readonly Uint8Array[];
  readonly compressedSize: number;
  /** The block table, where there is one. */
  readonly table?: Uint8Array;
}

/**
 * Lays files out as a ZIP archive, in pieces to be written one after another; the same files give the same bytes.
 *
 * The data of a stored `.npy` begins at a multiple of 64 in the archive, so that it can be mapped, and a deflated one of
 * more than a block has a table of its blocks, so that a part of it can be inflated. Every local header has ZIP64 sizes, as
 * NumPy's have. The pieces of stored members are the caller's bytes, not copies.
 *
 * @throws TypeError for two files of one name, or a name with a NUL or of more than 65,535 bytes.
 */
export function encodeZip(inputs: readonly ZipInput[], options: EncodeZipOptions = {}): Uint8Array[] {
  const { compress = false, level = 6, align = 64, engine = portableEngine } = options;
  const alignment = align === "page" ? 4096 : align;
  if (alignment !== 64 && alignment !== 4096) throw new RangeError(`align is 64 or "page", not ${String(align)}`);
  const pieces: Uint8Array[] = [];
  const records: MemberRecord[] = [];
  const longTables: [name: Uint8Array, table: Uint8Array][] = [];
  let offset = 0;
  const add = (name: string, bytes: Uint8Array, content: Content, inside: number | undefined): void => {
    const { bytes: encoded, utf8 } = encodeMemberName(name);
    const field = content.table === undefined ? undefined : blockTableField(content.table);
    if (content.table !== undefined && field === undefined) longTables.push([encoded, content.table]);
    const { method, compressedSize } = content;
    const record = {
      name: encoded,
      utf8,
      method,
      crc32: engine.crc32(bytes),
      compressedSize,
      byteLength: bytes.length,
    };
    const member: MemberRecord = { ...record, offset, ...(field === undefined ? {} : { extra: field }) };
    const padding = inside === undefined ? 0 : alignmentPadding(offset, encoded.length, inside, alignment);
    const header = formatLocalHeader(member, padding);
    pieces.push(header, ...content.pieces);
    records.push(member);
    offset += header.length + compressedSize;
  };
  const names = new Set<string>();
  for (const { name, bytes } of inputs) {
    if (names.has(name)) throw new TypeError(`two members are named ${JSON.stringify(name)}`);
    names.add(name);
    if (compress) add(name, bytes, deflated(bytes, planInput({ name, bytes }), level, engine), undefined);
    else add(name, bytes, stored(bytes), headerOf({ name, bytes })?.dataOffset);
  }
  if (longTables.length > 0) {
    const bytes = formatLongTables(longTables);
    add(BLOCK_TABLE_MEMBER, bytes, stored(bytes), undefined);
  }
  const directory = records.map(formatCentralHeader);
  const size = directory.reduce((total, { length }) => total + length, 0);
  pieces.push(...directory, formatEndRecords(records.length, size, offset));
  return pieces;
}

function stored(bytes: Uint8Array): Content {
  return { method: 0, pieces: [bytes], compressedSize: bytes.length };
}

function deflated(bytes: Uint8Array, plan: BlockPlan, level: number, engine: ZipDeflater): Content {
  const { pieces, table } = deflateBlocks(bytes, plan, level, engine);
  const compressedSize = table.compressed.at(-1) ?? 0;
  const isCut = pieces.length > 1;
  return { method: 8, pieces, compressedSize, ...(isCut ? { table: formatBlockTable(table) } : {}) };
}

/** Gives the blocks that {@link encodeZip} deflates a file in, as views of its bytes. */
export function zipBlocks(input: ZipInput): Uint8Array[] {
  return [...cutBlocks(input.bytes, planInput(input))];
}

function planInput(input: ZipInput): BlockPlan {
  const header = headerOf(input);
  const rowBytes = header === undefined || header.length === 0 ? 0 : header.byteLength / header.length;
  return planBlocks(header?.dataOffset ?? 0, rowBytes);
}

function headerOf({ name, bytes }: ZipInput): NpyHeader | undefined {
  return name.endsWith(".npy") && isNpy(bytes) ? parseNpyHeader(bytes) : undefined;
}
