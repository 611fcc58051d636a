import {
  type ByteSource,
  locateMember,
  NpyError,
  type ReadRequest,
  readZipDirectory,
  type ZipMember,
} from "@npystream/codec";

// Sizes and signature of APPNOTE 6.3.10 sections 4.3.7 and 4.3.9.
const LOCAL_BYTES = 30;
const DESCRIPTOR = 0x08074b50;
const MAX_DESCRIPTOR_BYTES = 24;
/** Bits of the flags (APPNOTE 4.4.4): encrypted, checksum and sizes behind the data, name in UTF-8. */
const ENCRYPTED = 1;
const HAS_DESCRIPTOR = 8;
const UTF8 = 0x800;
const MAX_32 = 0xffffffff;

/** Checksum and sizes of a member, which an archive holds twice. */
type Summary = Pick<ZipMember, "crc32" | "compressedSize" | "byteLength">;

/**
 * Reads the central directory of an archive, positions of the members included.
 *
 * @throws NpyError those of `readZipDirectory`.
 */
export async function readDirectory(source: ByteSource): Promise<ZipMember[]> {
  return drive(readZipDirectory(source.byteLength), source);
}

/**
 * Holds a member's local header, and the data descriptor behind its data where it has one, against the directory. Programs
 * that read an archive from its start go by these, others by the directory.
 *
 * @returns Position in the archive of the member's first byte.
 * @throws NpyError `ERR_NPZ_DIRECTORY` where they say different things, or one is missing.
 */
export async function checkLocalHeader(source: ByteSource, member: ZipMember): Promise<number> {
  const start = await drive(locateMember(member, source.byteLength), source);
  const position = member.localHeaderOffset;
  const header = await readView(source, position, start - position);
  const flags = header.getUint16(6, true);
  const nameEnd = LOCAL_BYTES + header.getUint16(26, true);
  const name = new Uint8Array(header.buffer, LOCAL_BYTES, nameEnd - LOCAL_BYTES);
  if (!isName(name, (flags & UTF8) !== 0, member.name)) throw differs("name", position);
  const method = header.getUint16(8, true);
  if (method !== member.method) throw differs("method", position);
  if (flags & ENCRYPTED) throw differs("encryption", position);
  if (flags & HAS_DESCRIPTOR) await checkDescriptor(source, start + member.compressedSize, member);
  else compare(readSummary(header, nameEnd), member, position);
  return start;
}

function compare(local: Summary, member: Summary, position: number): void {
  if (local.crc32 !== member.crc32) throw differs("checksum", position);
  if (local.compressedSize !== member.compressedSize) throw differs("compressed size", position);
  if (local.byteLength !== member.byteLength) throw differs("size", position);
}

function readSummary(header: DataView, extraStart: number): Summary {
  const crc32 = header.getUint32(14, true);
  let compressedSize = header.getUint32(18, true);
  let byteLength = header.getUint32(22, true);
  for (let field = extraStart; field + 4 <= header.byteLength; ) {
    const end = field + 4 + header.getUint16(field + 2, true);
    // ZIP64, APPNOTE 4.5.3: in a local header both sizes, the one before compression first.
    if (header.getUint16(field, true) === 1 && field + 20 <= Math.min(end, header.byteLength)) {
      if (byteLength === MAX_32) byteLength = Number(header.getBigUint64(field + 4, true));
      if (compressedSize === MAX_32) compressedSize = Number(header.getBigUint64(field + 12, true));
    }
    field = end;
  }
  return { crc32, compressedSize, byteLength };
}

/** The signature may be missing, and the sizes have 4 bytes or 8 (APPNOTE 4.3.9.1, 4.3.9.3). */
async function checkDescriptor(source: ByteSource, position: number, member: ZipMember): Promise<void> {
  const found = await readView(source, position, Math.min(MAX_DESCRIPTOR_BYTES, source.byteLength - position));
  const { crc32, compressedSize, byteLength } = member;
  const isAt = (start: number): boolean => {
    const left = found.byteLength - start;
    if (left < 12 || found.getUint32(start, true) !== crc32) return false;
    const short = [found.getUint32(start + 4, true), found.getUint32(start + 8, true)];
    if (short[0] === compressedSize && short[1] === byteLength) return true;
    if (left < 20) return false;
    const long = [found.getBigUint64(start + 4, true), found.getBigUint64(start + 12, true)];
    return long[0] === BigInt(compressedSize) && long[1] === BigInt(byteLength);
  };
  const isSigned = found.byteLength >= 4 && found.getUint32(0, true) === DESCRIPTOR;
  if (!(isSigned && isAt(4)) && !isAt(0)) {
    throw new NpyError("ERR_NPZ_DIRECTORY", "the descriptor behind the data and the directory differ", {
      offset: position,
    });
  }
}

/** Names without the flag are cp437, a byte a character, of which the lower half is ASCII. */
function isName(bytes: Uint8Array, isUtf8: boolean, name: string): boolean {
  if (isUtf8) return new TextDecoder("utf-8").decode(bytes) === name;
  if (bytes.length !== name.length) return false;
  return bytes.every((byte, i) => (byte < 0x80 ? name.charCodeAt(i) === byte : name.charCodeAt(i) >= 0x80));
}

function differs(what: string, offset: number): NpyError {
  return new NpyError("ERR_NPZ_DIRECTORY", `the member's local header and the directory differ in the ${what}`, {
    offset,
  });
}

async function readView(source: ByteSource, position: number, length: number): Promise<DataView> {
  const bytes = new Uint8Array(length);
  await source.read(bytes, position);
  return new DataView(bytes.buffer);
}

/** Gives a reader of directories the bytes it asks for. */
async function drive<T>(steps: Generator<ReadRequest, T, Uint8Array>, source: ByteSource): Promise<T> {
  for (let step = steps.next(); ; ) {
    if (step.done) return step.value;
    const bytes = new Uint8Array(step.value.length);
    await source.read(bytes, step.value.position);
    step = steps.next(bytes);
  }
}
