import { closeSync } from "node:fs";
import { checkOptionKeys, type LimitOptions, type NpyHeader } from "@npystream/codec";
import { FileMapping } from "./file-mapping.ts";
import { localPath, NOT_MAPPED } from "./local-path.ts";
import { MappedArray } from "./mapped-array.ts";
import { checkMappedLayout, checkMappedSize } from "./mapped-layout.ts";
import { checkAdvice, checkMapMode, type MapAdvice, type MapMode } from "./mapped-memory.ts";
import { explainMapping, type OpenFile, openFileSync, readHeaderSync } from "./positioned-read.ts";

/** Options of {@link mapNpy}. */
export interface MapNpyOptions extends LimitOptions {
  /**
   * `c`: changes stay in this process, as NumPy's `mmap_mode='c'`. `r+`: changes are written to the file.
   *
   * @defaultValue `'c'`
   */
  readonly mode?: MapMode;
  /** How the elements will be read. @defaultValue `'normal'` */
  readonly advise?: MapAdvice;
}

/**
 * Maps a `.npy` into memory, as `np.load(path, mmap_mode='c')`: at once whatever its size, since only its header is read.
 *
 * A file that is cut while it is mapped ends the process (SIGBUS) when the missing pages are read, in every language: use
 * `openNpy` for files that others may cut.
 *
 * @throws NpyError `ERR_MAP_UNAVAILABLE` without koffi or where the system refuses, `ERR_MAP_LAYOUT` where the elements
 *   are in another byte order or not aligned, `ERR_MAP_TOO_LARGE` past the runtime's largest array; those of
 *   `parseNpyHeader`, `ERR_NPY_TRUNCATED` where data is missing. System errors such as `ENOENT`.
 */
export function mapNpy(path: string | URL, options: MapNpyOptions = {}): MappedArray {
  checkOptionKeys("mapNpy", options, ["mode", "advise", "limits"]);
  const { mode = "c", advise = "normal", limits } = options;
  checkMapMode(mode);
  checkAdvice(advise);
  const file = openFileSync(localPath(path, NOT_MAPPED), mode === "c" ? "r" : "r+");
  try {
    const array = mapOpenNpy(file, readHeaderSync(file, limits === undefined ? {} : { limits }), mode);
    if (advise !== "normal") array.advise(advise);
    return array;
  } catch (error) {
    throw explainMapping(error, file);
  } finally {
    // The pages need no descriptor.
    closeSync(file.fd);
  }
}

/** An open file, and the name to show for it where its own is not the last one. */
interface FileToMap extends Pick<OpenFile, "fd" | "path"> {
  readonly name?: string;
}

/**
 * Maps the array of an open file.
 *
 * @throws NpyError `ERR_MAP_UNAVAILABLE`, `ERR_MAP_LAYOUT`, `ERR_MAP_TOO_LARGE`.
 */
export function mapOpenNpy(file: FileToMap, header: NpyHeader, mode: MapMode): MappedArray {
  const { fd, path, name = path } = file;
  const { dataOffset } = header;
  const byteLength = dataOffset + header.byteLength;
  checkMappedLayout(header, dataOffset, "openNpy reads it");
  checkMappedSize(byteLength, "openNpy(mappedSource(path)) maps parts of it");
  const mapping = header.byteLength === 0 ? undefined : FileMapping.map({ fd, path, byteLength, mode });
  return new MappedArray({ header, mapping, position: dataOffset, path: name, mode, close: () => mapping?.close() });
}
