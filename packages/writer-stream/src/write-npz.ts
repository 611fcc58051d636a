import { encodeZip, isNpyError, type NdArray, zipArray } from "@npystream/codec";
import { type ArrayInput, arrayOf } from "./array-input.ts";
import { deflateAhead, nodeDeflater } from "./node-deflater.ts";
import { checkOptionKeys } from "./option-keys.ts";
import { commitPieces } from "./write-pieces.ts";
import { openSink, sinkPath, type WriteTarget } from "./write-target.ts";

/** Options of {@link writeNpz}. */
export interface WriteNpzOptions {
  /** Whether members are deflated. @defaultValue false */
  readonly compress?: boolean;
  /** Deflate level, 0 (stored in blocks) to 9 (smallest). @defaultValue 6, as NumPy */
  readonly level?: number;
  /** Whether an existing file is replaced at the end; for a path only. @defaultValue false */
  readonly overwrite?: boolean;
  /** Aborts the writing: nothing is committed, and the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface NpzWriteResult {
  /** Absolute path of the file, where the target is one. */
  readonly path?: string;
  /** Names of the arrays, without `.npy`, in the order they lie in. */
  readonly names: readonly string[];
  /** Bytes written: the size of the file. */
  readonly byteLength: number;
}

/**
 * Writes arrays as an `.npz` that `np.load` reads; the same arrays give the same bytes. The data of stored members
 * begins at multiples of 64, so that it can be mapped.
 *
 * A path is written atomically, see `fileSink`. Blocks of members are deflated side by side, all in memory.
 *
 * @param members - Arrays by name, without `.npy`.
 * @throws NpyError with `member` set, `ERR_WRITE_DTYPE`, `ERR_WRITE_SHAPE` for values that are no array;
 *   `ERR_WRITE_EXISTS`, `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO`. TypeError for an unknown option, RangeError for a level
 *   that there is not. `signal.reason` on abort.
 */
export async function writeNpz(
  target: WriteTarget,
  members: Readonly<Record<string, ArrayInput>>,
  options: WriteNpzOptions = {},
): Promise<NpzWriteResult> {
  checkOptionKeys(options, ["compress", "level", "overwrite", "signal"]);
  const { compress = false, level = 6, overwrite = false, signal } = options;
  if (!Number.isInteger(level) || level < 0 || level > 9) throw new RangeError(`level is 0 to 9, not ${level}`);
  const arrays = Object.entries(members).map(([name, input]) => [name, memberArray(name, input)] as const);
  signal?.throwIfAborted();
  // Opened first: a target that exists is refused before anything is encoded.
  const sink = await openSink(target, overwrite);
  const byteLength = await commitPieces(sink, zipPieces(arrays, compress, level), signal);
  return { ...sinkPath(sink), names: arrays.map(([name]) => name), byteLength };
}

async function* zipPieces(
  arrays: readonly (readonly [string, NdArray])[],
  compress: boolean,
  level: number,
): AsyncGenerator<Uint8Array, void> {
  const inputs = arrays.map(([name, array]) => zipArray(name, array));
  yield* encodeZip(compress ? await deflateAhead(inputs, level) : inputs, { compress, level, engine: nodeDeflater });
}

function memberArray(member: string, input: ArrayInput): NdArray {
  try {
    return arrayOf(input);
  } catch (error) {
    throw isNpyError(error) ? error.locate({ member }) : error;
  }
}
