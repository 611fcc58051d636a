import { BLOCK_TABLE_ID, BLOCK_TABLE_MEMBER, parseLongTables } from "./block-table.ts";
import { type LimitOptions, limitsOf } from "./limits.ts";
import { NpyError } from "./npy-error.ts";
import type { ReadSteps } from "./read-steps.ts";
import {
  CENTRAL_BYTES,
  CENTRAL_SIGNATURE,
  ENCRYPTED_FLAG,
  END_BYTES,
  END_SIGNATURE,
  LOCAL_BYTES,
  MAX_16,
  MAX_32,
  UTF8_FLAG,
  ZIP64_END_BYTES,
  ZIP64_END_SIGNATURE,
  ZIP64_ID,
  ZIP64_LOCATOR_BYTES,
  ZIP64_LOCATOR_SIGNATURE,
} from "./zip-format.ts";
import { locateMember, memberArrayName, type ZipMember } from "./zip-member.ts";
import { decodeMemberName } from "./zip-name.ts";

/** An entry with the longest name, extra field and comment. */
const LARGEST_ENTRY = CENTRAL_BYTES + 3 * MAX_16;
const LARGEST_COMMENT = MAX_16;
/** A directory is read in pieces of this: more than an entry can take, less than a file can claim. */
const PIECE_BYTES = 1 << 20;
/** Tables of 64 TiB of content; more are not looked at. */
const MAX_TABLES_BYTES = 256 << 20;

/** Where the central directory of an archive lies. */
export interface ZipDirectoryPlace {
  /** Number of members it lists. */
  readonly count: number;
  /** Position of its first byte: all members lie before it. */
  readonly offset: number;
  /** Its bytes. */
  readonly byteLength: number;
  /** Comment of the archive. */
  readonly comment: Uint8Array;
}

/**
 * Finds the central directory of an archive of `byteLength` bytes, as {@link readZipDirectory} does.
 *
 * @throws NpyError `ERR_NPZ_DIRECTORY`.
 */
export function* locateZipDirectory(byteLength: number): ReadSteps<ZipDirectoryPlace> {
  const tailLength = Math.min(byteLength, END_BYTES + LARGEST_COMMENT + ZIP64_LOCATOR_BYTES);
  const tailPosition = byteLength - tailLength;
  const tailBytes = yield { position: tailPosition, length: tailLength };
  const tail = viewOf(tailBytes);
  const endAt = findEnd(tail);
  if (endAt < 0) throw directoryError("there is no end record: this is not a .npz, or not a complete one");
  let count = tail.getUint16(endAt + 10, true);
  let size = tail.getUint32(endAt + 12, true);
  let offset = tail.getUint32(endAt + 16, true);
  let limit = tailPosition + endAt;
  const comment = new Uint8Array(tailBytes.subarray(endAt + END_BYTES));
  const locatorAt = endAt - ZIP64_LOCATOR_BYTES;
  if (locatorAt >= 0 && tail.getUint32(locatorAt, true) === ZIP64_LOCATOR_SIGNATURE) {
    const position = safe(tail.getBigUint64(locatorAt + 8, true), "the ZIP64 end record");
    if (position + ZIP64_END_BYTES > byteLength) throw directoryError("the ZIP64 end record lies outside the file");
    const end64 = viewOf(yield { position, length: ZIP64_END_BYTES });
    if (end64.getUint32(0, true) !== ZIP64_END_SIGNATURE)
      throw directoryError("the ZIP64 end record is not where it should be");
    count = safe(end64.getBigUint64(32, true), "the number of members");
    size = safe(end64.getBigUint64(40, true), "the directory's size");
    offset = safe(end64.getBigUint64(48, true), "the directory's offset");
    limit = position;
  }
  if (offset + size > limit) throw directoryError("the directory lies outside the file");
  return { count, offset, byteLength: size, comment };
}

/**
 * Reads the central directory of an archive of `byteLength` bytes.
 *
 * It does no I/O: it yields what it wants to read and is sent those bytes, so sources in memory and asynchronous ones
 * drive the same code.
 *
 * @throws NpyError `ERR_NPZ_DIRECTORY`, `ERR_NPZ_SIZE`, `ERR_NPZ_DUPLICATE`, `ERR_LIMIT_MEMBERS`.
 */
export function* readZipDirectory(byteLength: number, options?: LimitOptions): ReadSteps<ZipMember[]> {
  const limits = limitsOf("readZipDirectory", options);
  const { count, offset, byteLength: size } = yield* locateZipDirectory(byteLength);
  if (count > limits.members)
    throw new NpyError("ERR_LIMIT_MEMBERS", `the archive has ${count} members, the limit is ${limits.members}`);
  const members = yield* readMembers(offset, size, count);
  const tables = members.find(({ name, method }) => name === BLOCK_TABLE_MEMBER && method === 0);
  // Members are read without their tables too.
  if (tables === undefined || tables.byteLength > MAX_TABLES_BYTES) return members;
  const start = yield* locateMember(tables, byteLength);
  const long = parseLongTables(yield { position: start, length: tables.byteLength });
  return members.map((member) => {
    const blockTable = member.blockTable ?? long.get(member.name);
    return blockTable === undefined ? member : { ...member, blockTable };
  });
}

/**
 * Cuts the bytes of a central directory into those of its entries, each with its name as stored. The directory must be
 * one that {@link readZipDirectory} has read.
 */
