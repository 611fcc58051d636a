import type { ArrayInput } from "./array-input.ts";
import { type FileLock, lockFiles } from "./file-lock.ts";
import { type OpenChunkWriter, PushStream } from "./push-stream.ts";
import { RowEncoder } from "./row-encoder.ts";
import { ShardNames } from "./shard-names.ts";
import { ShardRowWriter } from "./shard-row-writer.ts";
import {
  NO_BOUND,
  type ResolvedShardOptions,
  resolveShardOptions,
  type ShardWriteResult,
  type ShardWriterOptions,
} from "./shard-write-options.ts";
import { existsError, writeError } from "./write-error.ts";

/** A stream of rows into shards; `createShardWriter` makes it. */
export class ShardWriter<Chunk = ArrayInput> extends PushStream<Chunk, ShardWriteResult> {}

/**
 * Creates a stream that writes rows into one `.npy` after another, and at the end a manifest that names them all.
 *
 * `names` is the path of the shards with `{shard:05}`, their number from 0, in the name; or such paths by role, of arrays
 * whose rows belong together: a chunk is `{ features, labels }` then, with as many rows of each, and shard 7 of each has
 * the same rows. What rows are is as `createNpyWriteStream` has it.
 *
 * Each file is atomic, see `fileSink`. The manifest (`features.manifest.json`, see `parseShardManifest`) is written last:
 * where it is, all shards that it names are whole. A crash, an error or an abort leaves the whole shards that there are,
 * without a manifest. Shards or a manifest that exist are refused, or with `overwrite` replaced: the old manifest, and any
 * other in the folder that tells of such shards, is removed before the first shard is, and old shards of higher numbers
 * before the new manifest is there. One writer at a time has the names of a role, and the manifest.
 *
 * Memory is `highWaterMark` bytes of each array, twice while a shard is flushed and the next is filled.
 *
 * Errors come as those of `createNpyWriteStream` do: `ERR_WRITE_SHAPE`, `ERR_WRITE_DTYPE`, `ERR_WRITE_EXISTS`,
 * `ERR_WRITE_LOCKED`, `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO`.
 *
 * @throws TypeError for an unknown option, for neither `maxRows` nor `maxBytes`, and for names that two roles, or a shard and
 *   the manifest, would share; RangeError for a number that is no
 *   count; NpyError `ERR_TEMPLATE` for a name without a number, `ERR_NPY_DTYPE` for a dtype there is not.
 * @example
 * const out = createShardWriter("features-{shard:05}.npy", { maxRows: 100_000 });
 * for await (const rows of source) await out.push(rows);
 * const { manifest } = await out.finish();
 */
export function createShardWriter(names: string, options: ShardWriterOptions<never>): ShardWriter<ArrayInput>;
export function createShardWriter<R extends string>(
  names: Readonly<Record<R, string>>,
  options: ShardWriterOptions<R>,
): ShardWriter<Readonly<Record<R, ArrayInput>>>;
export function createShardWriter(
  names: string | Readonly<Record<string, string>>,
  options: ShardWriterOptions,
): ShardWriter<ArrayInput> | ShardWriter<Readonly<Record<string, ArrayInput>>> {
  // Nothing but types keeps anybody from leaving them out.
  if (typeof options !== "object" || options === null) throw new TypeError(NO_BOUND);
  const isSingle = typeof names === "string";
  const shardNames = new ShardNames(names, options.manifest);
  const resolved = resolveShardOptions(options, isSingle ? undefined : shardNames.roles);
  const encoders = new Map(
    shardNames.roles.map((role) => {
      const { dtype, rowShape } = isSingle ? resolved : (resolved.roles?.[role] ?? {});
      return [role, new RowEncoder(dtype, rowShape)];
    }),
  );
  const open: OpenChunkWriter<ShardWriteResult> = async (onFailure) => {
    const lock = await lockNames(shardNames, resolved);
    return new ShardRowWriter({ names: shardNames, options: resolved, encoders, isSingle, lock, onFailure });
  };
  return new ShardWriter(open, resolved.signal);
}

async function lockNames(names: ShardNames, { overwrite }: ResolvedShardOptions): Promise<FileLock> {
  let lock: FileLock | undefined;
  try {
    lock = await lockFiles(names.lockPaths);
    const existing = await names.findExisting();
    if (existing !== undefined && !overwrite) throw existsError(existing);
    return lock;
  } catch (error) {
    await lock?.release();
    throw writeError(error, names.manifestPath);
  }
}
