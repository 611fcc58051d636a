import { NpyError } from "./npy-error.ts";
import type { ReadSteps } from "./read-steps.ts";
import {
  DESCRIPTOR_BYTES,
  DESCRIPTOR_FLAG,
  DESCRIPTOR_SIGNATURE,
  ENCRYPTED_FLAG,
  LOCAL_BYTES,
  MAX_32,
  ZIP64_ID,
} from "./zip-format.ts";
import { locateMember, type ZipMember } from "./zip-member.ts";

/** Checksum and sizes of a member, which an archive holds twice. */
type Summary = Pick<ZipMember, "crc32" | "compressedSize" | "byteLength">;

/**
 * Holds a member's local header, and the data descriptor behind its data where it has one, against the directory. Programs
 * that read an archive from its start go by these, others by the directory.
 *
 * @param end - Length of the archive.
 * @returns Position in the archive of the member's first byte.
 * @throws NpyError those of {@link locateMember}, and `ERR_NPZ_DIRECTORY` where they say different things or a descriptor
 *   is missing.
 */
export function* checkLocalHeader(member: ZipMember, end: number): ReadSteps<number> {
  const start = yield* locateMember(member, end);
  const position = member.localHeaderOffset;
  const header = viewOf(yield { position, length: start - position });
  const flags = header.getUint16(6, true);
  if (flags & ENCRYPTED_FLAG) throw differ("encryption", "encrypted", "not encrypted", position);
  if (flags & DESCRIPTOR_FLAG) {
    const behind = start + member.compressedSize;
    const found = viewOf(yield { position: behind, length: Math.min(DESCRIPTOR_BYTES, end - behind) });
    if (!isDescriptor(found, member)) {
      throw new NpyError("ERR_NPZ_DIRECTORY", "no descriptor that agrees with the directory follows the member", {
        offset: behind,
      });
    }
    return start;
  }
  const local = readSummary(header);
  for (const [what, key] of [
    ["checksum", "crc32"],
    ["compressed size", "compressedSize"],
    ["size", "byteLength"],
  ] as const) {
    if (local[key] !== member[key]) throw differ(what, local[key], member[key], position);
  }
  return start;
}

function readSummary(header: DataView): Summary {
  const crc32 = header.getUint32(14, true);
  let compressedSize = header.getUint32(18, true);
  let byteLength = header.getUint32(22, true);
  for (let field = LOCAL_BYTES + header.getUint16(26, true); field + 4 <= header.byteLength; ) {
    const end = field + 4 + header.getUint16(field + 2, true);
    // In a local header ZIP64 has both sizes, the one before compression first.
    if (header.getUint16(field, true) === ZIP64_ID && field + 20 <= Math.min(end, header.byteLength)) {
      if (byteLength === MAX_32) byteLength = Number(header.getBigUint64(field + 4, true));
      if (compressedSize === MAX_32) compressedSize = Number(header.getBigUint64(field + 12, true));
    }
    field = end;
  }
  return { crc32, compressedSize, byteLength };
}

/** The signature may be missing, and the sizes have 4 bytes or 8 (APPNOTE 4.3.9.1, 4.3.9.3). */
function isDescriptor(found: DataView, { crc32, compressedSize, byteLength }: Summary): boolean {
  const isAt = (start: number): boolean => {
    const left = found.byteLength - start;
    if (left < 12 || found.getUint32(start, true) !== crc32) return false;
    const short = [found.getUint32(start + 4, true), found.getUint32(start + 8, true)];
    if (short[0] === compressedSize && short[1] === byteLength) return true;
    if (left < 20) return false;
    const long = [found.getBigUint64(start + 4, true), found.getBigUint64(start + 12, true)];
    return long[0] === BigInt(compressedSize) && long[1] === BigInt(byteLength);
  };
  const isSigned = found.byteLength >= 4 && found.getUint32(0, true) === DESCRIPTOR_SIGNATURE;
  return (isSigned && isAt(4)) || isAt(0);
}

function differ(what: string, local: number | string, central: number | string, offset: number): NpyError {
  const message = `the member's local header and the directory differ in the ${what}: ${local} and ${central}`;
  return new NpyError("ERR_NPZ_DIRECTORY", message, { offset });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
