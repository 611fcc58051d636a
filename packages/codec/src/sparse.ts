import { decodeLatin1 } from "./latin1.ts";
import { NdArray } from "./nd-array.ts";
import { fromNested } from "./nested.ts";
import { NpyError } from "./npy-error.ts";

/** What every sparse array has. */
interface SparseBase {
  /** Extent of each axis of the whole array. */
  readonly shape: readonly number[];
  /** Values that are stored; for `bsr` blocks of them, for `dia` diagonals. */
  readonly data: NdArray;
  /** Whether SciPy makes a sparse array of it (`csr_array`) and not a matrix (`csr_matrix`). @defaultValue false */
  readonly isArray?: boolean;
}

/** Rows (csr), columns (csc) or rows of blocks (bsr) one behind the other: `indptr` says where each begins. */
export interface CompressedSparse extends SparseBase {
  /** What lies one behind the other. */
  readonly format: "csr" | "csc" | "bsr";
  /** Column (csr), row (csc) or column of blocks (bsr) of each stored value. */
  readonly indices: NdArray;
  /** One more than rows: the values of row `i` are those from `indptr[i]` to `indptr[i + 1]`. */
  readonly indptr: NdArray;
}

/** Values with their places. */
export interface CoordinateSparse extends SparseBase {
  /** Always `coo`. */
  readonly format: "coo";
  /** Row of each stored value. */
  readonly row: NdArray;
  /** Column of each stored value. */
  readonly col: NdArray;
}

/** Diagonals: `data[i]` is the one at `offsets[i]`. */
export interface DiagonalSparse extends SparseBase {
  /** Always `dia`. */
  readonly format: "dia";
  /** Place of each diagonal: 0 the main one, above it positive. */
  readonly offsets: NdArray;
}

/** A sparse array as `scipy.sparse.save_npz` stores it. */
export type SparseArray = CompressedSparse | CoordinateSparse | DiagonalSparse;

/** Arrays of an `.npz` by name, as `decodeNpz` gives them. */
export type NpzArrays = Readonly<Record<string, NdArray>>;

/** Tells whether the arrays of an `.npz` are those of one sparse array. */
export function isSparse(arrays: NpzArrays): boolean {
  return ["format", "shape", "data"].every((name) => Object.hasOwn(arrays, name));
}

/**
 * Takes a sparse array out of the arrays of an `.npz` that `scipy.sparse.save_npz` wrote, and checks that its parts fit
 * each other: lengths, and every index against the shape.
 *
 * @throws NpyError `ERR_NPZ_MEMBER` where an array is missing or of the wrong dtype, `ERR_SHAPE` where they do not fit,
 *   `ERR_CAST_RANGE` for an index past 2^53 - 1.
 */
export function decodeSparse(arrays: NpzArrays): SparseArray {
  const format = decodeFormat(member(arrays, "format"));
  const shape = integers(arrays, "shape");
  const data = member(arrays, "data");
  if (shape.length !== 2 || shape.some((extent) => !Number.isSafeInteger(extent) || extent < 0)) {
    throw new NpyError("ERR_SHAPE", `shape is [${shape.join(", ")}], not two extents`);
  }
  const flag = Object.hasOwn(arrays, "_is_array") ? arrays["_is_array"] : undefined;
  const base = { shape, data, isArray: flag?.rank === 0 && flag.get() === true };
  if (format === "csr" || format === "csc" || format === "bsr") {
    checkCompressed(format, shape, data, integers(arrays, "indices"), integers(arrays, "indptr"));
    return { format, ...base, indices: member(arrays, "indices"), indptr: member(arrays, "indptr") };
  }
  if (format === "coo") {
    checkPlaces("row", integers(arrays, "row"), data.length, shape[0] ?? 0);
    checkPlaces("col", integers(arrays, "col"), data.length, shape[1] ?? 0);
    return { format, ...base, row: member(arrays, "row"), col: member(arrays, "col") };
  }
  if (format === "dia") {
    const offsets = integers(arrays, "offsets");
    if (data.rank !== 2 || data.length !== offsets.length) {
      throw new NpyError("ERR_SHAPE", `data has ${data.length} diagonals and offsets has ${offsets.length}`);
    }
    return { format, ...base, offsets: member(arrays, "offsets") };
  }
  throw new NpyError(
    "ERR_NPZ_MEMBER",
    `the sparse format ${JSON.stringify(format.slice(0, 20))} is not one that SciPy saves`,
    {
      member: "format",
    },
  );
}

