import { NpyError } from "./npy-error.ts";
import { decodeMemberName } from "./zip-name.ts";

/**
 * Where the blocks of a deflated member begin. Block `i` inflates alone: its bytes are those from `compressed[i]` to
 * `compressed[i + 1]` in the deflate stream, and they are the content from
 * `firstBytes + blockBytes * (i - 1)` on, from 0 for the first.
 */
export interface BlockTable {
  /** Bytes of content in every block but the first and the last. */
  readonly blockBytes: number;
  /** Bytes of content in the first block: the header of the array and whole rows. */
  readonly firstBytes: number;
  /** Position of each block in the deflate stream, and behind the last the stream's length. */
  readonly compressed: Float64Array;
}

/** Id of our private extra field, the two letters `NB`. */
export const BLOCK_TABLE_ID = 0x424e;
/** Member that holds the tables that no extra field can. */
export const BLOCK_TABLE_MEMBER = ".npystream/blocks";
/** Version of the table's layout. */
const VERSION = 1;
/** Version, first bytes, block bytes, number of blocks. */
const PREFIX_BYTES = 1 + 8 + 8 + 4;
/** Room in an extra field for one field, beside that of ZIP64. */
const MAX_EXTRA_BYTES = 65_000;

/**
 * Writes a table: version (1 byte), bytes of the first block and of the others (8 each), number of blocks (4), then the
 * compressed length of each (4), all little-endian.
 */
export function formatBlockTable(table: BlockTable): Uint8Array {
  const count = table.compressed.length - 1;
  const bytes = new Uint8Array(PREFIX_BYTES + 4 * count);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setBigUint64(1, BigInt(table.firstBytes), true);
  view.setBigUint64(9, BigInt(table.blockBytes), true);
  view.setUint32(17, count, true);
  for (let i = 0; i < count; i++) {
    view.setUint32(PREFIX_BYTES + 4 * i, (table.compressed[i + 1] as number) - (table.compressed[i] as number), true);
  }
  return bytes;
}

/** Wraps a table as an extra field; `undefined` where it is too long for one. */
export function blockTableField(table: Uint8Array): Uint8Array | undefined {
  if (table.length > MAX_EXTRA_BYTES) return undefined;
  const field = new Uint8Array(4 + table.length);
  const view = new DataView(field.buffer);
  view.setUint16(0, BLOCK_TABLE_ID, true);
  view.setUint16(2, table.length, true);
  field.set(table, 4);
  return field;
}

/**
 * Reads a table and holds it against the member it is of: it is somebody else's data until it fits.
 *
 * @returns `undefined` for a version that is not known: the member can be read without its table.
 * @throws NpyError `ERR_NPZ_SIZE` where it contradicts the member's sizes.
 */
export function parseBlockTable(bytes: Uint8Array, byteLength: number, compressedSize: number): BlockTable | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PREFIX_BYTES || view.getUint8(0) !== VERSION) return undefined;
  const firstBytes = Number(view.getBigUint64(1, true));
  const blockBytes = Number(view.getBigUint64(9, true));
  const count = view.getUint32(17, true);
  if (bytes.length !== PREFIX_BYTES + 4 * count) {
    throw misfit(`it has ${bytes.length} bytes for ${count} blocks`);
  }
  const compressed = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) {
    compressed[i + 1] = (compressed[i] as number) + view.getUint32(PREFIX_BYTES + 4 * i, true);
  }
  const rest = byteLength - firstBytes;
  const isWhole = rest >= 0 && blockBytes > 0 && count === 1 + Math.ceil(rest / blockBytes);
  if (!isWhole) {
    throw misfit(`${count} blocks of ${firstBytes} and ${blockBytes} bytes do not make the member's ${byteLength}`);
  }
  if (compressed[count] !== compressedSize) {
    throw misfit(`its blocks take ${compressed[count]} bytes in the archive and the member ${compressedSize}`);
  }
  return { firstBytes, blockBytes, compressed };
}

/**
 * Writes the tables that no extra field holds, one behind the other: length of the member's name (2 bytes), name, length of
 * the table (4 bytes), table, all little-endian.
 */
export function formatLongTables(tables: readonly (readonly [name: Uint8Array, table: Uint8Array])[]): Uint8Array {
  const bytes = new Uint8Array(tables.reduce((total, [name, table]) => total + 6 + name.length + table.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [name, table] of tables) {
    view.setUint16(at, name.length, true);
    bytes.set(name, at + 2);
    view.setUint32(at + 2 + name.length, table.length, true);
    bytes.set(table, at + 6 + name.length);
    at += 6 + name.length + table.length;
  }
  return bytes;
}

/** Reads tables by the name of their member; what does not parse is left out, since members are read without it too. */
export function parseLongTables(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = new Map<string, Uint8Array>();
  for (let at = 0; at + 6 <= bytes.length; ) {
    const nameEnd = at + 2 + view.getUint16(at, true);
    if (nameEnd + 4 > bytes.length) break;
    const end = nameEnd + 4 + view.getUint32(nameEnd, true);
    if (end > bytes.length) break;
    tables.set(
      decodeMemberName(bytes.subarray(at + 2, nameEnd), true),
      new Uint8Array(bytes.subarray(nameEnd + 4, end)),
    );
    at = end;
  }
  return tables;
}

function misfit(why: string): NpyError {
  return new NpyError("ERR_NPZ_SIZE", `the member's block table does not fit it: ${why}`);
}
