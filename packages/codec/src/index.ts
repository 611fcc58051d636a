/**
 * The `.npy` and `.npz` formats as pure functions over bytes: arrays, dtypes, headers, ZIP archives, names of files.
 *
 * Nothing here touches Node, a file or a network, so it runs unchanged in a browser.
 *
 * @packageDocumentation
 */

export { createData, viewData } from "./array-data.ts";
export { type AxisIndex, type ResolvedRange, resolveIndex, resolveRange, type SliceRange } from "./basic-index.ts";
export {
  BLOCK_TABLE_MEMBER,
  type BlockTable,
  formatBlockTable,
  parseBlockTable,
  parseLongTables,
} from "./block-table.ts";
export {
  type ByteOrder,
  type ByteSwap,
  nativeByteOrder,
  swapBytes,
  swapBytesInPlace,
  swapRecordsInPlace,
} from "./byte-order.ts";
export type { ByteSink } from "./byte-sink.ts";
export type { ByteReadOptions, ByteSource } from "./byte-source.ts";
export { elementCaster } from "./cast.ts";
export type { CastElements } from "./cast-loop.ts";
export { copyToC, type StridedArray } from "./copy-strided.ts";
export { combineCrc32 } from "./crc32-combine.ts";
export { formatDatetime, formatTimedelta, NaT } from "./datetime-text.ts";
export type { DatetimeUnit, DatetimeUnitName } from "./datetime-unit.ts";
export { type BlockPlan, planBlocks, tableOf } from "./deflate-blocks.ts";
export {
  type DType,
  type DTypeInfo,
  type DTypeKind,
  type DTypeMap,
  dtypeInfo,
  dtypeOf,
  dtypes,
  type Float16ArrayLike,
  type Float16Data,
  type NestedScalar,
  type Scalar,
  type ScalarMap,
  type StructScalar,
  type TypedArray,
} from "./dtype.ts";
export type { Descr, DescrField, DTypeLike, ElementType, StructField } from "./element-type.ts";
export type { Complex } from "./extended-scalar.ts";
export { bfloat16ToNumber, float16ToNumber, numberToBfloat16, numberToFloat16 } from "./float16.ts";
export { decodeLatin1 } from "./latin1.ts";
export { defaultLimits, type LimitOptions, type Limits } from "./limits.ts";
export type { Logger, LogMethod } from "./logger.ts";
export {
  type NameFields,
  type NameFieldsOf,
  type NameFieldValue,
  type NameTemplate,
  nameTemplate,
} from "./name-template.ts";
export { NdArray, type NdArrayInit, type Nested } from "./nd-array.ts";
export { fromNested } from "./nested.ts";
export {
  arrayBytes,
  type DataLayout,
  type DecodeNpyOptions,
  decodeData,
  decodeNpy,
  encodeNpy,
  npyPieces,
} from "./npy.ts";
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
  type NpyEndPart,
  type NpyHeaderPart,
  NpyParser,
  type NpyParserOptions,
  type NpyPart,
  type NpyRowsPart,
} from "./npy-parser.ts";
export { checkInflatedSize, type DecodeNpzOptions, decodeNpz, encodeNpz } from "./npz.ts";
export { checkOptionKeys } from "./option-keys.ts";
export { elementType, isDType } from "./parse-descr.ts";
export {
  type LiteralOptions,
  type PythonDict,
  PythonTuple,
  type PythonValue,
  parsePythonLiteral,
} from "./python-literal.ts";
export { type ReadRequest, type ReadSteps, readFromSource, readInMemory } from "./read-steps.ts";
export { RowChunk, type RowChunkInit } from "./row-chunk.ts";
export { scalarAt, setScalar } from "./scalar.ts";
export { type Order, shapeSize, stridesOf } from "./shape.ts";
export {
  formatShardManifest,
  isRole,
  MANIFEST_SUFFIX,
  parseShardManifest,
  type ShardEntry,
  type ShardedArray,
  type ShardFileEntry,
  type ShardManifest,
} from "./shard-manifest.ts";
export {
  type CompressedSparse,
  type CoordinateSparse,
  type DiagonalSparse,
  decodeSparse,
  encodeSparse,
  isSparse,
  type NpzArrays,
  type SparseArray,
} from "./sparse.ts";
export {
  locateZipDirectory,
  readZipDirectory,
  splitZipDirectory,
  type ZipDirectoryPlace,
} from "./zip-directory.ts";
export { portableEngine, type ZipChecksum, type ZipDeflater, type ZipInflater } from "./zip-engine.ts";
export { type ZipAlignment, type ZipContent, ZipLayout, type ZipLayoutBase, type ZipPlace } from "./zip-layout.ts";
export { checkLocalHeader } from "./zip-local-header.ts";
export { locateMember, memberArrayName, type ZipMember } from "./zip-member.ts";
export { encodeMemberName } from "./zip-name.ts";
export { type EncodeZipOptions, encodeZip, type ZipInput, zipArray, zipBlocks } from "./zip-writer.ts";
