/**
 * Reads NumPy's `.npy` and `.npz` in Node: whole, by rows, as streams of row chunks, or as shuffled feature/label batches.
 *
 * @packageDocumentation
 */

export { ArrayHandle, type ArrayOrigin } from "./array-handle.ts";
export {
  type Batch,
  Batches,
  type BatchesOptions,
  type BatchMeta,
  type FullShuffle,
  type WithMeta,
} from "./batches.ts";
export { blobSource } from "./blob-source.ts";
export { bytesSource } from "./bytes-source.ts";
export { Dataset, type DatasetFields, type FieldSource, type FieldSpec, openDataset } from "./dataset.ts";
export { FileSource, fileSource } from "./file-source.ts";
export { NpzArchive, type NpzMember } from "./npz-archive.ts";
export { type ArrayPath, type OpenOptions, openNpy, openNpz, splitArrayPath } from "./open-array.ts";
export type { SourceLike } from "./open-source.ts";
export { createPermutation, type Permutation } from "./permutation.ts";
export { readNpySync } from "./read-npy.ts";
export { RowStream, type RowStreamOptions } from "./row-stream.ts";
export { type StageOptions, type StageResult, stage } from "./stage.ts";
