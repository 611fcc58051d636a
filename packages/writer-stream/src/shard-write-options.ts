import { checkOptionKeys, type DTypeLike, type ShardManifest } from "@npystream/codec";
import { checkCount, type WriteProgress } from "./npy-write-options.ts";

/** What the rows of one array of a shard writer are. */
export interface ShardArrayOptions {
  /** Element type. @defaultValue that of the first chunk */
  readonly dtype?: DTypeLike;
  /** Extents of one row, `[]` where a row is one element. @defaultValue that of the first chunk */
  readonly rowShape?: readonly number[];
}

/** Options of `createShardWriter`. */
export interface ShardWriterOptions<R extends string = string> extends ShardArrayOptions {
  /** Most rows of a shard. @defaultValue what `maxBytes` says, which must be given then */
  readonly maxRows?: number;
  /** Most bytes of a file, header included; a longer row is a shard by itself. @defaultValue what `maxRows` says */
  readonly maxBytes?: number;
  /** Rows of each array where there are several; `dtype` and `rowShape` are for a single one. @defaultValue as they come */
  readonly roles?: { readonly [N in R]?: ShardArrayOptions };
  /** Name of the manifest. @defaultValue the first array's without its number, `features.manifest.json` */
  readonly manifest?: string;
  /** Whether shards and a manifest of these names are replaced. @defaultValue false */
  readonly overwrite?: boolean;
  /** Most bytes of each array gathered in memory before they are written. @defaultValue 2 MiB (2,097,152) */
  readonly highWaterMark?: number;
  /** Told how far the writing of all shards is, at most ten times a second, and once more at the end. @defaultValue nobody */
  readonly onProgress?: (progress: WriteProgress) => void;
  /** Aborts the writing: there is no manifest, and promises reject with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** What a shard writer wrote. */
export interface ShardWriteResult {
  /** Absolute path of the manifest. */
  readonly path: string;
  /** What it says. */
  readonly manifest: ShardManifest;
  /** Bytes of all shards together. */
  readonly byteLength: number;
}

/** Options with their defaults, checked. */
export interface ResolvedShardOptions extends ShardWriterOptions {
  readonly overwrite: boolean;
  readonly highWaterMark: number;
}

/** What is said to who gives neither. */
export const NO_BOUND = "give { maxRows } or { maxBytes }, how much a shard holds";

const KEYS: readonly (keyof ShardWriterOptions)[] = [
  "dtype",
  "rowShape",
  "maxRows",
  "maxBytes",
  "roles",
  "manifest",
  "overwrite",
  "highWaterMark",
  "onProgress",
  "signal",
];

/**
 * Joins options with their defaults.
 *
 * @param roles - Names of the arrays where there are several, undefined for a single one.
 * @throws TypeError for an unknown option or role, for neither `maxRows` nor `maxBytes`, and for options that do not go
 *   with the number of arrays; RangeError for a number that is no count.
 */
export function resolveShardOptions(
  options: ShardWriterOptions,
  roles: readonly string[] | undefined,
): ResolvedShardOptions {
  checkOptionKeys("createShardWriter", options, KEYS);
  const { maxRows, maxBytes, overwrite = false, highWaterMark = 2 << 20 } = options;
  if (maxRows === undefined && maxBytes === undefined) throw new TypeError(NO_BOUND);
  checkCount("highWaterMark", highWaterMark);
  for (const [name, value] of Object.entries({ maxRows, maxBytes })) {
    if (value !== undefined) checkCount(name, value);
    if (value === 0) throw new RangeError(`${name} is 0, and a shard holds a row at least`);
  }
  if (roles === undefined ? options.roles !== undefined : "dtype" in options || "rowShape" in options) {
    throw new TypeError("dtype and rowShape are for a single array, roles: { name: { dtype, rowShape } } for several");
  }
  checkOptionKeys("roles", options.roles ?? {}, roles ?? []);
  for (const array of [options, ...Object.values(options.roles ?? {})]) {
    if (array !== options) checkOptionKeys("a role", array ?? {}, ["dtype", "rowShape"]);
    if (array?.rowShape !== undefined && !Array.isArray(array.rowShape)) {
      throw new TypeError(`rowShape is a list of extents, not ${String(array.rowShape)}`);
    }
    for (const extent of array?.rowShape ?? []) checkCount("an extent of rowShape", extent);
  }
  return { ...options, overwrite, highWaterMark };
}
