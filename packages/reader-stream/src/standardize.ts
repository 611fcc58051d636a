import type { Transform } from "node:stream";
import { checkOptionKeys, type DType, dtypeInfo, NdArray, NpyError, type RowChunk } from "@npystream/codec";
import type { ChunkTransformOptions } from "./chunk-transform.ts";
import { mapChunks } from "./map-chunks.ts";

/** Mean and standard deviation of each feature column. */
export interface ColumnStats {
  /** One mean a column; finite. */
  readonly mean: ArrayLike<number>;
  /** One standard deviation a column; finite, from 0. */
  readonly std: ArrayLike<number>;
}

/** Options of {@link standardize}. */
export interface StandardizeOptions extends ChunkTransformOptions {
  /** Type of what comes out. @defaultValue 'float32' */
  readonly dtype?: "float32" | "float64";
}

type FloatData = Float32Array | Float64Array;

/**
 * Standardizes the columns of row chunks: `(x - mean) / std`, worked out in double precision. A column whose `std` is 0
 * is only shifted, as scikit-learn's `StandardScaler` does, so that a constant feature becomes 0.
 *
 * A column is an element of a row, counted in C order; where there are as many means as the last axis is long, it is an
 * entry of the last axis, so that images of shape `[height, width, 3]` take 3. Booleans, integers and floats come in.
 * Chunks that come out are copies in C order, one in memory on each side.
 *
 * @param stats - Whatever has `mean` and `std`; they are copied.
 * @throws TypeError or RangeError for stats and options that cannot be. The stream fails with NpyError `ERR_SHAPE` for
 *   rows of another number of columns, `ERR_CAST_RANGE` for an int64 past 2^53 - 1, TypeError for what is no real number.
 * @example
 * await pipeline(handle.stream(), standardize({ mean: [0.5, 10], std: [0.1, 3] }), createNpyWriteStream("scaled.npy"));
 */
export function standardize(stats: ColumnStats, options: StandardizeOptions = {}): Transform {
  checkOptionKeys("standardize", options, ["dtype", "signal"]);
  const { dtype = "float32", signal } = options;
  if (dtype !== "float32" && dtype !== "float64") throw new TypeError(`dtype is float32 or float64, not ${dtype}`);
  const mean = Float64Array.from(stats.mean);
  const scale = Float64Array.from(stats.std, (std) => (std === 0 ? 1 : std));
  if (mean.length === 0 || mean.length !== scale.length) {
    throw new RangeError(
      `there are ${mean.length} means and ${scale.length} standard deviations; a column has one of each`,
    );
  }
  for (const [column, value] of mean.entries()) {
    if (!Number.isFinite(value)) throw new RangeError(`the mean of column ${column} is ${value}`);
    const std = scale[column] as number;
    if (!Number.isFinite(std) || std < 0) throw new RangeError(`the std of column ${column} is ${std}`);
  }
  return mapChunks((chunk) => {
    checkColumns(chunk, mean.length);
    const { size, shape } = chunk;
    const data = dtype === "float32" ? new Float32Array(size) : new Float64Array(size);
    standardizeInto(data, realValues(chunk), mean, scale);
    return NdArray.from<DType>(data, shape);
  }, signal);
}

function checkColumns({ dtype, shape }: RowChunk, columns: number): void {
  if (!"biuf".includes(dtypeInfo(dtype).kind)) {
    throw new TypeError(`elements of ${dtype} are no real numbers, which standardize needs`);
  }
  const rowShape = shape.slice(1);
  const rowSize = rowShape.reduce((product, extent) => product * extent, 1);
  if (columns === rowSize || columns === rowShape.at(-1)) return;
  const message = `rows of shape [${rowShape.join(", ")}] have ${rowSize} columns, and there are ${columns} means`;
  throw new NpyError("ERR_SHAPE", message);
}

/** The elements in C order as floats that hold them exactly, the chunk's own where they are such. */
function realValues(chunk: RowChunk): FloatData {
  const { data, offset, size } = chunk.dtype === "float32" ? chunk.contiguous() : chunk.astype("float64");
  // Those two types have such data.
  return (data as FloatData).subarray(offset, offset + size);
}

function standardizeInto(result: FloatData, values: FloatData, mean: Float64Array, scale: Float64Array): void {
  const columns = mean.length;
  for (let start = 0; start < values.length; start += columns) {
    for (let column = 0; column < columns; column++) {
      const value = values[start + column] as number;
      result[start + column] = (value - (mean[column] as number)) / (scale[column] as number);
    }
  }
}
