import type { Transform } from "node:stream";
import { checkOptionKeys, type DTypeLike, elementType } from "@npystream/codec";
import type { ChunkTransformOptions } from "./chunk-transform.ts";
import { mapChunks } from "./map-chunks.ts";

/**
 * Casts the elements of row chunks, as `NdArray.astype` does. A chunk that is of that type and in C order already goes
 * through as it is; others become copies. One chunk is in memory on each side.
 *
 * @param dtype - Type of what comes out: `float32`, `<i8`.
 * @throws NpyError `ERR_NPY_DTYPE` for a type there is not. TypeError for an unknown option. The stream fails with
 *   NpyError `ERR_CAST_RANGE` for an element the type cannot hold, naming the chunk, and TypeError where there is no such cast.
 * @example
 * await pipeline(handle.stream(), cast("float32"), createNpyWriteStream("x32.npy"));
 */
export function cast(dtype: DTypeLike, options: ChunkTransformOptions = {}): Transform {
  checkOptionKeys("cast", options, ["signal"]);
  const type = elementType(dtype);
  return mapChunks((chunk) => chunk.astype(type), options.signal);
}
