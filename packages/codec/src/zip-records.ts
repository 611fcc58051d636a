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
}

/** Bytes of a local header without its name and extra field. */
const LOCAL_HEADER_BYTES = 30;
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
const UTF8_FLAG = 0x800;
const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;

/**
 * Writes the header in front of a member. It has ZIP64 sizes whatever they are, as NumPy's have, so that it is as long
 * before they are known as after.
 *
 * @param padding - Bytes to lengthen it by, from {@link alignmentPadding}.
 */
export function formatLocalHeader(member: MemberRecord, padding = 0): Uint8Array {
  const header = new Uint8Array(LOCAL_HEADER_BYTES + member.name.length + LOCAL_ZIP64_BYTES + padding);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(4, VERSION_ZIP64, true);
  view.setUint16(6, member.utf8 ? UTF8_FLAG : 0, true);
  view.setUint16(8, member.method, true);
  view.setUint16(12, DOS_DATE, true);
  view.setUint32(LOCAL_CRC_OFFSET, member.crc32, true);
  view.setUint32(18, MAX_32, true);
  view.setUint32(22, MAX_32, true);
  view.setUint16(26, member.name.length, true);
  view.setUint16(28, LOCAL_ZIP64_BYTES + padding, true);
  header.set(member.name, LOCAL_HEADER_BYTES);
  const extra = LOCAL_HEADER_BYTES + member.name.length;
  view.setUint16(extra, 1, true);
  view.setUint16(extra + 2, LOCAL_ZIP64_BYTES - 4, true);
  view.setBigUint64(extra + 4, BigInt(member.byteLength), true);
  view.setBigUint64(extra + 12, BigInt(member.compressedSize), true);
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
  const misfit = (offset + LOCAL_HEADER_BYTES + nameBytes + LOCAL_ZIP64_BYTES + inside) % alignment;
  if (misfit === 0) return 0;
  return alignment - misfit < 4 ? 2 * alignment - misfit : alignment - misfit;
}

/** Writes a member's entry in the central directory; ZIP64 only where a number does not fit 32 bits, as NumPy does. */
export function formatCentralHeader(member: MemberRecord): Uint8Array {
  const large = [member.byteLength, member.compressedSize, member.offset].filter((value) => value >= MAX_32);
  const zip64Bytes = large.length === 0 ? 0 : 4 + 8 * large.length;
  const own = member.extra ?? new Uint8Array(0);
  const header = new Uint8Array(46 + member.name.length + zip64Bytes + own.length);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, (MADE_BY_UNIX << 8) | VERSION_ZIP64, true);
  view.setUint16(6, VERSION_ZIP64, true);
  view.setUint16(8, member.utf8 ? UTF8_FLAG : 0, true);
  view.setUint16(10, member.method, true);
  view.setUint16(14, DOS_DATE, true);
  view.setUint32(16, member.crc32, true);
  view.setUint32(20, Math.min(member.compressedSize, MAX_32), true);
  view.setUint32(24, Math.min(member.byteLength, MAX_32), true);
  view.setUint16(28, member.name.length, true);
  view.setUint16(30, zip64Bytes + own.length, true);
  view.setUint32(38, ATTRIBUTES, true);
  view.setUint32(42, Math.min(member.offset, MAX_32), true);
  header.set(member.name, 46);
  const extra = 46 + member.name.length;
  if (zip64Bytes > 0) {
    view.setUint16(extra, 1, true);
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
 */
export function formatEndRecords(count: number, size: number, offset: number): Uint8Array {
  const zip64 = count >= MAX_16 || size >= MAX_32 || offset >= MAX_32;
  const bytes = new Uint8Array((zip64 ? 56 + 20 : 0) + 22);
  const view = new DataView(bytes.buffer);
  if (zip64) {
    view.setUint32(0, 0x06064b50, true);
    view.setBigUint64(4, 44n, true);
    view.setUint16(12, (MADE_BY_UNIX << 8) | VERSION_ZIP64, true);
    view.setUint16(14, VERSION_ZIP64, true);
    view.setBigUint64(24, BigInt(count), true);
    view.setBigUint64(32, BigInt(count), true);
    view.setBigUint64(40, BigInt(size), true);
    view.setBigUint64(48, BigInt(offset), true);
    view.setUint32(56, 0x07064b50, true);
    view.setBigUint64(64, BigInt(offset + size), true);
    view.setUint32(72, 1, true);
  }
  const end = bytes.length - 22;
  view.setUint32(end, 0x06054b50, true);
  view.setUint16(end + 8, Math.min(count, MAX_16), true);
  view.setUint16(end + 10, Math.min(count, MAX_16), true);
  view.setUint32(end + 12, Math.min(size, MAX_32), true);
  view.setUint32(end + 16, Math.min(offset, MAX_32), true);
  return bytes;
}
