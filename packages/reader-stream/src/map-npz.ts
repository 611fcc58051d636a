import { closeSync } from "node:fs";
import {
  checkOptionKeys,
  isNpyError,
  type LimitOptions,
  locateMember,
  memberArrayName,
  NPY_PREFIX_BYTES,
  NpyError,
  npyDataOffset,
  parseNpyHeader,
  type ReadSteps,
  readZipDirectory,
  type ZipMember,
} from "@npystream/codec";
import { FileMapping } from "./file-mapping.ts";
import { localPath, NOT_MAPPED } from "./local-path.ts";
import { MappedArray } from "./mapped-array.ts";
import { checkMappedLayout, checkMappedSize } from "./mapped-layout.ts";
import { checkAdvice, type MapAdvice } from "./mapped-memory.ts";
import { checkDataIsThere, explainMapping, type OpenFile, openFileSync, readAtSync } from "./positioned-read.ts";

/** Options of {@link mapNpz}. */
export interface MapNpzOptions extends LimitOptions {
  /** How the elements will be read. @defaultValue `'normal'` */
  readonly advise?: MapAdvice;
}

const WAY_OUT = "openNpz reads it, and archives written by npystream have aligned members";

/**
 * Maps an `.npz` into memory, which NumPy cannot do: its stored members are arrays at once, whatever their size. Changes
 * stay in this process, and the CRC-32 is not checked.
 *
 * NumPy's own archives do not align their members, so that of those only types of single bytes can be mapped; the
 * archives of this project's writers are aligned.
 *
 * @throws NpyError `ERR_MAP_UNAVAILABLE`, `ERR_MAP_TOO_LARGE`; those of `readZipDirectory`. System errors such as `ENOENT`.
 */
export function mapNpz(path: string | URL, options: MapNpzOptions = {}): MappedArchive {
  checkOptionKeys("mapNpz", options, ["advise", "limits"]);
  const { advise = "normal", limits } = options;
  checkAdvice(advise);
  const bounds = limits === undefined ? {} : { limits };
  const file = openFileSync(localPath(path, NOT_MAPPED), "r");
  try {
    const members = readWith(readZipDirectory(file.byteLength, bounds), (position, length) => {
      const bytes = new Uint8Array(length);
      readAtSync(file.fd, bytes, position);
      return bytes;
    });
    checkMappedSize(file.byteLength, "openNpz(mappedSource(path)) maps parts of it");
    return new MappedArchive(file, members, bounds, advise);
  } catch (error) {
    throw explainMapping(error, file);
  } finally {
    closeSync(file.fd);
  }
}

/** A mapped `.npz`, all of whose arrays share one mapping. Made by {@link mapNpz}. */
export class MappedArchive implements Disposable {
  /** Names of the arrays, without `.npy`, in the order of the directory: of the members that end in `.npy`. */
  readonly names: readonly string[];
  /** Path of the file. */
  readonly path: string;
  readonly #byteLength: number;
  readonly #members: ReadonlyMap<string, ZipMember>;
  readonly #limits: LimitOptions;
  readonly #advise: MapAdvice;
  #mapping: FileMapping | undefined;

  /** @internal */
  constructor(file: OpenFile, members: readonly ZipMember[], limits: LimitOptions, advise: MapAdvice) {
    const { fd, path, byteLength } = file;
    this.path = path;
    this.names = members.filter(({ name }) => name.endsWith(".npy")).map(({ name }) => memberArrayName(name));
    this.#byteLength = byteLength;
    this.#members = new Map(members.map((member) => [member.name, member]));
    this.#limits = limits;
    this.#advise = advise;
    this.#mapping = FileMapping.map({ fd, path, byteLength, mode: "c" });
  }

  /**
   * Gives an array by its name, with or without `.npy`; of `x` and `x.npy` the name as stored goes first, as in NumPy.
   * Every call gives an array of its own over the same pages. Closing it leaves the archive open.
   *
   * @throws NpyError `ERR_NPZ_MEMBER` where there is none of that name; `ERR_MAP_LAYOUT` for a deflated member, and for
   *   one in another byte order or not aligned for its type; those of `parseNpyHeader`, `ERR_NPY_TRUNCATED`,
   *   `ERR_NPZ_METHOD`, `ERR_NPZ_ENCRYPTED`, `ERR_NPZ_SIZE`, `ERR_NPZ_DIRECTORY`. TypeError once the archive is closed.
   */
  get(name: string): MappedArray {
    if (this.#mapping === undefined) throw new TypeError("the archive has been closed");
    const entry = this.#members.get(name) ?? this.#members.get(`${name}.npy`);
    const member = memberArrayName(entry?.name ?? name);
    try {
      if (entry === undefined) {
        const known = this.names.slice(0, 10).map((one) => JSON.stringify(one));
        const list = known.length < this.names.length ? [...known, "..."] : known;
        throw new NpyError("ERR_NPZ_MEMBER", `the archive has no such array; it has ${list.join(", ") || "none"}`);
      }
      return this.#map(entry, this.#mapping);
    } catch (error) {
      throw isNpyError(error) ? error.locate({ path: this.path, member }) : error;
    }
  }

  /** Closes the archive; arrays it gave stay open. Closing twice is harmless. */
  close(): void {
    this.#mapping = undefined;
  }

  /** Closes the archive, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #map(entry: ZipMember, mapping: FileMapping): MappedArray {
    const bytesAt = (position: number, length: number): Uint8Array => new Uint8Array(mapping.view(position, length));
    const start = readWith(locateMember(entry, this.#byteLength), bytesAt);
    if (entry.method !== 0) {
      throw new NpyError(
        "ERR_MAP_LAYOUT",
        "the member is deflated and a mapping shows bytes as they are: openNpz reads it",
      );
    }
    const memberBytes = entry.byteLength;
    const prefix = bytesAt(start, Math.min(NPY_PREFIX_BYTES, memberBytes));
    const headerBytes = Math.min(npyDataOffset(prefix, this.#limits), memberBytes);
    const header = parseNpyHeader(bytesAt(start, headerBytes), this.#limits);
    checkDataIsThere(header, memberBytes);
    const declared = header.dataOffset + header.byteLength;
    if (declared < memberBytes) {
      throw new NpyError("ERR_NPZ_SIZE", `the member holds ${memberBytes} bytes and its header declares ${declared}`);
    }
    const position = start + header.dataOffset;
    checkMappedLayout(header, position, WAY_OUT);
    // The mapping is the archive's, and lives as long as anything over it.
    const array = new MappedArray({ header, mapping, position, path: this.path, mode: "c", close: () => undefined });
    if (this.#advise !== "normal") array.advise(this.#advise);
    return array;
  }
}

/** Runs a reader over bytes that are there at once, though not as one array, which `readInMemory` takes. */
function readWith<T>(steps: ReadSteps<T>, bytesAt: (position: number, length: number) => Uint8Array): T {
  for (let step = steps.next(); ; ) {
    if (step.done) return step.value;
    step = steps.next(bytesAt(step.value.position, step.value.length));
  }
}
