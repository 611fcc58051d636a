import { BLOCK_TABLE_ID, BLOCK_TABLE_MEMBER, parseLongTables } from "./block-table.ts";
import { type LimitOptions, resolveLimits } from "./limits.ts";
import { NpyError } from "./npy-error.ts";
import { decodeMemberName } from "./zip-name.ts";

/** Bytes that a reader without I/O of its own asks for; it is sent exactly those. */
export interface ReadRequest {
  /** Position of the first byte. */
  readonly position: number;
  /** Number of bytes. */
  readonly length: number;
}

/** One file of an archive, as its central directory describes it. */
export interface ZipMember {
  /** Name as stored, `features.npy`. */
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8;
  /** CRC-32 of the content. */
  readonly crc32: number;
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Bytes when inflated. */
  readonly byteLength: number;
  /** Position in the archive of the header in front of it. */
  readonly localHeaderOffset: number;
  /** Table of the blocks it was deflated in, as bytes for {@link parseBlockTable}. */
  readonly blockTable?: Uint8Array;
}

// Signatures and sizes of APPNOTE 6.3.10 sections 4.3.7, 4.3.12, 4.3.14, 4.3.15 and 4.3.16.
const END = 0x06054b50;
const END_BYTES = 22;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END = 0x06064b50;
const ZIP64_END_BYTES = 56;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const LARGEST_COMMENT = 0xffff;

/**
 * Reads the central directory of an archive of `byteLength` bytes.
 *
 * It does no I/O: it yields what it wants to read and is sent those bytes, so sources in memory and asynchronous ones
 * drive the same code.
 *
 * @throws NpyError `ERR_NPZ_DIRECTORY`, `ERR_NPZ_ENCRYPTED`, `ERR_NPZ_METHOD`, `ERR_NPZ_DUPLICATE`, `ERR_LIMIT_MEMBERS`.
 */
export function* readZipDirectory(
  byteLength: number,
  options?: LimitOptions,
): Generator<ReadRequest, ZipMember[], Uint8Array> {
  const limits = resolveLimits(options);
  const tailLength = Math.min(byteLength, END_BYTES + LARGEST_COMMENT + ZIP64_LOCATOR_BYTES);
  const tailPosition = byteLength - tailLength;
  const tail = viewOf(yield { position: tailPosition, length: tailLength });
  const endAt = findEnd(tail);
  if (endAt < 0) throw directoryError("there is no end record: this is not a complete .npz");
  let count = tail.getUint16(endAt + 10, true);
  let size = tail.getUint32(endAt + 12, true);
  let offset = tail.getUint32(endAt + 16, true);
  let limit = tailPosition + endAt;
  const locatorAt = endAt - ZIP64_LOCATOR_BYTES;
  if (locatorAt >= 0 && tail.getUint32(locatorAt, true) === ZIP64_LOCATOR) {
    const position = safe(tail.getBigUint64(locatorAt + 8, true), "the ZIP64 end record");
    if (position + ZIP64_END_BYTES > byteLength) throw directoryError("the ZIP64 end record lies outside the file");
    const end64 = viewOf(yield { position, length: ZIP64_END_BYTES });
    if (end64.getUint32(0, true) !== ZIP64_END) throw directoryError("the ZIP64 end record is not where it should be");
    count = safe(end64.getBigUint64(32, true), "the number of members");
    size = safe(end64.getBigUint64(40, true), "the directory's size");
    offset = safe(end64.getBigUint64(48, true), "the directory's offset");
    limit = position;
  }
  if (count > limits.members)
    throw new NpyError("ERR_LIMIT_MEMBERS", `the archive has ${count} members, the limit is ${limits.members}`);
  if (offset + size > limit) throw directoryError("the directory lies outside the file");
  const bytes = size === 0 ? new Uint8Array(0) : yield { position: offset, length: size };
  const members = readMembers(bytes, count, offset);
  const tables = members.find(({ name, method }) => name === BLOCK_TABLE_MEMBER && method === 0);
  if (tables === undefined) return members;
  const start = yield* locateMember(tables, byteLength);
  const long = parseLongTables(yield { position: start, length: tables.byteLength });
  return members.map((member) => {
    const blockTable = member.blockTable ?? long.get(member.name);
    return blockTable === undefined ? member : { ...member, blockTable };
  });
}

/**
 * Finds where the bytes of a member begin, behind its local header.
 *
 * @param end - Position that no member reaches past: the archive's length.
 * @returns Position in the archive of the member's first byte.
 * @throws NpyError `ERR_NPZ_DIRECTORY` where the local header is missing or the member reaches outside the archive.
 */
