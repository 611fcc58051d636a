import type { Descr, DescrField, ElementType } from "./element-type.ts";
import { defaultLimits } from "./limits.ts";
import { isNpyError, NpyError } from "./npy-error.ts";
import { parseDescr } from "./parse-descr.ts";
import { isSafePath } from "./safe-path.ts";
import { shapeSize } from "./shape.ts";

/** What every row of a sharded array is. */
export interface ShardedArray {
  /** What one element is. */
  readonly type: ElementType;
  /** Extents of one row, `[]` where a row is one element. */
  readonly rowShape: readonly number[];
}

/** One file of a shard. */
export interface ShardFileEntry {
  /** Path with `/` between folders, relative to the manifest's folder. */
  readonly name: string;
  /** Size of the file in bytes, header included. */
  readonly byteLength: number;
  /** SHA-256 of the whole file, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Rows that lie together: one file for each array. */
export interface ShardEntry {
  /** Number of rows, the same in every file. */
  readonly rows: number;
  /** The files, by the role of their array. */
  readonly files: Readonly<Record<string, ShardFileEntry>>;
}

/** What a set of shard files is: arrays of the same number of rows, cut at the same rows. */
export interface ShardManifest {
  /** Number of rows in all. */
  readonly rows: number;
  /** The arrays, by role. */
  readonly arrays: Readonly<Record<string, ShardedArray>>;
  /** The shards in the order of their rows. */
  readonly shards: readonly ShardEntry[];
}

/** Ends the name of a manifest's file. */
export const MANIFEST_SUFFIX = ".manifest.json";

const FORMAT = "npystream-shards";
const VERSION = 1;
const ROLE = /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/;

/** Tells whether text may be the role of an array in a manifest: a letter or `_`, then letters, digits and `_ . -`. */
export function isRole(text: string): boolean {
  return ROLE.test(text) && text !== "__proto__";
}

/**
 * Writes a manifest as JSON: a shard a line, so that two of them compare well.
 *
 * @throws NpyError `ERR_MANIFEST` for one that would not be read back.
 */
export function formatShardManifest(manifest: ShardManifest): string {
  const arrays = Object.entries(manifest.arrays).map(([role, { type, rowShape }]) => [
    role,
    { dtype: type.dtype, descr: type.descr, rowShape },
  ]);
  const shards = manifest.shards.map(({ rows, files }) => `    ${JSON.stringify({ rows, files })}`);
  const text = `{
  "format": "${FORMAT}",
  "version": ${VERSION},
  "rows": ${manifest.rows},
  "arrays": ${JSON.stringify(Object.fromEntries(arrays))},
  "shards": [
${shards.join(",\n")}
  ]
}
`;
  parseShardManifest(text);
  return text;
}

/**
 * Reads a manifest and checks all that it says of itself: row counts that add up, every shard with one file of every
 * array and of the size that its rows take, names that leave the folder on no system and stand in it once. The files are
 * not looked at.
 *
 * @throws NpyError `ERR_MANIFEST`
 */
export function parseShardManifest(text: string): ShardManifest {
  const root = record(parseJson(text), "the manifest");
  if (root["format"] !== FORMAT) throw fault(`format is ${show(root["format"])} and not "${FORMAT}"`);
  if (root["version"] !== VERSION) {
    throw fault(`version is ${show(root["version"])}; this release reads version ${VERSION}`);
  }
  const roles = Object.entries(record(root["arrays"], "arrays"));
  if (roles.length === 0) throw fault("arrays names none");
  const arrays = Object.fromEntries(roles.map(([role, array]) => [role, readArray(role, array)]));
  const names = new Set<string>();
  const shards = list(root["shards"], "shards").map((shard, index) =>
    readShard(shard, `shard ${index}`, arrays, names),
  );
  const rows = count(root["rows"], "rows");
  const sum = shards.reduce((total, shard) => total + shard.rows, 0);
  if (rows !== sum) throw fault(`rows is ${rows} and its shards have ${sum}`);
  return { rows, arrays, shards };
}

function readArray(role: string, value: unknown): ShardedArray {
  if (!isRole(role)) throw fault(`${show(role)} is no role of an array`);
  const { descr, rowShape } = record(value, role);
  const extents = list(rowShape, `rowShape of ${role}`).map((extent) => count(extent, `an extent of ${role}`));
  try {
    const { type } = parseDescr(readDescr(descr, 0));
    // Sizes are checked here, so that what multiplies them need not.
    shapeSize(extents, type.itemSize);
    return { type, rowShape: extents };
  } catch (cause) {
    if (!isNpyError(cause) || cause.code === "ERR_MANIFEST") throw cause;
    throw new NpyError("ERR_MANIFEST", `${role}: ${cause.message}`, { cause });
  }
}

function readShard(
  value: unknown,
  what: string,
  arrays: Readonly<Record<string, ShardedArray>>,
  names: Set<string>,
): ShardEntry {
  const shard = record(value, what);
  const rows = count(shard["rows"], `rows of ${what}`);
  const given = record(shard["files"], `files of ${what}`);
  const roles = Object.keys(arrays);
  const odd = Object.keys(given).find((role) => !Object.hasOwn(arrays, role));
  if (odd !== undefined) throw fault(`${what} has a file of ${show(odd)}, which is none of the arrays`);
  const files = roles.map((role): [string, ShardFileEntry] => {
    if (!Object.hasOwn(given, role)) throw fault(`${what} lacks a file of ${role}`);
    const file = readFile(given[role], `${role} of ${what}`, rows, arrays[role]);
    if (names.has(file.name)) throw fault(`${show(file.name)} stands in it twice`);
    names.add(file.name);
    return [role, file];
  });
  return { rows, files: Object.fromEntries(files) };
}

function readFile(value: unknown, what: string, rows: number, array: ShardedArray | undefined): ShardFileEntry {
  const { name, byteLength, sha256 } = record(value, what);
  if (typeof name !== "string" || !isSafePath(name)) throw fault(`${show(name)} is no safe name of a file`);
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) throw fault(`sha256 of ${what} is none`);
  const { type, rowShape } = array ?? {};
  const rowBytes = type === undefined ? 0 : shapeSize(rowShape ?? [], type.itemSize) * type.itemSize;
  const bytes = count(byteLength, `byteLength of ${what}`);
  if (!(bytes > rows * rowBytes)) throw fault(`${what} has ${bytes} bytes, which do not hold ${rows} rows`);
  return { name, byteLength: bytes, sha256 };
}

