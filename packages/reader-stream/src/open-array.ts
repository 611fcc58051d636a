import { type ByteReadOptions, isNpyError, type LimitOptions } from "@npystream/codec";
import { ArrayHandle } from "./array-handle.ts";
import { NpzArchive } from "./npz-archive.ts";
import { type OpenedSource, openSource, type SourceLike } from "./open-source.ts";
import { ShardList } from "./shard-list.ts";
import { StoredArray } from "./stored-array.ts";

/** Options of {@link openNpy}, {@link openNpz} and {@link openArray}. */
export interface OpenOptions extends LimitOptions, ByteReadOptions {}

/**
 * Opens a `.npy`, or several as the shards of one array: their rows follow each other. Reads the header and no data.
 *
 * @param from - One source, or a list of them.
 * @throws NpyError those of `parseNpyHeader`, `ERR_NPY_TRUNCATED` where data is missing, `ERR_SHARD_MISMATCH` for shards
 *   that differ in dtype or row shape. System errors such as `ENOENT`.
 */
export async function openNpy(
  from: SourceLike | readonly SourceLike[],
  options: OpenOptions = {},
): Promise<ArrayHandle> {
  const sources = Array.isArray(from) ? (from as readonly SourceLike[]) : [from as SourceLike];
  const opened: OpenedSource[] = [];
  const close = async (): Promise<void> => {
    for (const { source } of opened) await source.close();
  };
  try {
    const arrays: StoredArray[] = [];
    for (const one of sources) {
      options.signal?.throwIfAborted();
      const source = await openSource(one);
      opened.push(source);
      arrays.push(await openAt(source, options));
    }
    const shards = new ShardList(
      arrays,
      opened.map(({ path }) => path),
    );
    return new ArrayHandle({ shards, close, path: opened[0]?.path, dataPosition: shards.first.header.dataOffset });
  } catch (error) {
    await close();
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
  options.signal?.throwIfAborted();
  const { source, path } = await openSource(from);
  try {
    return await NpzArchive.open(source, path, options);
  } catch (error) {
    await source.close();
    throw isNpyError(error) ? error.locate({ path }) : error;
  }
}

/**
 * Opens one array by its text: `x.npy`, or `set.npz#labels` for a member of an archive.
 *
 * @throws NpyError those of {@link openNpy}, {@link openNpz} and `NpzArchive.open`.
 */
export async function openArray(text: string, options: OpenOptions = {}): Promise<ArrayHandle> {
  const { path, member } = splitArrayPath(text);
  if (member === undefined) return await openNpy(path, options);
  const archive = await openNpz(path, options);
  try {
    return await archive.openAlone(member, options);
  } catch (error) {
    await archive.close();
    throw error;
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

async function openAt({ source, path }: OpenedSource, options: OpenOptions): Promise<StoredArray> {
  try {
    return await StoredArray.open(source, options);
  } catch (error) {
    throw isNpyError(error) ? error.locate({ path }) : error;
  }
}
