import { checkOptionKeys, type DTypeLike, formatNpyHeader, type NdArray } from "@npystream/codec";
import { type ArrayInput, arrayOf } from "./array-input.ts";
import { cOrderPieces } from "./c-order-pieces.ts";
import type { NpyWriteResult } from "./npy-write-options.ts";
import { commitPieces } from "./write-pieces.ts";
import { openSink, sinkPath, type WriteTarget } from "./write-target.ts";

/** Options of {@link writeNpy}. */
export interface WriteNpyOptions {
  /**
   * Element type; nothing is cast.
   *
   * @defaultValue that of the array; of nested lists float64 for numbers, int64 for bigints, bool for booleans
   */
  readonly dtype?: DTypeLike;
  /** Whether an existing file is replaced at the end; for a path only. @defaultValue false */
  readonly overwrite?: boolean;
  /** Aborts the writing: nothing is committed, and the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a whole array as `np.save` does, byte for byte: a Fortran array in Fortran order, any other in C order.
 *
 * A path is written atomically, see `fileSink`. An array that lies in one of the orders is written from where it is; of
 * any other a piece at a time is copied.
 *
 * @throws NpyError `ERR_WRITE_DTYPE`, `ERR_WRITE_SHAPE` for values that are no array of the dtype; `ERR_WRITE_EXISTS`,
 *   `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO`. TypeError for an unknown option. `signal.reason` on abort.
 */
export async function writeNpy(
  target: WriteTarget,
  array: ArrayInput,
  options: WriteNpyOptions = {},
): Promise<NpyWriteResult> {
  checkOptionKeys("writeNpy", options, ["dtype", "overwrite", "signal"]);
  const { dtype, overwrite = false, signal } = options;
  const whole = arrayOf(array, dtype);
  signal?.throwIfAborted();
  const header = formatNpyHeader({ dtype: whole.type, shape: whole.shape, order: orderOf(whole) });
  const byteLength = header.length + whole.size * whole.type.itemSize;
  const sink = await openSink(target, overwrite);
  await commitPieces(sink, npyPieces(header, whole), byteLength, signal);
  return { ...sinkPath(sink), dtype: whole.dtype, shape: whole.shape, byteLength };
}

function* npyPieces(header: Uint8Array, array: NdArray): Generator<Uint8Array, void> {
  yield header;
  yield* cOrderPieces(orderOf(array) === "F" ? array.transpose() : array);
}

function orderOf(array: NdArray): "C" | "F" {
  return array.order === "F" ? "F" : "C";
}