export function* locateMember(member: ZipMember, end: number): Generator<ReadRequest, number, Uint8Array> {
  const { localHeaderOffset: position, compressedSize, name } = member;
  if (position + LOCAL_BYTES > end)
    throw directoryError(`member ${JSON.stringify(name)} lies outside the file`, position);
  const local = viewOf(yield { position, length: LOCAL_BYTES });
  if (local.getUint32(0, true) !== LOCAL)
    throw directoryError(`member ${JSON.stringify(name)} has no local header`, position);
  const start = position + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + compressedSize > end)
    throw directoryError(`member ${JSON.stringify(name)} lies outside the file`, position);
  return start;
}

/** Takes `.npy` off the name of a member, as NumPy names it. */
export function memberArrayName(name: string): string {
  return name.endsWith(".npy") ? name.slice(0, -4) : name;
}

function readMembers(bytes: Uint8Array, count: number, directoryOffset: number): ZipMember[] {
  const view = viewOf(bytes);
  const members: ZipMember[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > bytes.length || view.getUint32(at, true) !== CENTRAL) {
      throw directoryError(`the directory ends before member ${i + 1} of ${count}`, directoryOffset + at);
    }
    const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) throw directoryError(`the directory ends inside member ${i + 1}`, directoryOffset + at);
    const flags = view.getUint16(at + 8, true);
    const name = decodeMemberName(bytes.subarray(at + CENTRAL_BYTES, nameEnd), (flags & 0x800) !== 0);
    const method = view.getUint16(at + 10, true);
    const where = { member: memberArrayName(name), offset: directoryOffset + at };
    if (flags & 1) throw new NpyError("ERR_NPZ_ENCRYPTED", "the member is encrypted", where);
    if (method !== 0 && method !== 8)
      throw new NpyError("ERR_NPZ_METHOD", `compression method ${method} is neither stored nor deflated`, where);
    if (names.has(name)) throw new NpyError("ERR_NPZ_DUPLICATE", "the archive holds two members of this name", where);
    names.add(name);
    const sizes = readSizes(view, at, nameEnd, extraEnd);
    if (method === 0 && sizes.compressedSize !== sizes.byteLength) {
      throw new NpyError("ERR_NPZ_SIZE", "a stored member declares two different sizes", where);
    }
    members.push({ name, method, crc32: view.getUint32(at + 16, true), ...sizes });
    at = next;
  }
  refuseOverlaps(members, directoryOffset);
  return members;
}

type Sizes = Pick<ZipMember, "compressedSize" | "byteLength" | "localHeaderOffset" | "blockTable">;

function readSizes(view: DataView, at: number, extraStart: number, extraEnd: number): Sizes {
  let compressedSize = view.getUint32(at + 20, true);
  let byteLength = view.getUint32(at + 24, true);
  let localHeaderOffset = view.getUint32(at + 42, true);
  let blockTable: Uint8Array | undefined;
  for (let field = extraStart; field + 4 <= extraEnd; ) {
    const end = field + 4 + view.getUint16(field + 2, true);
    if (end > extraEnd) throw directoryError("an extra field reaches outside its member");
    const id = view.getUint16(field, true);
    if (id === BLOCK_TABLE_ID) {
      blockTable = new Uint8Array(view.buffer, view.byteOffset + field + 4, end - field - 4).slice();
    } else if (id === 1) {
      // ZIP64, APPNOTE 4.5.3: only the fields that do not fit 32 bits, in this order.
      let value = field + 4;
      const take = (what: string): number => {
        if (value + 8 > end) throw directoryError(`the ZIP64 field lacks ${what}`);
        value += 8;
        return safe(view.getBigUint64(value - 8, true), what);
      };
      if (byteLength === 0xffffffff) byteLength = take("the size");
      if (compressedSize === 0xffffffff) compressedSize = take("the compressed size");
      if (localHeaderOffset === 0xffffffff) localHeaderOffset = take("the offset");
    }
    field = end;
  }
  return { compressedSize, byteLength, localHeaderOffset, ...(blockTable === undefined ? {} : { blockTable }) };
}

/** Two members over the same bytes are how a small archive inflates without end. */
function refuseOverlaps(members: readonly ZipMember[], directoryOffset: number): void {
  const byOffset = members.toSorted((a, b) => a.localHeaderOffset - b.localHeaderOffset);
  for (const [index, member] of byOffset.entries()) {
    const end = byOffset[index + 1]?.localHeaderOffset ?? directoryOffset;
    if (member.localHeaderOffset + LOCAL_BYTES + member.compressedSize > end) {
      throw directoryError(`member ${JSON.stringify(member.name)} overlaps what follows it`, member.localHeaderOffset);
    }
  }
}

/** The end record's comment must reach exactly to the end of the file, since a comment may hold the signature too. */
function findEnd(tail: DataView): number {
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) === END && at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength)
      return at;
  }
  return -1;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function safe(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw directoryError(`${what} is past 2^53 - 1`);
  return Number(value);
}

function directoryError(message: string, offset?: number): NpyError {
  return new NpyError("ERR_NPZ_DIRECTORY", message, offset === undefined ? {} : { offset });
}
