import { stat } from "node:fs/promises";
import { type ByteReadOptions, checkOptionKeys, isNpyError, type LimitOptions } from "@npystream/codec";
import { ArrayHandle, type ArrayOrigin } from "./array-handle.ts";
import { NpzArchive } from "./npz-archive.ts";
import { openSource, type SourceLike } from "./open-source.ts";
import { ShardList } from "./shard-list.ts";
import { StoredArray } from "./stored-array.ts";

/** Options of {@link openNpy} and {@link openNpz}. */
export interface OpenOptions extends LimitOptions, ByteReadOptions {}

const OPTION_NAMES = ["limits", "signal"];

/**
 * Opens a `.npy`, or several as the shards of one array: their rows follow each other. Reads headers and no data.
 *
 * @param from - One source, or a list of them. A path may name a member of an archive, `set.npz#labels`, unless there is a
 *   file of just that name.
 * @throws NpyError those of `parseNpyHeader`, `ERR_NPY_TRUNCATED` where data is missing, `ERR_SHARD_MISMATCH` for shards
 *   that differ in dtype or row shape, and those of {@link openNpz} and `NpzArchive.open` for a member. System errors such
 *   as `ENOENT`.
 */
export async function openNpy(
  from: SourceLike | readonly SourceLike[],
  options: OpenOptions = {},
): Promise<ArrayHandle> {
  checkOptionKeys("openNpy", options, OPTION_NAMES);
  const sources = Array.isArray(from) ? (from as readonly SourceLike[]) : [from as SourceLike];
  const opened: OpenedArray[] = [];
  try {
    for (const one of sources) {
      options.signal?.throwIfAborted();
      opened.push(await openOne(one, options));
    }
    const shards = new ShardList(
      opened.map(({ array }) => array),
      opened.map(({ origin }) => origin.path),
    );
    return new ArrayHandle({
      shards,
      close: () => closeAll(opened),
      ...opened[0]?.origin,
      dataPosition: opened[0]?.dataPosition,
    });
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

/**
 * Opens an `.npz`: reads its directory and no member.
 *
 * @throws NpyError `ERR_NPZ_DIRECTORY`, `ERR_NPZ_METHOD`, `ERR_NPZ_ENCRYPTED`, `ERR_NPZ_DUPLICATE`, `ERR_LIMIT_MEMBERS`.
 *   System errors such as `ENOENT`.
 */
export async function openNpz(from: SourceLike, options: OpenOptions = {}): Promise<NpzArchive> {
  checkOptionKeys("openNpz", options, OPTION_NAMES);
  options.signal?.throwIfAborted();
  const { source, path } = await openSource(from, options);
  try {
    return await NpzArchive.open(source, path, options);
  } catch (error) {
    await source.close();
    throw isNpyError(error) ? error.locate({ path }) : error;
  }
}

/** Path and member that a text names. */
export interface ArrayPath {
  /** Path of the file. */
  readonly path: string;
  /** Name of the member; none where the text is a path alone. */
  readonly member: string | undefined;
}

/** Splits `set.npz#labels` at the first `#` behind `.npz`; any other text is a path as it is. */
export function splitArrayPath(text: string): ArrayPath {
  const at = text.indexOf(".npz#");
  if (at < 0) return { path: text, member: undefined };
  return { path: text.slice(0, at + 4), member: text.slice(at + 5) };
}

/** One array that was opened for a handle. */
interface OpenedArray {
  readonly array: StoredArray;
  readonly origin: ArrayOrigin;
  readonly dataPosition: number | undefined;
  readonly close: () => Promise<void>;
}

async function openOne(from: SourceLike, options: OpenOptions): Promise<OpenedArray> {
  const { path, member } = typeof from === "string" ? splitArrayPath(from) : { path: "", member: undefined };
  if (member !== undefined && !(await isFile(String(from)))) {
    const archive = await openNpz(path, options);
    try {
      return await archive.openMember(member, options, () => archive.close());
    } catch (error) {
      await archive.close();
      throw error;
    }
  }
  const { source, path: opened } = await openSource(from, options);
  try {
    const array = await StoredArray.open(source, options);
    const { dataOffset } = array.header;
    return { array, origin: { path: opened }, dataPosition: dataOffset, close: () => source.close() };
  } catch (error) {
    await source.close();
    throw isNpyError(error) ? error.locate({ path: opened }) : error;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return false;
    throw error;
  }
}

/** Closes all of them, also where one fails to. */
async function closeAll(opened: readonly OpenedArray[]): Promise<void> {
  const results = await Promise.allSettled(opened.map(({ close }) => close()));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
