import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  ftruncateSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  checkOptionKeys,
  type DType,
  type DTypeLike,
  type ElementType,
  formatNpyHeader,
  NpyError,
  type Order,
  parseNpyHeader,
} from "@npystream/codec";
import { loadNative } from "./file-mapping.ts";
import { localPath, NOT_MAPPED } from "./local-path.ts";
import { mapOpenNpy } from "./map-npy.ts";
import type { MappedArray } from "./mapped-array.ts";
import { checkMappedSize } from "./mapped-layout.ts";

/** Options of {@link createMappedNpy}. */
export interface CreateMappedNpyOptions<T extends DTypeLike = DTypeLike> {
  /** What one element is. */
  readonly dtype: T;
  /** Extent of each axis. */
  readonly shape: readonly number[];
  /** Order of the elements. @defaultValue `'C'` */
  readonly order?: Order;
  /** Whether a file of that name is replaced; whoever has it open or mapped keeps the old one. @defaultValue false */
  readonly overwrite?: boolean;
}

/**
 * Creates a `.npy` of zeros and maps it to be written in any order, as `np.lib.format.open_memmap(path, 'w+')`: the
 * header is NumPy's byte for byte. The file is sparse: what is not written takes no room on disk.
 *
 * A disk that fills up ends the process (SIGBUS) when a page finds no room, in every language.
 *
 * @example
 * using x = createMappedNpy("x.npy", { dtype: "float32", shape: [1000, 64] });
 * x.data.set([1, 2, 3], 64);
 * x.flush();
 *
 * @throws NpyError `ERR_WRITE_EXISTS` where the file exists and is not to be overwritten, `ERR_MAP_UNAVAILABLE`,
 *   `ERR_MAP_TOO_LARGE` past the runtime's largest array, `ERR_NPY_SHAPE`. System errors such as `ENOENT`.
 */
export function createMappedNpy<D extends DType>(
  path: string | URL,
  options: CreateMappedNpyOptions<D | ElementType<D>>,
): MappedArray<D>;
export function createMappedNpy(path: string | URL, options: CreateMappedNpyOptions): MappedArray;
export function createMappedNpy(path: string | URL, options: CreateMappedNpyOptions): MappedArray {
  checkOptionKeys("createMappedNpy", options, ["dtype", "shape", "order", "overwrite"]);
  const { dtype, shape, order = "C", overwrite = false } = options;
  if (order !== "C" && order !== "F") throw new RangeError(`order is C or F, not ${String(order)}`);
  const bytes = formatNpyHeader({ dtype, shape, order });
  const header = parseNpyHeader(bytes);
  const byteLength = header.dataOffset + header.byteLength;
  const asked = localPath(path, NOT_MAPPED);
  checkMappedSize(byteLength, "a write stream takes rows one after another");
  loadNative();
  const replaced = overwrite ? existing(asked) : undefined;
  const target = replaced?.path ?? asked;
  // A file that others may have mapped is not emptied under them: a new one takes its name.
  const created = replaced === undefined ? target : partialOf(target);
  const fd = createFile(created, asked);
  let isDone = false;
  try {
    if (replaced !== undefined) fchmodSync(fd, replaced.mode);
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    ftruncateSync(fd, byteLength);
    const array = mapOpenNpy({ fd, path: created, name: asked }, header, "r+");
    if (created !== target) renameSync(created, target);
    isDone = true;
    return array;
  } finally {
    closeSync(fd);
    if (!isDone) rmSync(created, { force: true });
  }
}

function createFile(created: string, asked: string): number {
  try {
    return openSync(created, "wx+");
  } catch (cause) {
    if (!isSystemError(cause, "EEXIST")) throw cause;
    throw new NpyError("ERR_WRITE_EXISTS", `${asked} exists already; overwrite: true replaces it`, {
      path: asked,
      cause,
    });
  }
}

/** The file that a path leads to, through links; undefined where there is none. */
function existing(path: string): { readonly path: string; readonly mode: number } | undefined {
  try {
    const target = realpathSync(path);
    return { path: target, mode: statSync(target).mode & 0o7777 };
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Hidden and in the same folder, as writers name a file that is not whole yet. */
function partialOf(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 64)}.${randomBytes(6).toString("hex")}.partial`);
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