/** Checks the JSON form of a descr: a type string, or fields as lists of name (or title and name), type and shape. */
function readDescr(value: unknown, depth: number): Descr {
  if (typeof value === "string") return value;
  if (depth > defaultLimits.depth) throw fault("a descr is nested too deep");
  return list(value, "descr").map((field): DescrField => {
    const [label, descr, shape, ...others] = list(field, "a field of a descr");
    const isLabel = [label].flat().every((part) => typeof part === "string") && [label].flat().length <= 2;
    if (!isLabel || others.length > 0) throw fault("a field of a descr is no name, type and shape");
    const read = readDescr(descr, depth + 1);
    // What isLabel lets through is a name, or a list of two.
    const name = label as DescrField[0];
    if (shape === undefined) return [name, read];
    return [name, read, list(shape, "shape of a field").map((extent) => count(extent, "an extent of a field"))];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NpyError("ERR_MANIFEST", `it is no JSON: ${reason}`, { cause });
  }
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fault(`${what} is ${show(value)} and no object`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw fault(`${what} is ${show(value)} and no list`);
}

function count(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw fault(`${what} is ${show(value)} and no whole number from 0`);
}

function fault(message: string): NpyError {
  return new NpyError("ERR_MANIFEST", `this is no shard manifest: ${message}`);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}
