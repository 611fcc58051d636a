import {
  checkLocalHeader,
  memberArrayName,
  NpyError,
  readFromSource,
  readZipDirectory,
  type ZipMember,
} from "@npystream/codec";
import type { ArrayHandle, FileSource } from "@npystream/reader-stream";
import type { ArrayFile } from "./array-file.ts";
import type { MemberFailure } from "./inspection.ts";
import { checkContent, readThrough } from "./member-content.ts";

/** An array that was read whole. */
export type VerifiedArray = Pick<ArrayHandle, "dtype" | "shape">;

/** A `.npy` that was read whole. */
export interface VerifiedNpy extends VerifiedArray {
  /** Bytes that follow the array, which NumPy passes over. */
  readonly trailingBytes: number;
}

/** A member of an archive that was read whole. */
export interface VerifiedMember {
  /** Bytes of content. */
  readonly byteLength: number;
  /** The array, where the member is one. */
  readonly array?: VerifiedArray;
}

/**
 * Reads a `.npy` to the end of its array.
 *
 * @param isStrict - Whether bytes behind the array are an error.
 * @throws NpyError those of `openNpy`; `ERR_NPY_TRAILING` where asked; `ERR_NPZ_MEMBER` where a member is named, which it
 *   does not have.
 */
export async function verifyNpy(file: ArrayFile, member: string | undefined, isStrict: boolean): Promise<VerifiedNpy> {
  await using handle = await file.openNpy(member);
  const { dtype, shape, dataOffset, byteLength } = handle;
  const source = await file.openSource();
  await readThrough(source, dataOffset, byteLength);
  const trailingBytes = file.byteLength - dataOffset - byteLength;
  if (isStrict && trailingBytes > 0) {
    throw new NpyError("ERR_NPY_TRAILING", `${trailingBytes} bytes follow the array`, {
      offset: dataOffset + byteLength,
    });
  }
  return { dtype, shape, trailingBytes };
}

/**
 * Reads the members of an archive, also those that are no arrays. One that is bad is told to `onFailure`, and the others
 * get their turn.
 *
 * @param member - The one to read, with or without `.npy`. @defaultValue all members
 * @returns The members that are good.
 * @throws NpyError `ERR_NPZ_MEMBER` where there is no such member, and those of `readZipDirectory`.
 */
export async function verifyArchive(
  file: ArrayFile,
  member: string | undefined,
  onFailure: MemberFailure,
): Promise<VerifiedMember[]> {
  const source = await file.openSource();
  const members = await readFromSource(readZipDirectory(source.byteLength), source);
  const verified: VerifiedMember[] = [];
  for (const one of member === undefined ? members : [await findMember(file, members, member)]) {
    try {
      verified.push(await verifyMember(file, source, one));
    } catch (error) {
      await onFailure(error, memberArrayName(one.name));
    }
  }
  return verified;
}

async function findMember(file: ArrayFile, members: readonly ZipMember[], wanted: string): Promise<ZipMember> {
  // As in NumPy the name as stored goes first.
  const found = members.find(({ name }) => name === wanted) ?? members.find(({ name }) => name === `${wanted}.npy`);
  if (found !== undefined) return found;
  // Opening it says what there is.
  await using handle = await file.openNpy(wanted);
  throw new NpyError("ERR_NPZ_MEMBER", "the archive changed while it was read", { member: handle.member });
}

async function verifyMember(file: ArrayFile, source: FileSource, member: ZipMember): Promise<VerifiedMember> {
  const { name, method, byteLength } = member;
  const start = await readFromSource(checkLocalHeader(member, source.byteLength), source);
  if (!name.endsWith(".npy")) {
    await checkContent(source, member, start);
    return { byteLength };
  }
  let array: VerifiedArray;
  try {
    await using handle = await file.openNpy(name);
    array = { dtype: handle.dtype, shape: handle.shape };
  } catch (error) {
    // A checksum that does not match explains whatever else is wrong. A deflated member is not inflated for it, since
    // its content may be a thousand times what the file takes.
    if (method === 0) await checkContent(source, member, start);
    throw error;
  }
  await checkContent(source, member, start);
  return { byteLength, array };
}
