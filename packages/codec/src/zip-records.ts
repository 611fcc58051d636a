import {
  CENTRAL_BYTES,
  CENTRAL_SIGNATURE,
  DESCRIPTOR_BYTES,
  DESCRIPTOR_FLAG,
  DESCRIPTOR_SIGNATURE,
  END_BYTES,
  END_SIGNATURE,
  LOCAL_BYTES,
  LOCAL_SIGNATURE,
  MAX_16,
  MAX_32,
  UTF8_FLAG,
  ZIP64_END_BYTES,
  ZIP64_END_SIGNATURE,
  ZIP64_ID,
  ZIP64_LOCATOR_BYTES,
  ZIP64_LOCATOR_SIGNATURE,
} from "./zip-format.ts";

/** What the records of one member say; `name` and `extra` are bytes as they are written. */
export interface MemberRecord {
  readonly name: Uint8Array;
  /** Whether the name is UTF-8 (APPNOTE 4.4.4, bit 11). */
  readonly utf8: boolean;
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly byteLength: number;
  /** Position of the local header in the archive. */
  readonly offset: number;
  /** Extra field of the central directory, beside that of ZIP64. */
  readonly extra?: Uint8Array;
  /**
   * Whether checksum and sizes follow the member in a data descriptor (APPNOTE 4.3.9), since its local header is written
   * before they are known.
   *
   * @defaultValue false
   */
  readonly hasDescriptor?: boolean;
}

/** Position in a local header of its checksum, behind which the sizes stand. */
const LOCAL_CRC_OFFSET = 14;

/** 1980-01-01, the earliest date ZIP knows, so that the same arrays give the same bytes. */
const DOS_DATE = 0x21;
/** Version 4.5: ZIP64 (APPNOTE 4.4.3.2). */
const VERSION_ZIP64 = 45;
const MADE_BY_UNIX = 3;
/** -rw------- in the upper half, as NumPy writes it. */
const ATTRIBUTES = 0o600 << 16;
/** Private extra field that only fills up to an alignment; the id is the one that zipalign made customary. */
const PADDING_ID = 0xd935;
/** A ZIP64 extra field with two sizes: id, length, 8 bytes each (APPNOTE 4.5.3). */
const LOCAL_ZIP64_BYTES = 20;

/**
 * Writes the header in front of a member. It has ZIP64 sizes whatever they are, as NumPy's have, so that it is as long
 * before they are known as after.
 *
 * @param padding - Bytes to lengthen it by, from {@link alignmentPadding}.
 */
export function formatLocalHeader(member: MemberRecord, padding = 0): Uint8Array {
  const header = new Uint8Array(LOCAL_BYTES + member.name.length + LOCAL_ZIP64_BYTES + padding);
  const view = new DataView(header.buffer);
  view.setUint32(0, LOCAL_SIGNATURE, true);
  view.setUint16(4, VERSION_ZIP64, true);
  view.setUint16(6, flagsOf(member), true);
  view.setUint16(8, member.method, true);
  view.setUint16(12, DOS_DATE, true);
  view.setUint32(LOCAL_CRC_OFFSET, member.hasDescriptor ? 0 : member.crc32, true);
  view.setUint32(18, MAX_32, true);
  view.setUint32(22, MAX_32, true);
  view.setUint16(26, member.name.length, true);
  view.setUint16(28, LOCAL_ZIP64_BYTES + padding, true);
  header.set(member.name, LOCAL_BYTES);
  const extra = LOCAL_BYTES + member.name.length;
  view.setUint16(extra, ZIP64_ID, true);
  view.setUint16(extra + 2, LOCAL_ZIP64_BYTES - 4, true);
  view.setBigUint64(extra + 4, BigInt(member.hasDescriptor ? 0 : member.byteLength), true);
  view.setBigUint64(extra + 12, BigInt(member.hasDescriptor ? 0 : member.compressedSize), true);
  if (padding > 0) {
    view.setUint16(extra + LOCAL_ZIP64_BYTES, PADDING_ID, true);
    view.setUint16(extra + LOCAL_ZIP64_BYTES + 2, padding - 4, true);
  }
  return header;
}

/**
 * Works out by how much a local header at `offset` is lengthened so that what is `inside` bytes into the member begins at
 * a multiple of `alignment`: 0, or at least the 4 bytes that an extra field takes.
 */
export function alignmentPadding(offset: number, nameBytes: number, inside: number, alignment: number): number {
  const misfit = (offset + LOCAL_BYTES + nameBytes + LOCAL_ZIP64_BYTES + inside) % alignment;
  if (misfit === 0) return 0;
  return alignment - misfit < 4 ? 2 * alignment - misfit : alignment - misfit;
}

