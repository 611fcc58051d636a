import { open, readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { formatShardManifest, isNpyError, parseShardManifest, type ShardManifest } from "@npystream/codec";
import { type FileSink, fileSink, syncFolder } from "./file-sink.ts";
import type { ShardNames } from "./shard-names.ts";
import { errnoOf } from "./write-error.ts";

/** Stands near the start of every manifest, as `formatShardManifest` writes it. */
const FORMAT = "npystream-shards";
/** Bytes that are looked into for it, so that other JSON is not read. */
const START_BYTES = 256;
/** What the system says of files of other users, and of those that have gone meanwhile. */
const UNREADABLE: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "ENOENT"]);

/** The manifest of shards on its way to its name. */
export class ShardManifestFile {
  readonly #names: ShardNames;
  readonly #overwrite: boolean;
  #sink: FileSink | undefined;
  #committing: Promise<void> | undefined;
  #isAborted = false;

  constructor(names: ShardNames, overwrite: boolean) {
    this.#names = names;
    this.#overwrite = overwrite;
  }

  /** Writes it and gives it its name. @throws NpyError those of `fileSink`; Error after an abort. */
  commit(manifest: ShardManifest): Promise<void> {
    this.#committing ??= this.#commit(manifest);
    return this.#committing;
  }

  /** Takes it back, unless it has its name already; resolves when either is so. */
  async abort(): Promise<void> {
    this.#isAborted = true;
    await this.#sink?.abort();
    await this.#committing?.catch(() => undefined);
  }

  async #commit(manifest: ShardManifest): Promise<void> {
    const sink = await fileSink(this.#names.manifestPath, { overwrite: this.#overwrite });
    this.#sink = sink;
    try {
      if (this.#isAborted) throw new Error("the shards were aborted");
      await sink.write(new TextEncoder().encode(formatShardManifest(manifest)));
      await sink.commit();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  }
}

/**
 * Removes the manifest of these names, and every other `.json` in the folder that is one and tells of files of these names:
 * none is to tell of what is replaced.
 *
 * @throws the system's error.
 */
export async function removeManifests(names: ShardNames): Promise<void> {
  let isChanged = false;
  for (const entry of await readdir(names.folder, { withFileTypes: true })) {
    const isOwn = entry.name === basename(names.manifestPath);
    if (!isOwn && !(entry.isFile() && entry.name.endsWith(".json"))) continue;
    const path = join(names.folder, entry.name);
    if (!isOwn && !(await shardsIn(path)).some((name) => names.isShard(name))) continue;
    await rm(path, { force: true });
    isChanged = true;
  }
  if (isChanged) await syncFolder(names.folder);
}

/** Names of the files that a manifest tells of; none where it is no manifest, or none that this user may read. */
async function shardsIn(path: string): Promise<readonly string[]> {
  try {
    await using handle = await open(path, "r");
    const start = new Uint8Array(START_BYTES);
    await handle.read(start, 0, START_BYTES, 0);
    if (!Buffer.from(start).includes(FORMAT)) return [];
    const { shards } = parseShardManifest(await readFile(path, "utf8"));
    return shards.flatMap(({ files }) => Object.values(files).map(({ name }) => name));
  } catch (error) {
    if (isNpyError(error) || UNREADABLE.has(errnoOf(error))) return [];
    throw error;
  }
}
