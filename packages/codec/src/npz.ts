import { MAX_DEFLATE_RATIO } from "./inflate.ts";
import { joinBytes } from "./join-bytes.ts";
import { type LimitOptions, limitsIn } from "./limits.ts";
import type { NdArray } from "./nd-array.ts";
import { decodeNpy } from "./npy.ts";
import { isNpyError, NpyError } from "./npy-error.ts";
import { isNpy, NPY_PREFIX_BYTES, npyDataOffset, parseNpyHeader } from "./npy-header.ts";
import { checkOptionKeys } from "./option-keys.ts";
import { readInMemory } from "./read-steps.ts";
import { readZipDirectory } from "./zip-directory.ts";
import { portableEngine, type ZipInflater } from "./zip-engine.ts";
import { locateMember, memberArrayName, type ZipMember } from "./zip-member.ts";
import { checkZipOptions, type EncodeZipOptions, encodeZip, zipArray } from "./zip-writer.ts";

/** Options of {@link decodeNpz}. */
export interface DecodeNpzOptions extends LimitOptions {
  /** Compression and checksum. @defaultValue `portableEngine` */
  readonly engine?: ZipInflater;
}

/**
 * Encodes arrays as an `.npz` that `np.load` reads; the same arrays give the same bytes.
 *
 * @param members - Arrays by name, without `.npy`.
 * @throws TypeError and RangeError as {@link encodeZip}.
 */
export function encodeNpz(members: Readonly<Record<string, NdArray>>, options: EncodeZipOptions = {}): Uint8Array {
  checkZipOptions("encodeNpz", options);
  const inputs = Object.entries(members).map(([name, array]) => zipArray(name, array));
  return joinBytes(encodeZip(inputs, options));
}

/**
 * Decodes all arrays of an `.npz` in memory and checks each member's CRC-32; members that are not arrays are passed
 * over. Data of stored members is a view of `bytes` where alignment allows.
 *
 * @returns Arrays by name, without `.npy`, in a record without a prototype.
 * @throws NpyError with `member` set: those of `readZipDirectory` and `decodeNpy`, `ERR_NPZ_CRC`, `ERR_NPZ_SIZE`,
 *   `ERR_NPZ_DEFLATE`, and `ERR_NPZ_DUPLICATE` where `x` and `x.npy` are both arrays.
 */
export function decodeNpz(bytes: Uint8Array, options: DecodeNpzOptions = {}): Record<string, NdArray> {
  checkOptionKeys("decodeNpz", options, ["limits", "engine"]);
  const { engine = portableEngine } = options;
  const limits = limitsIn(options);
  const arrays: Record<string, NdArray> = Object.create(null);
  for (const member of readInMemory(readZipDirectory(bytes.length, limits), bytes)) {
    const name = memberArrayName(member.name);
    // A note that is not read is no array that is missing.
    const isRead = !member.isEncrypted && (member.method === 0 || member.method === 8);
    if (!isRead && !member.name.endsWith(".npy")) continue;
    try {
      const content = readArray(member, bytes, engine, limits);
      if (content === undefined) continue;
      if (name in arrays) throw new NpyError("ERR_NPZ_DUPLICATE", "the archive holds two arrays of this name");
      arrays[name] = decodeNpy(content, limits);
    } catch (error) {
      throw isNpyError(error) ? error.locate({ member: name }) : error;
    }
  }
  return arrays;
}

/** Refuses a member whose sizes cannot both be true, before anything of its size is allocated. */
export function checkInflatedSize(member: ZipMember): void {
  if (member.method === 8 && member.byteLength > member.compressedSize * MAX_DEFLATE_RATIO) {
    throw new NpyError(
      "ERR_NPZ_SIZE",
      `${member.compressedSize} deflated bytes cannot hold the ${member.byteLength} that the directory declares`,
    );
  }
}

/** Reads the content of a member that is an array; `undefined` for one that is not. Inflates no more than it declares. */
function readArray(
  member: ZipMember,
  archive: Uint8Array,
  engine: ZipInflater,
  limits: LimitOptions,
): Uint8Array | undefined {
  const start = readInMemory(locateMember(member, archive.length), archive);
  const compressed = archive.subarray(start, start + member.compressedSize);
  checkInflatedSize(member);
  if (member.method === 0) {
    if (!isNpy(compressed)) return undefined;
    const { dataOffset, byteLength } = parseNpyHeader(checked(compressed, member, engine), limits);
    if (compressed.length > dataOffset + byteLength) throw longerThanArray(member, dataOffset + byteLength);
    return compressed;
  }
  // Its header says how long an array is, before that much is inflated.
  let head = engine.inflateStart(compressed, NPY_PREFIX_BYTES);
  if (!isNpy(head)) return undefined;
  head = engine.inflateStart(compressed, npyDataOffset(head, limits));
  const { dataOffset, byteLength } = parseNpyHeader(head, limits);
  if (member.byteLength > dataOffset + byteLength) {
    throw longerThanArray(member, dataOffset + byteLength);
  }
  return checked(engine.inflate(compressed, member.byteLength), member, engine);
}

function longerThanArray(member: ZipMember, declared: number): NpyError {
  return new NpyError(
    "ERR_NPZ_SIZE",
    `the member holds ${member.byteLength} bytes and its header declares ${declared}`,
  );
}

function checked(content: Uint8Array, member: ZipMember, engine: ZipInflater): Uint8Array {
  const found = engine.crc32(content);
  if (found === member.crc32) return content;
  throw new NpyError(
    "ERR_NPZ_CRC",
    `the content has the checksum ${hex(found)} and the directory has ${hex(member.crc32)}`,
  );
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}
