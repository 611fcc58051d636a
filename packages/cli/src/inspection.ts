import type { ArrayHandle } from "@npystream/reader-stream";
import type { ArrayFile } from "./array-file.ts";

/** What `inspect --json` says of an array; other programs rely on its keys. */
export interface ArrayReport {
  /** Name in the archive. */
  readonly member?: string;
  /** The header's own type string, `<f4`. */
  readonly descr: ArrayHandle["descr"];
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly order: "C" | "F";
  readonly version: string;
  /** Bytes from the start of the `.npy` to its data. */
  readonly dataOffset: number;
  /** Bytes of data. */
  readonly byteLength: number;
}

/** How a member of an archive is stored. */
export interface MemberReport {
  /** Name of the array, or of a member that is none. */
  readonly name: string;
  readonly method: "stored" | "deflated" | "unsupported";
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Largest power of two, up to 4096, that the data's position in the file is a multiple of; none where deflated. */
  readonly alignment?: number;
  /** The array, where the member is one that can be read. */
  readonly array?: ArrayReport;
}

/** Told of a member that cannot be read. */
export type MemberFailure = (error: unknown, member: string) => Promise<void>;

/** A page, the unit of memory mapping; a finer alignment than any reader asks for. */
const MAX_ALIGNMENT = 4096;

/**
 * Reads the header of a `.npy`.
 *
 * @throws NpyError those of `openNpy`; `ERR_NPZ_MEMBER` where a member is named, which it does not have.
 */
export async function inspectArray(file: ArrayFile, member: string | undefined): Promise<ArrayReport> {
  await using handle = await file.openNpy(member);
  return reportOf(handle);
}

/**
 * Reads the headers of an archive's members. Those that cannot be read are told to `onFailure`; the others are reported.
 *
 * @param member - The one array to report. @defaultValue all members
 * @throws NpyError `ERR_NPZ_MEMBER` where there is no such array, and those of `openNpy` for the one that is named.
 */
export async function inspectArchive(
  file: ArrayFile,
  member: string | undefined,
  onFailure: MemberFailure,
): Promise<MemberReport[]> {
  const names = new Map(file.arrays.map(({ stored, name }) => [stored, name]));
  const members = file.archive?.members ?? [];
  if (member !== undefined) {
    // As in NumPy the name as stored goes first. Where there is neither, opening it says so.
    const wanted = members.find(({ name }) => name === member) ?? members.find(({ name }) => name === `${member}.npy`);
    const { name: stored, method, compressedSize } = wanted ?? { name: member, method: "stored", compressedSize: 0 };
    return [await inspectMember(file, stored, { name: names.get(stored) ?? stored, method, compressedSize })];
  }
  const reports: MemberReport[] = [];
  for (const { name: stored, method, compressedSize } of members) {
    const name = names.get(stored);
    const storage = { name: name ?? stored, method, compressedSize };
    try {
      reports.push(name === undefined ? storage : await inspectMember(file, stored, storage));
    } catch (error) {
      await onFailure(error, storage.name);
      reports.push(storage);
    }
  }
  return reports;
}

async function inspectMember(file: ArrayFile, stored: string, storage: MemberReport): Promise<MemberReport> {
  await using handle = await file.openNpy(stored);
  const { dataPosition } = handle;
  const alignment = dataPosition === undefined ? {} : { alignment: alignmentOf(dataPosition) };
  return { ...storage, ...alignment, array: { member: storage.name, ...reportOf(handle) } };
}

function reportOf(handle: ArrayHandle): ArrayReport {
  const { descr, dtype, shape, order, version, dataOffset, byteLength } = handle;
  return { descr, dtype, shape, order, version, dataOffset, byteLength };
}

function alignmentOf(position: number): number {
  let alignment = 1;
  while (alignment < MAX_ALIGNMENT && position % (2 * alignment) === 0) alignment *= 2;
  return alignment;
}
