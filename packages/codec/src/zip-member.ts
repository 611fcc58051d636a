import { NpyError } from "./npy-error.ts";
import type { ReadSteps } from "./read-steps.ts";
import { LOCAL_BYTES, LOCAL_SIGNATURE, MAX_16, UTF8_FLAG } from "./zip-format.ts";
import { decodeMemberName } from "./zip-name.ts";

/** One file of an archive, as its central directory describes it. */
export interface ZipMember {
  /** Name as stored, `features.npy`. */
  readonly name: string;
  /** 0 stored, 8 deflated; what anything else is compressed with is not read. */
  readonly method: number;
  /** Whether it is encrypted, and so not read either. */
  readonly isEncrypted: boolean;
  /** CRC-32 of the content. */
  readonly crc32: number;
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Bytes when inflated. */
  readonly byteLength: number;
  /** Position in the archive of the header in front of it. */
  readonly localHeaderOffset: number;
  /** Position that the member does not reach past: the next member's header, or the directory. */
  readonly limit: number;
  /** Table of the blocks it was deflated in, as bytes for {@link parseBlockTable}. */
  readonly blockTable?: Uint8Array;
}

/**
 * Finds where the bytes of a member begin, behind its local header, which must name the same member.
 *
 * @param end - Length of the archive.
 * @returns Position in the archive of the member's first byte.
 * @throws NpyError `ERR_NPZ_METHOD`, `ERR_NPZ_ENCRYPTED` for a member that is not read; `ERR_NPZ_DIRECTORY` where the local
 *   header is missing or another's, or the member reaches over what follows it.
 */
export function* locateMember(member: ZipMember, end: number): ReadSteps<number> {
  const { localHeaderOffset: position, compressedSize, method, isEncrypted } = member;
  const where = { member: memberArrayName(member.name), offset: position };
  if (isEncrypted) throw new NpyError("ERR_NPZ_ENCRYPTED", "the member is encrypted", where);
  if (method !== 0 && method !== 8) {
    throw new NpyError("ERR_NPZ_METHOD", `compression method ${method} is neither stored nor deflated`, where);
  }
  const limit = Math.min(end, member.limit);
  const refuse = (why: string): NpyError =>
    new NpyError("ERR_NPZ_DIRECTORY", `member ${JSON.stringify(member.name)} ${why}`, { offset: position });
  if (position + LOCAL_BYTES > limit) throw refuse("lies outside the file");
  const bytes = yield { position, length: Math.min(LOCAL_BYTES + MAX_16, limit - position) };
  const local = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (local.getUint32(0, true) !== LOCAL_SIGNATURE) throw refuse("has no local header");
  const nameEnd = LOCAL_BYTES + local.getUint16(26, true);
  const start = position + nameEnd + local.getUint16(28, true);
  if (start + compressedSize > limit) throw refuse("reaches over what follows it");
  const isUtf8 = (local.getUint16(6, true) & UTF8_FLAG) !== 0;
  if (
    decodeMemberName(bytes.subarray(LOCAL_BYTES, nameEnd), isUtf8) !== member.name ||
    local.getUint16(8, true) !== method
  ) {
    throw refuse("is another one in its local header");
  }
  return start;
}

/** Takes `.npy` off the name of a member, as NumPy names it. */
export function memberArrayName(name: string): string {
  return name.endsWith(".npy") ? name.slice(0, -4) : name;
}