/** Writes what follows a member whose local header says `hasDescriptor`; sizes take 8 bytes, as that header is ZIP64. */
export function formatDataDescriptor(member: MemberRecord): Uint8Array {
  const bytes = new Uint8Array(DESCRIPTOR_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, DESCRIPTOR_SIGNATURE, true);
  view.setUint32(4, member.crc32, true);
  view.setBigUint64(8, BigInt(member.compressedSize), true);
  view.setBigUint64(16, BigInt(member.byteLength), true);
  return bytes;
}

/** Writes a member's entry in the central directory; ZIP64 only where a number does not fit 32 bits, as NumPy does. */
export function formatCentralHeader(member: MemberRecord): Uint8Array {
  const large = [member.byteLength, member.compressedSize, member.offset].filter((value) => value >= MAX_32);
  const zip64Bytes = large.length === 0 ? 0 : 4 + 8 * large.length;
  const own = member.extra ?? new Uint8Array(0);
  const header = new Uint8Array(CENTRAL_BYTES + member.name.length + zip64Bytes + own.length);
  const view = new DataView(header.buffer);
  view.setUint32(0, CENTRAL_SIGNATURE, true);
  view.setUint16(4, (MADE_BY_UNIX << 8) | VERSION_ZIP64, true);
  view.setUint16(6, VERSION_ZIP64, true);
  view.setUint16(8, flagsOf(member), true);
  view.setUint16(10, member.method, true);
  view.setUint16(14, DOS_DATE, true);
  view.setUint32(16, member.crc32, true);
  view.setUint32(20, Math.min(member.compressedSize, MAX_32), true);
  view.setUint32(24, Math.min(member.byteLength, MAX_32), true);
  view.setUint16(28, member.name.length, true);
  view.setUint16(30, zip64Bytes + own.length, true);
  view.setUint32(38, ATTRIBUTES, true);
  view.setUint32(42, Math.min(member.offset, MAX_32), true);
  header.set(member.name, CENTRAL_BYTES);
  const extra = CENTRAL_BYTES + member.name.length;
  if (zip64Bytes > 0) {
    view.setUint16(extra, ZIP64_ID, true);
    view.setUint16(extra + 2, 8 * large.length, true);
    for (const [index, value] of large.entries()) view.setBigUint64(extra + 4 + 8 * index, BigInt(value), true);
  }
  header.set(own, extra + zip64Bytes);
  return header;
}

/**
 * Writes what ends an archive: the end record, with those of ZIP64 before it where a number asks for them.
 *
 * @param count - Members.
 * @param size - Bytes of the directory.
 * @param offset - Position of the directory.
 * @param comment - Comment of the archive, at most 65,535 bytes. @defaultValue none
 */
export function formatEndRecords(
  count: number,
  size: number,
  offset: number,
  comment: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const zip64 = count >= MAX_16 || size >= MAX_32 || offset >= MAX_32;
  const end = zip64 ? ZIP64_END_BYTES + ZIP64_LOCATOR_BYTES : 0;
  const bytes = new Uint8Array(end + END_BYTES + comment.length);
  const view = new DataView(bytes.buffer);
  if (zip64) {
    view.setUint32(0, ZIP64_END_SIGNATURE, true);
    view.setBigUint64(4, 44n, true);
    view.setUint16(12, (MADE_BY_UNIX << 8) | VERSION_ZIP64, true);
    view.setUint16(14, VERSION_ZIP64, true);
    view.setBigUint64(24, BigInt(count), true);
    view.setBigUint64(32, BigInt(count), true);
    view.setBigUint64(40, BigInt(size), true);
    view.setBigUint64(48, BigInt(offset), true);
    view.setUint32(ZIP64_END_BYTES, ZIP64_LOCATOR_SIGNATURE, true);
    view.setBigUint64(ZIP64_END_BYTES + 8, BigInt(offset + size), true);
    view.setUint32(ZIP64_END_BYTES + 16, 1, true);
  }
  view.setUint32(end, END_SIGNATURE, true);
  view.setUint16(end + 8, Math.min(count, MAX_16), true);
  view.setUint16(end + 10, Math.min(count, MAX_16), true);
  view.setUint32(end + 12, Math.min(size, MAX_32), true);
  view.setUint32(end + 16, Math.min(offset, MAX_32), true);
  view.setUint16(end + 20, comment.length, true);
  bytes.set(comment, end + END_BYTES);
  return bytes;
}

function flagsOf({ utf8, hasDescriptor }: MemberRecord): number {
  return (utf8 ? UTF8_FLAG : 0) | (hasDescriptor ? DESCRIPTOR_FLAG : 0);
}
