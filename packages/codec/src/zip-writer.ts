import { npyDataOffset } from "./npy-header.ts";
import { portableEngine, type ZipDeflater } from "./zip-engine.ts";
import { encodeMemberName } from "./zip-name.ts";

/** One file to put in an archive. */
export interface ZipInput {
  /** Name as stored, `features.npy`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Options of {@link encodeZip}. */
export interface EncodeZipOptions {
  /** Whether members are deflated. @defaultValue false */
  readonly compress?: boolean;
  /** Deflate level, 0 to 9. @defaultValue 6, as NumPy */
  readonly level?: number;
  /** Compression and checksum. @defaultValue {@link portableEngine} */
  readonly engine?: ZipDeflater;
}

/** 1980-01-01, the earliest date ZIP knows, so that the same arrays give the same bytes. */
const DOS_DATE = 0x21;
/** Version 4.5: ZIP64 (APPNOTE 4.4.3.2). */
const VERSION_ZIP64 = 45;
const MADE_BY_UNIX = 3;
/** -rw------- in the upper half, as NumPy writes it. */
const ATTRIBUTES = 0o600 << 16;
const ALIGNMENT = 64;
/** Private extra field that only fills up to an alignment; the id is the one that zipalign made customary. */
const PADDING_ID = 0xd935;
const MAX_32 = 0xffffffff;

interface Written {
  readonly name: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly byteLength: number;
  readonly offset: number;
}

/**
 * Lays files out as a ZIP archive, in pieces to be written one after another.
 *
 * The data of a stored `.npy` begins at a multiple of 64 in the archive, so that it can be mapped. Every local header
 * has ZIP64 sizes, as NumPy's have. The pieces of stored members are the caller's bytes, not copies.
 *
 * @throws TypeError for two files of one name.
 */
export function encodeZip(inputs: readonly ZipInput[], options: EncodeZipOptions = {}): Uint8Array[] {
  const { compress = false, level = 6, engine = portableEngine } = options;
  const pieces: Uint8Array[] = [];
  const written: Written[] = [];
  const names = new Set<string>();
  let offset = 0;
  for (const { name, bytes } of inputs) {
    if (names.has(name)) throw new TypeError(`two members are named ${JSON.stringify(name)}`);
    names.add(name);
    const encoded = encodeMemberName(name);
    const data = compress ? engine.deflate(bytes, level) : bytes;
    const member: Written = {
      name: encoded.bytes,
      flags: encoded.utf8 ? 0x800 : 0,
      method: compress ? 8 : 0,
      crc32: engine.crc32(bytes),
      compressedSize: data.length,
      byteLength: bytes.length,
      offset,
    };
    const aligned = !compress && name.endsWith(".npy") ? npyDataOffset(bytes) : undefined;
    const header = localHeader(member, aligned);
    pieces.push(header, data);
    written.push(member);
    offset += header.length + data.length;
  }
  const directory = written.map(centralHeader);
  pieces.push(...directory);
  pieces.push(
    endRecords(
      written.length,
      directory.reduce((total, { length }) => total + length, 0),
      offset,
    ),
  );
  return pieces;
}

function localHeader(member: Written, dataOffset: number | undefined): Uint8Array {
  const bare = 30 + member.name.length + 20;
  // A field takes 4 bytes before its padding.
  const misfit = dataOffset === undefined ? 0 : (member.offset + bare + dataOffset) % ALIGNMENT;
  const padding = misfit === 0 ? 0 : misfit > ALIGNMENT - 4 ? 2 * ALIGNMENT - misfit : ALIGNMENT - misfit;
  const header = new Uint8Array(bare + padding);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(4, VERSION_ZIP64, true);
  view.setUint16(6, member.flags, true);
  view.setUint16(8, member.method, true);
  view.setUint16(12, DOS_DATE, true);
  view.setUint32(14, member.crc32, true);
  view.setUint32(18, MAX_32, true);
  view.setUint32(22, MAX_32, true);
  view.setUint16(26, member.name.length, true);
  view.setUint16(28, 20 + padding, true);
  header.set(member.name, 30);
  const extra = 30 + member.name.length;
  view.setUint16(extra, 1, true);
  view.setUint16(extra + 2, 16, true);
  view.setBigUint64(extra + 4, BigInt(member.byteLength), true);
  view.setBigUint64(extra + 12, BigInt(member.compressedSize), true);
  if (padding > 0) {
    view.setUint16(extra + 20, PADDING_ID, true);
    view.setUint16(extra + 22, padding - 4, true);
  }
  return header;
}

function centralHeader(member: Written): Uint8Array {
  const large = [member.byteLength, member.compressedSize, member.offset].filter((value) => value >= MAX_32);
  const extraLength = large.length === 0 ? 0 : 4 + 8 * large.length;
  const header = new Uint8Array(46 + member.name.length + extraLength);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, (MADE_BY_UNIX << 8) | VERSION_ZIP64, true);
  view.setUint16(6, VERSION_ZIP64, true);
  view.setUint16(8, member.flags, true);
  view.setUint16(10, member.method, true);
  view.setUint16(14, DOS_DATE, true);
  view.setUint32(16, member.crc32, true);
  view.setUint32(20, Math.min(member.compressedSize, MAX_32), true);
  view.setUint32(24, Math.min(member.byteLength, MAX_32), true);
  view.setUint16(28, member.name.length, true);
  view.setUint16(30, extraLength, true);
  view.setUint32(38, ATTRIBUTES, true);
  view.setUint32(42, Math.min(member.offset, MAX_32), true);
  header.set(member.name, 46);
  if (extraLength > 0) {
    const extra = 46 + member.name.length;
    view.setUint16(extra, 1, true);
    view.setUint16(extra + 2, 8 * large.length, true);
    for (const [index, value] of large.entries()) view.setBigUint64(extra + 4 + 8 * index, BigInt(value), true);
  }
  return header;
}

function endRecords(count: number, size: number, offset: number): Uint8Array {
  const zip64 = count >= 0xffff || size >= MAX_32 || offset >= MAX_32;
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
  view.setUint16(end + 8, Math.min(count, 0xffff), true);
  view.setUint16(end + 10, Math.min(count, 0xffff), true);
  view.setUint32(end + 12, Math.min(size, MAX_32), true);
  view.setUint32(end + 16, Math.min(offset, MAX_32), true);
  return bytes;
}
