import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { decodeNpy, elementType, formatShardManifest, type ShardEntry } from "@npystream/codec";
import { fileSink } from "@npystream/writer-stream";
import { KEY, PIXELS, shardNames } from "./convention.ts";

/** The arrays of every shard. */
const arrays = {
  features: { type: elementType("float32"), rowShape: [PIXELS] },
  labels: { type: elementType("int64"), rowShape: [] },
};

/** Writes the manifest of the first `count` shards, which lie beside it: whole or not at all. */
export async function writeShardManifest(path: string, count: number): Promise<void> {
  const shards: ShardEntry[] = [];
  for (let shard = 0; shard < count; shard++) {
    shards.push(await describeShard(dirname(path), shard));
  }
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0);
  const sink = await fileSink(path, { overwrite: true });
  try {
    await sink.write(new TextEncoder().encode(formatShardManifest({ rows, arrays, shards })), 0);
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

async function describeShard(folder: string, shard: number): Promise<ShardEntry> {
  let rows = 0;
  const files: Record<string, ShardEntry["files"][string]> = {};
  for (const role of Object.keys(arrays)) {
    const name = shardNames.format({ key: KEY, shard, role });
    const bytes = await readFile(join(folder, name));
    rows = decodeNpy(bytes).length;
    files[role] = { name, byteLength: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }
  return { rows, files };
}
