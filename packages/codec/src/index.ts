/**
 * The `.npy` format as pure functions over bytes: dtypes, scalars, byte order, the header's Python literal.
 *
 * Nothing here touches Node, a file or a network, so it runs unchanged in a browser.
 *
 * @packageDocumentation
 */

export type { AxisIndex, SliceRange } from "./basic-index.ts";
export { type ByteOrder, nativeByteOrder, swapBytes } from "./byte-order.ts";
export type { ByteSink } from "./byte-sink.ts";
export type { ByteReadOptions, ByteSource } from "./byte-source.ts";
export {
  createData,
  type DType,
  type DTypeInfo,
  type DTypeMap,
  dtypeInfo,
  dtypeOf,
  dtypes,
  type Float16ArrayLike,
  type Float16Data,
  isDType,
  type Scalar,
  type ScalarMap,
  scalarAt,
  type TypedArray,
  viewData,
} from "./dtype.ts";
export type { Complex } from "./extended-scalar.ts";
export { float16ToNumber, numberToFloat16 } from "./float16.ts";
export { defaultLimits, type LimitOptions, type Limits } from "./limits.ts";
export type { Logger, LogMethod } from "./logger.ts";
export { NdArray, type NdArrayInit, type Nested, RowChunk, type RowChunkInit } from "./nd-array.ts";
export { arrayBytes, type DataLayout, type DecodeNpyOptions, decodeData, decodeNpy, encodeNpy } from "./npy.ts";
export { isNpyError, NpyError, type NpyErrorCode, type NpyErrorDetails, type NpyErrorLocation } from "./npy-error.ts";
export {
  formatNpyHeader,
  isNpy,
  NPY_PREFIX_BYTES,
  type NpyHeader,
  type NpyHeaderSpec,
  type NpyVersion,
  npyDataOffset,
  parseNpyHeader,
} from "./npy-header.ts";
export {
  type LiteralOptions,
  type PythonDict,
  PythonTuple,
  type PythonValue,
  parsePythonLiteral,
} from "./python-literal.ts";
export { type Order, shapeSize, stridesOf } from "./shape.ts";