/**
 * Gives the arrays that `scipy.sparse.save_npz` writes for a sparse array, for `encodeNpz` or a writer of `.npz`.
 *
 * @throws NpyError as `decodeSparse` where its parts do not fit each other.
 */
export function encodeSparse(sparse: SparseArray): Record<string, NdArray> {
  const { format, shape, data } = sparse;
  const parts: Record<string, NdArray> =
    format === "coo"
      ? { row: sparse.row, col: sparse.col }
      : format === "dia"
        ? { offsets: sparse.offsets }
        : { indices: sparse.indices, indptr: sparse.indptr };
  const arrays: Record<string, NdArray> = {
    ...parts,
    format: fromNested(format, "S3"),
    shape: NdArray.from(BigInt64Array.from(shape, BigInt)),
    data,
    ...(sparse.isArray ? { _is_array: fromNested(true, "bool") } : {}),
  };
  decodeSparse(arrays);
  return arrays;
}

function member(arrays: NpzArrays, name: string): NdArray {
  const array = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
  if (array !== undefined) return array;
  throw new NpyError("ERR_NPZ_MEMBER", `the archive is no sparse array: it has no ${name}`, { member: name });
}

/** Reads `format`: bytes, or text where SciPy before 1.0 wrote it. */
function decodeFormat(array: NdArray): string {
  const value = array.rank === 0 ? array.get() : undefined;
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return decodeLatin1(value);
  throw new NpyError("ERR_NPZ_MEMBER", `format is one text, not ${array.rank}-d ${array.dtype}`, { member: "format" });
}

function integers(arrays: NpzArrays, name: string): number[] {
  const array = member(arrays, name);
  if (array.rank !== 1 || !/^u?int/.test(array.dtype)) {
    throw new NpyError("ERR_NPZ_MEMBER", `${name} is ${array.rank}-d ${array.dtype}, not a list of integers`, {
      member: name,
    });
  }
  return Array.from(array.contiguous().astype("float64").data.subarray(0, array.size));
}

function checkCompressed(
  format: "csr" | "csc" | "bsr",
  shape: readonly number[],
  data: NdArray,
  indices: readonly number[],
  indptr: readonly number[],
): void {
  const [rows = 0, columns = 0] = format === "csc" ? shape.toReversed() : shape;
  const [blockRows = 1, blockColumns = 1] = format === "bsr" ? data.shape.slice(1) : [];
  const expected = rows / Math.max(1, blockRows) + 1;
  if (indptr.length !== expected)
    throw new NpyError("ERR_SHAPE", `indptr has ${indptr.length} entries, not ${expected}`);
  const isRising = indptr[0] === 0 && indptr.every((value, i) => i === 0 || value >= (indptr[i - 1] ?? 0));
  if (!isRising || (indptr.at(-1) ?? 0) > indices.length) {
    throw new NpyError("ERR_SHAPE", "indptr does not rise from 0 to at most the number of indices");
  }
  checkPlaces("indices", indices, data.length, columns / Math.max(1, blockColumns));
}

function checkPlaces(name: string, places: readonly number[], count: number, extent: number): void {
  if (places.length !== count)
    throw new NpyError("ERR_SHAPE", `data has ${count} entries and ${name} has ${places.length}`);
  const odd = places.find((place) => place < 0 || place >= extent);
  if (odd !== undefined) throw new NpyError("ERR_SHAPE", `${name} holds ${odd}, outside 0 to ${extent - 1}`);
}
