/**
 * Reads NumPy's `.npy` and `.npz` in Node: whole, by rows, as streams of row chunks, or as shuffled feature/label batches.
 *
 * @packageDocumentation
 */

export { ArrayHandle, type ArrayOrigin } from "./array-handle.ts";
export { ArraySlice } from "./array-slice.ts";
export type {
  Batch,
  BatchFailure,
  BatchMeta,
  BatchRandom,
  TransformedBatch,
  WithMeta,
} from "./batch.ts";
export type { BatchMetrics } from "./batch-metrics.ts";
export type {
  BalancedSampler,
  BatchesOptions,
  BatchShard,
  BlockShuffle,
  FullShuffle,
  Sampler,
  StratifiedSampler,
  WeightedSampler,
} from "./batch-options.ts";
export type { BatchState } from "./batch-state.ts";
export { BatchStream } from "./batch-stream.ts";
export { Batches } from "./batches.ts";
export { blobSource } from "./blob-source.ts";
export { bytesSource } from "./bytes-source.ts";
export { cast } from "./cast.ts";
export type { ChunkTransformOptions } from "./chunk-transform.ts";
export { CounterRandom } from "./counter-random.ts";
export { type CreateMappedNpyOptions, createMappedNpy } from "./create-mapped-npy.ts";
export { Dataset, type WhereOptions } from "./dataset.ts";
export type {
  DatasetDTypes,
  DatasetFields,
  DTypesOf,
  FieldArrays,
  FieldInfo,
  FieldSource,
  FieldSpec,
} from "./dataset-types.ts";
export type { BatchesExplanation } from "./explain-batches.ts";
export { type FieldStats, mergeStats, type StatsOptions } from "./field-stats.ts";
export { FileSource, fileSource } from "./file-source.ts";
export { HttpStatusError } from "./http-error.ts";
export type {
  HttpBody,
  HttpBodyPart,
  HttpBodyReader,
  HttpFetch,
  HttpResponse,
  HttpSourceOptions,
} from "./http-options.ts";
export { httpSource } from "./http-source.ts";
export { type MapNpyOptions, mapNpy } from "./map-npy.ts";
export { type MapNpzOptions, MappedArchive, mapNpz } from "./map-npz.ts";
export { MappedArray } from "./mapped-array.ts";
export type { MapAdvice, MapMode } from "./mapped-memory.ts";
export { MappedSource, type MappedSourceOptions, mappedSource } from "./mapped-source.ts";
export { concat, type MixOptions, type MixPart, mix } from "./mix.ts";
export { createNpyReadStream, type NpyReadStreamOptions, SequenceChunk } from "./npy-read-stream.ts";
export { NpzArchive, type NpzMember } from "./npz-archive.ts";
export { type ArrayPath, type OpenOptions, openNpy, openNpz, splitArrayPath } from "./open-array.ts";
export { openDataset } from "./open-dataset.ts";
export type { SourceLike } from "./open-source.ts";
export { createPermutation, type Permutation } from "./permutation.ts";
export { readNpySync } from "./read-npy.ts";
export type { ReadOptions } from "./read-rows.ts";
export { rebatch } from "./rebatch.ts";
export { regionSource } from "./region-source.ts";
export type { RowChoice } from "./row-selection.ts";
export { RowStream, type RowStreamOptions } from "./row-stream.ts";
export type { SplitOptions } from "./split-rows.ts";
export { type SpoolInput, type SpoolOptions, spool, type WebByteStream } from "./spool.ts";
export { type StageOptions, type StageResult, type StageWork, stage } from "./stage.ts";
export { type ColumnStats, type StandardizeOptions, standardize } from "./standardize.ts";
export { tee } from "./tee.ts";
export { type ArrowModule, toArrow } from "./to-arrow.ts";
export { type OrtModule, toOrt } from "./to-ort.ts";
export { type TfjsModule, toTfjs } from "./to-tfjs.ts";
