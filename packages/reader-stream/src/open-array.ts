import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  type ByteReadOptions,
  type ByteSource,
  checkOptionKeys,
  isNpyError,
  type LimitOptions,
} from "@npystream/codec";
import { ArrayHandle, type ArrayOrigin } from "./array-handle.ts";
import { eachConcurrently } from "./each-concurrently.ts";
import { fileSource } from "./file-source.ts";
import { isHttpUrl } from "./http-options.ts";
import { isFileUrl } from "./local-path.ts";
import { explainOpening } from "./mistaken-format.ts";
import { NpzArchive } from "./npz-archive.ts";
import { type OpenFileByPath, openSource, type SourceLike } from "./open-source.ts";
import { pooledFile } from "./pooled-file.ts";
import { ShardList } from "./shard-list.ts";
import { StoredArray } from "./stored-array.ts";

/** Options of {@link openNpy} and {@link openNpz}. */
export interface OpenOptions extends LimitOptions, ByteReadOptions {}

const OPTION_NAMES = ["limits", "signal"];
/** Shards opened at once. */
const CONCURRENCY = 8;
/** Files of longer lists share descriptors. */
const MOST_HELD_FILES = 64;

/**
 * Opens a `.npy`, or several as the shards of one array: their rows follow each other. Reads headers and no data.
 *
 * A list of up to 64 files holds a descriptor for each. Of a longer one those that were read last are open, all such lists
 * of a process together 128, and the others are opened again when they are read: one that has another state or name by then
 * is `ERR_SOURCE_CHANGED`.
 *
 * @param from - One source, or a list of them. A path or URL may name a member of an archive, `set.npz#labels`, unless
 *   there is a file of just that name.
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
  const openFile = sources.length > MOST_HELD_FILES ? pooledFile : fileSource;
  const places: (OpenedArray | undefined)[] = sources.map(() => undefined);
  try {
    await eachConcurrently(sources.entries(), CONCURRENCY, async ([index, one]) => {
      options.signal?.throwIfAborted();
      places[index] = await openOne(one, options, openFile);
    });
    const opened = places.filter((one) => one !== undefined);
    const shards = new ShardList(
      opened.map(({ array }) => array),
      opened.map(({ origin }) => origin),
    );
    return new ArrayHandle({
      shards,
      close: () => closeAll(opened),
      ...opened[0]?.origin,
      dataPosition: opened[0]?.dataPosition,
    });
  } catch (error) {
    await closeAll(places.filter((one) => one !== undefined));
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
  return await openArchive(from, options, fileSource);
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

async function openArchive(from: SourceLike, options: OpenOptions, openFile: OpenFileByPath): Promise<NpzArchive> {
  options.signal?.throwIfAborted();
  const { source, path } = await openSource(from, options, openFile);
  try {
    return await NpzArchive.open(source, path, options);
  } catch (error) {
    throw await failedOpening(error, source, path);
  }
}

async function openOne(from: SourceLike, options: OpenOptions, openFile: OpenFileByPath): Promise<OpenedArray> {
  const { path, member } = splitSource(from);
  if (member !== undefined && !(await isFile(String(from)))) {
    const archive = await openArchive(path, options, openFile);
    try {
      return await archive.openMember(member, options, () => archive.close());
    } catch (error) {
      await archive.close();
      throw error;
    }
  }
  const { source, path: opened } = await openSource(from, options, openFile);
  try {
    const array = await StoredArray.open(source, options);
    const { dataOffset } = array.header;
    return { array, origin: { path: opened }, dataPosition: dataOffset, close: () => source.close() };
  } catch (error) {
    throw await failedOpening(error, source, opened);
  }
}

/** Path and member that a text or a URL names. */
function splitSource(from: SourceLike): ArrayPath {
  if (typeof from === "string" && !isFileUrl(from)) return splitArrayPath(from);
  // What a URL names in a file is its fragment, and a # of a name is written as %23.
  if (typeof from !== "string" && !(from instanceof URL)) return { path: "", member: undefined };
  const url = new URL(from);
  const isMember = url.hash.length > 1 && url.pathname.endsWith(".npz") && (isHttpUrl(url.href) || isFileUrl(url.href));
  if (!isMember) return { path: "", member: undefined };
  const member = decodeURIComponent(url.hash.slice(1));
  url.hash = "";
  return { path: isHttpUrl(url.href) ? url.href : fileURLToPath(url), member };
}

/** Closes the source of something that did not open, and says of the error where it is and what to call instead. */
async function failedOpening(error: unknown, source: ByteSource, path: string | undefined): Promise<unknown> {
  const explained = await explainOpening(error, source);
  await source.close();
  return isNpyError(explained) ? explained.locate({ path }) : explained;
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