export function* splitZipDirectory(directory: Uint8Array): Generator<readonly [name: string, entry: Uint8Array]> {
  const view = viewOf(directory);
  for (let at = 0; at < directory.length; ) {
    const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const end = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    const isUtf8 = (view.getUint16(at + 8, true) & UTF8_FLAG) !== 0;
    yield [decodeMemberName(directory.subarray(at + CENTRAL_BYTES, nameEnd), isUtf8), directory.subarray(at, end)];
    at = end;
  }
}

type Entry = Omit<ZipMember, "limit">;

/** Reads the entries piece by piece: what is in memory is a piece and what was found, whatever size is claimed. */
function* readMembers(offset: number, size: number, count: number): ReadSteps<ZipMember[]> {
  const entries: Entry[] = [];
  const names = new Set<string>();
  let position = offset;
  const end = offset + size;
  let piece: DataView = new DataView(new ArrayBuffer(0));
  let pieceStart = position;
  for (let i = 0; i < count; i++) {
    const isWhole = pieceStart + piece.byteLength === end || position + LARGEST_ENTRY <= pieceStart + piece.byteLength;
    if (!isWhole) {
      piece = viewOf(yield { position, length: Math.min(PIECE_BYTES, end - position) });
      pieceStart = position;
    }
    const at = position - pieceStart;
    if (at + CENTRAL_BYTES > piece.byteLength || piece.getUint32(at, true) !== CENTRAL_SIGNATURE) {
      throw directoryError(`the directory ends before member ${i + 1} of ${count}`, position);
    }
    const next =
      at +
      CENTRAL_BYTES +
      piece.getUint16(at + 28, true) +
      piece.getUint16(at + 30, true) +
      piece.getUint16(at + 32, true);
    if (next > piece.byteLength) throw directoryError(`the directory ends inside member ${i + 1}`, position);
    const entry = readEntry(piece, at, position);
    if (names.has(entry.name)) {
      const where = { member: memberArrayName(entry.name), offset: position };
      throw new NpyError("ERR_NPZ_DUPLICATE", "the archive holds two members of this name", where);
    }
    names.add(entry.name);
    entries.push(entry);
    position = pieceStart + next;
  }
  if (position !== end) throw directoryError(`the directory goes on behind its ${count} members`, position);
  return withLimits(entries, offset);
}

function readEntry(view: DataView, at: number, position: number): Entry {
  const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
  const flags = view.getUint16(at + 8, true);
  const nameBytes = new Uint8Array(view.buffer, view.byteOffset + at + CENTRAL_BYTES, nameEnd - at - CENTRAL_BYTES);
  const name = decodeMemberName(nameBytes, (flags & UTF8_FLAG) !== 0);
  const method = view.getUint16(at + 10, true);
  const sizes = readSizes(view, at, nameEnd, nameEnd + view.getUint16(at + 30, true));
  const isEncrypted = (flags & ENCRYPTED_FLAG) !== 0;
  if (method === 0 && !isEncrypted && sizes.compressedSize !== sizes.byteLength) {
    const where = { member: memberArrayName(name), offset: position };
    throw new NpyError("ERR_NPZ_SIZE", "a stored member declares two different sizes", where);
  }
  return { name, method, isEncrypted, crc32: view.getUint32(at + 16, true), ...sizes };
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
      // A copy, so that a table does not keep the piece of the directory that it was in.
      blockTable = new Uint8Array(view.buffer, view.byteOffset + field + 4, end - field - 4).slice();
    } else if (id === ZIP64_ID) {
      // ZIP64, APPNOTE 4.5.3: only the fields that do not fit 32 bits, in this order.
      let value = field + 4;
      const take = (what: string): number => {
        if (value + 8 > end) throw directoryError(`the ZIP64 field lacks ${what}`);
        value += 8;
        return safe(view.getBigUint64(value - 8, true), what);
      };
      if (byteLength === MAX_32) byteLength = take("the size");
      if (compressedSize === MAX_32) compressedSize = take("the compressed size");
      if (localHeaderOffset === MAX_32) localHeaderOffset = take("the offset");
    }
    field = end;
  }
  return { compressedSize, byteLength, localHeaderOffset, ...(blockTable === undefined ? {} : { blockTable }) };
}

/** Gives each member its end. Two members over the same bytes are how a small archive inflates without end. */
function withLimits(entries: readonly Entry[], directoryOffset: number): ZipMember[] {
  const limits = new Map<Entry, number>();
  const byOffset = entries.toSorted((a, b) => a.localHeaderOffset - b.localHeaderOffset);
  for (const [index, entry] of byOffset.entries()) {
    const limit = byOffset[index + 1]?.localHeaderOffset ?? directoryOffset;
    if (entry.localHeaderOffset + LOCAL_BYTES + entry.compressedSize > limit) {
      throw directoryError(`member ${JSON.stringify(entry.name)} overlaps what follows it`, entry.localHeaderOffset);
    }
    limits.set(entry, limit);
  }
  return entries.map((entry) => ({ ...entry, limit: limits.get(entry) ?? directoryOffset }));
}

/** The end record's comment must reach exactly to the end of the file, since a comment may hold the signature too. */
function findEnd(tail: DataView): number {
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (
      tail.getUint32(at, true) === END_SIGNATURE &&
      at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength
    )
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
