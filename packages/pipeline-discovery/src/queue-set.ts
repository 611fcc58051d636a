import { lstat } from "node:fs/promises";
import { join, sep } from "node:path";
import { type ByteReadOptions, type DType, encodeNpy, type NameFields, NdArray, NpyError } from "@npystream/codec";
import { type ArrayHandle, openNpy } from "@npystream/reader-stream";
import type { ArraySet, SetArray } from "./array-set.ts";
import { fileVersion, isMissing } from "./file-version.ts";
import type { MessageArray, MessageFile, SetMessage } from "./queue-message.ts";

/** A set that came through a queue, with its files where this machine has them. */
export class QueuedSet implements ArraySet {
  readonly id: string;
  readonly key: string;
  readonly fields: NameFields;
  readonly root: string;
  readonly missing: readonly string[];
  readonly generation: string;
  readonly arrays: Readonly<Record<string, SetArray>>;
  readonly #message: SetMessage;
  readonly #paths: readonly string[];
  /** Versions of the files as they were first seen here, by which a change of the same size and time is noticed as well. */
  readonly #versions: string[] = [];

  /** @param root - Absolute path of the folder that the set's root is here. */
  constructor(id: string, message: SetMessage, root: string) {
    const { key, fields, missing, generation, files, arrays } = message;
    this.id = id;
    this.key = key;
    this.fields = fields;
    this.root = root;
    this.missing = missing;
    this.generation = generation;
    this.#message = message;
    this.#paths = files.map(({ path }) => join(root, path.replaceAll("/", sep)));
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([role, array]) => [role, this.#arrayOf(role, array)]));
  }

  async verify(): Promise<void> {
    await this.#verifyFiles(this.#paths.keys());
  }

  /** Settling is for whoever runs the stage: it tells the queue, and that the one who published the set. */
  async ack(): Promise<void> {}

  async release(): Promise<void> {}

  async quarantine(): Promise<void> {}

  #arrayOf(role: string, array: MessageArray): SetArray {
    const { file, isMember, shards, dtype, shape, byteLength } = array;
    const pathOf = (at: number): string => this.#paths[at] ?? "";
    return {
      role,
      path: pathOf(file),
      ...(isMember ? { member: role } : {}),
      ...(shards === undefined ? {} : { shards: shards.map(pathOf) }),
      dtype,
      shape,
      byteLength,
      open: (options) => this.#open(role, array, options),
    };
  }

  async #open(role: string, array: MessageArray, options?: ByteReadOptions): Promise<ArrayHandle<DType>> {
    const { file, isMember, shards, dtype, shape } = array;
    const path = this.#paths[file] ?? "";
    const files = [file, ...(shards ?? [])];
    await this.#verifyFiles(files);
    const paths = shards?.map((at) => this.#paths[at] ?? "");
    const rows = paths?.length === 0 ? encodeNpy(NdArray.zeros(dtype, shape)) : paths;
    const handle = await openNpy(rows ?? (isMember ? `${path}#${role}` : path), options);
    try {
      await this.#verifyFiles(files);
      const [expected, found] = [array, handle].map((facts) => `${facts.dtype} [${facts.shape.join(", ")}]`);
      if (found !== expected) {
        throw changed(path, `${role} was ${expected} and is ${found}`);
      }
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #verifyFiles(positions: Iterable<number>): Promise<void> {
    await Promise.all(Array.from(positions, (at) => this.#verifyFile(at)));
  }

  async #verifyFile(at: number): Promise<void> {
    const [path, expected] = [this.#paths[at], this.#message.files[at]];
    if (path === undefined || expected === undefined) {
      throw new TypeError(`the job has no file ${at}`);
    }
    const version = await checkFile(path, expected);
    this.#versions[at] ??= version;
    if (this.#versions[at] !== version) {
      throw changed(path, `it was ${this.#versions[at]} and is ${version}`);
    }
  }
}

/** Checks that a file is the one that was published, and gives its version here. */
async function checkFile(path: string, { size, modifiedMs }: MessageFile): Promise<string> {
  const stats = await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  });
  if (stats?.isFile() !== true) {
    throw changed(path, "there is no such file on this machine");
  }
  if (Number(stats.size) !== size) {
    throw changed(path, `it had ${size} bytes and has ${stats.size}`);
  }
  const foundMs = Number(stats.mtimeNs / 1_000_000n);
  if (foundMs !== modifiedMs) {
    const [before, now] = [modifiedMs, foundMs].map((time) => new Date(time).toISOString());
    throw changed(path, `it was of ${before} and is of ${now}`);
  }
  return fileVersion(stats);
}

function changed(path: string, what: string): NpyError {
  return new NpyError("ERR_SET_CHANGED", `the file is not the one that was published: ${what}`, { path });
}
