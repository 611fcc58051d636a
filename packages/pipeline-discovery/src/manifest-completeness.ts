import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { isNpyError, NpyError, parseShardManifest, type ShardManifest } from "@npystream/codec";
import {
  type ArrayFacts,
  failedInspection,
  IncompleteError,
  type Inspection,
  judge,
  type ShardFile,
} from "./completeness.ts";
import { withoutDevice } from "./file-version.ts";

/** Parts the version of a manifest's file from what says the versions of its shards. */
export const SHARDS_MARK = "+";
/** A manifest says 200 bytes of a file, so that this is one of 300,000 shards. */
const LARGEST_BYTES = 64 * 1024 * 1024;

/**
 * Decides whether the manifest of shards and all it names are completely written: it is when its JSON is whole, and each
 * file has the size, dtype and rows that it says.
 *
 * @param path - Absolute path of the manifest, which the shards are named from.
 * @param roles - Arrays that are of interest; the shards of others are not looked at.
 * @param inspect - Looks into the shards. Where it digests them, the digest that comes out is that of theirs, without the
 *   manifest's own.
 */
export async function inspectManifest(
  handle: FileHandle,
  stats: BigIntStats,
  path: string,
  roles: readonly string[],
  inspect: (paths: readonly string[]) => Promise<Inspection[]>,
): Promise<Inspection> {
  try {
    const manifest = parse(await readText(handle, stats));
    const arrays = new Map<string, ArrayFacts>();
    const digests: string[] = [];
    const inspectShards = async (paths: readonly string[]): Promise<Inspection[]> => {
      const found = await inspect(paths);
      digests.push(...found.flatMap(({ digest }) => digest ?? []));
      return found;
    };
    for (const role of roles.filter((one) => Object.hasOwn(manifest.arrays, one))) {
      arrays.set(role, await inspectArrayShards(manifest, role, dirname(path), inspectShards));
    }
    const inspection = judge(stats, arrays, "");
    return {
      ...inspection,
      version: `${inspection.version}${SHARDS_MARK}${digestOf(arrays)}`,
      ...(digests.length > 0 ? { digest: sha256(digests.join()) } : {}),
    };
  } catch (error) {
    return failedInspection(error, stats);
  }
}

/** What all shards are, as one text: a shard that changes makes another version of the manifest's file. */
function digestOf(arrays: ReadonlyMap<string, ArrayFacts>): string {
  const versions = [...arrays.values()].flatMap(({ shards = [] }) =>
    shards.map(({ version }) => withoutDevice(version)),
  );
  return sha256(versions.join());
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function readText(handle: FileHandle, stats: BigIntStats): Promise<string> {
  if (stats.size > LARGEST_BYTES) {
    throw new NpyError("ERR_MANIFEST", `the manifest has ${stats.size} bytes; at most ${LARGEST_BYTES} are read`);
  }
  const bytes = Buffer.alloc(Number(stats.size));
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  if (bytesRead < bytes.length) {
    throw new IncompleteError("it became shorter while it was looked at");
  }
  return bytes.toString("utf8");
}

function parse(text: string): ShardManifest {
  try {
    return parseShardManifest(text);
  } catch (error) {
    // What is cut off anywhere is no JSON.
    throw isNpyError(error) && error.cause instanceof SyntaxError
      ? new IncompleteError("its JSON is not whole")
      : error;
  }
}

async function inspectArrayShards(
  { arrays, shards, rows }: ShardManifest,
  role: string,
  folder: string,
  inspect: (paths: readonly string[]) => Promise<Inspection[]>,
): Promise<ArrayFacts> {
  const { type, rowShape = [] } = arrays[role] ?? {};
  const files = shards.map((shard) => ({ ...shard.files[role], rows: shard.rows }));
  const paths = files.map(({ name = "" }) => join(folder, name.replaceAll("/", sep)));
  const found = await inspect(paths);
  const parts: ShardFile[] = [];
  for (const [at, { name, byteLength, rows: expectedRows }] of files.entries()) {
    const { verdict, reason, version, arrays: inside, error } = found[at] ?? {};
    if (error !== undefined) {
      throw error.locate({ path: paths[at] });
    }
    // A shard that may be preallocated is none of a manifest's: that is written when all shards are whole.
    if (verdict !== "complete" && verdict !== "suspicious") {
      throw new IncompleteError(`its shard ${name}: ${reason}`);
    }
    const facts = inside?.get("");
    const isSame = facts?.type.dtype === type?.dtype && String(facts?.shape) === String([expectedRows, ...rowShape]);
    if (!isSame || Number(version?.split("-")[2]) !== byteLength) {
      throw new NpyError("ERR_MANIFEST", `its shard ${name} is not what the manifest says`, { path: paths[at] });
    }
    parts.push({ path: paths[at] ?? "", version: version ?? "" });
  }
  if (type === undefined) {
    throw new NpyError("ERR_MANIFEST", `it has no array ${role}`);
  }
  return { type, order: "C", shape: [rows, ...rowShape], shards: parts };
}
