import { checkOptionKeys } from "@npystream/codec";
import pLimit from "p-limit";
import { type ArrayInput, isFlatArray, isNdArray } from "./array-input.ts";
import type { NpzWriteResult, NpzWriterOptions } from "./npz-write-options.ts";
import { createNpzWriter } from "./npz-writer.ts";
import type { WriteTarget } from "./write-target.ts";

/** Options of {@link writeNpz}. */
export interface WriteNpzOptions
  extends Pick<NpzWriterOptions, "compress" | "level" | "align" | "overwrite" | "concurrency" | "signal"> {}

/** Members that are looked at at once, so that small ones are deflated side by side too. */
const MEMBERS_AT_ONCE = 8;

/**
 * Writes arrays as an `.npz` that `np.load` reads; the same arrays give the same bytes. The data of stored members
 * begins at multiples of 64, so that it can be mapped.
 *
 * A path is written atomically, see `fileSink`. Beside the arrays it takes the memory of `concurrency` blocks.
 *
 * @param members - Arrays by name, without `.npy`.
 * @throws TypeError for an array without a name; NpyError with `member` set, `ERR_WRITE_DTYPE`, `ERR_WRITE_SHAPE` for values that are no array;
 *   `ERR_WRITE_EXISTS`, `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO`. TypeError for an unknown option, RangeError for a level
 *   that there is not. `signal.reason` on abort.
 */
export async function writeNpz(
  target: WriteTarget,
  members: Readonly<Record<string, ArrayInput>>,
  options: WriteNpzOptions = {},
): Promise<NpzWriteResult> {
  checkOptionKeys("writeNpz", options, ["compress", "level", "align", "overwrite", "concurrency", "signal"]);
  if (Array.isArray(members) || isFlatArray(members) || isNdArray(members)) {
    throw new TypeError("an .npz holds arrays by name: give { features, labels }, or write one array with writeNpy");
  }
  await using archive = createNpzWriter(target, options);
  const limit = pLimit(MEMBERS_AT_ONCE);
  const writing = Object.entries(members).map(([name, array]) => limit(() => archive.write(name, array)));
  await Promise.all(writing);
  return await archive.finish();
}
