import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  isNpyError,
  MANIFEST_SUFFIX,
  NdArray,
  NpyError,
  parseShardManifest,
  type ShardedArray,
  type ShardManifest,
} from "@npystream/codec";
import type { ArrayHandle } from "./array-handle.ts";
import { arraySource } from "./array-source.ts";
import { isHttpUrl } from "./http-options.ts";
import { openNpy } from "./open-array.ts";
import { openSource } from "./open-source.ts";

/** A manifest of a million shards has about 200 MB; what is longer is another file. */
const MAX_MANIFEST_BYTES = 256 << 20;

/** A manifest that a text names, and the array of it. */
export interface ManifestPath {
  /** Path or URL of the manifest. */
  readonly path: string;
  /** Role of the array; none where the text names the manifest alone. */
  readonly role: string | undefined;
}

/** Splits `set.manifest.json#features`; gives `undefined` for what names no manifest. */
export function splitManifestPath(from: unknown): ManifestPath | undefined {
  if (typeof from !== "string" && !(from instanceof URL)) return undefined;
  const text = from instanceof URL && from.protocol === "file:" ? fileURLToPath(from) + decodeHash(from) : String(from);
  if (text.endsWith(MANIFEST_SUFFIX)) return { path: text, role: undefined };
  const at = text.lastIndexOf(`${MANIFEST_SUFFIX}#`);
  if (at < 0) return undefined;
  const end = at + MANIFEST_SUFFIX.length;
  return { path: text.slice(0, end), role: text.slice(end + 1) };
}

/**
 * Opens one array of a manifest: all its shards, in the order of the manifest, checked against what it says of them but
 * for their SHA-256. Descriptors are held as `openNpy` does of a list.
 *
 * @param name - Role that is taken where the path names none and the manifest has several arrays.
 * @throws NpyError `ERR_MANIFEST` where the file is none or has no such array, `ERR_SHARD_MISMATCH` where a shard is not
 *   what the manifest says, and those of `openNpy`.
 */
export async function openManifestArray({ path, role }: ManifestPath, name: string): Promise<ArrayHandle> {
  const manifest = await readManifest(path);
  const roles = Object.keys(manifest.arrays);
  const wanted = role ?? (roles.length === 1 ? roles[0] : name) ?? name;
  const array = manifest.arrays[wanted];
  if (array === undefined || !Object.hasOwn(manifest.arrays, wanted)) {
    throw new NpyError("ERR_MANIFEST", `the manifest has no array ${wanted}; it has ${roles.join(", ")}`, { path });
  }
  const files = manifest.shards.map(({ files }) => resolveName(path, files[wanted]?.name ?? ""));
  if (files.length === 0) return await openNpy(arraySource(NdArray.zeros(array.type, [0, ...array.rowShape])));
  const handle = await openNpy(files);
  try {
    checkShards(handle, manifest, wanted, array, files);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readManifest(path: string): Promise<ShardManifest> {
  const { source } = await openSource(path);
  try {
    if (source.byteLength > MAX_MANIFEST_BYTES) {
      throw new NpyError("ERR_MANIFEST", `it has ${source.byteLength} bytes, more than any manifest`);
    }
    const bytes = new Uint8Array(source.byteLength);
    await source.read(bytes, 0);
    return parseShardManifest(new TextDecoder().decode(bytes));
  } catch (error) {
    throw isNpyError(error) ? error.locate({ path }) : error;
  } finally {
    await source.close();
  }
}

function resolveName(manifest: string, name: string): string {
  if (!isHttpUrl(manifest)) return join(dirname(manifest), name);
  return new URL(name.split("/").map(encodeURIComponent).join("/"), manifest).href;
}

function checkShards(
  handle: ArrayHandle,
  { shards }: ShardManifest,
  role: string,
  { type, rowShape }: ShardedArray,
  files: readonly string[],
): void {
  for (const [index, { header, length, source }] of handle.shards.arrays.entries()) {
    const expected = {
      dtype: JSON.stringify(type.descr),
      "row shape": JSON.stringify(rowShape),
      rows: shards[index]?.rows,
      bytes: shards[index]?.files[role]?.byteLength,
    };
    const found = {
      dtype: JSON.stringify(header.type.descr),
      "row shape": JSON.stringify(header.shape.slice(1)),
      rows: length,
      bytes: source.byteLength,
    };
    for (const property of ["dtype", "row shape", "rows", "bytes"] as const) {
      if (expected[property] === found[property]) continue;
      const message = `shard ${index} has ${property} ${found[property]}, its manifest says ${expected[property]}`;
      throw new NpyError("ERR_SHARD_MISMATCH", message, { path: files[index] });
    }
  }
}

function decodeHash({ hash }: URL): string {
  return decodeURIComponent(hash);
}
