import { lstat } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { DType, NameFields } from "@npystream/codec";
import type { ArraySet, SetArray } from "./array-set.ts";

/** One file of a set, as it was when the set was published. */
export interface MessageFile {
  /** Path below the root, with `/`. */
  readonly path: string;
  readonly size: number;
  /** Time of modification in whole milliseconds since the epoch, which every way to mount a file system can tell. */
  readonly modifiedMs: number;
}

/** One array of a set. */
export interface MessageArray {
  /** Position of its file among the files. */
  readonly file: number;
  /** Whether it is a member of that file, by its role. */
  readonly isMember: boolean;
  /** Positions of the files whose rows make it up, where its own file is the manifest of shards. */
  readonly shards?: readonly number[];
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** What a worker is told of a set: what it is and where, and no data. */
export interface SetMessage {
  readonly key: string;
  readonly fields: NameFields;
  /** Name of the root folder, which each machine has at a place of its own. */
  readonly root: string;
  readonly generation: string;
  readonly missing: readonly string[];
  readonly files: readonly MessageFile[];
  readonly arrays: Readonly<Record<string, MessageArray>>;
}

/** Version of the text; a worker refuses one that it does not know. */
const VERSION = 1;
/** From so many bytes on a message is deflated: queues hold every message in memory, and only long lists get that long. */
const DEFLATE_BYTES = 1024;
/** Bytes that a message may have at most, which are some ten thousand files. */
const MOST_BYTES = 256 * 1024;
/** Bytes that one may have when it is inflated. */
const MOST_INFLATED_BYTES = 16 * 1024 * 1024;

/**
 * Describes a set for workers. The files are looked at again, so that what is published is what was delivered.
 *
 * @param root - Name of the root folder.
 * @throws NpyError `ERR_SET_CHANGED` where they are no longer; RangeError where there are too many for a job.
 */
export async function describeSet(set: ArraySet, root: string): Promise<string> {
  const arrays: SetArray[] = Object.values(set.arrays);
  const paths = [...new Set(arrays.flatMap(({ path, shards = [] }) => [path, ...shards]))];
  const at = (path: string): number => paths.indexOf(path);
  const files = await Promise.all(
    paths.map(async (path) => {
      const { size, mtimeNs } = await lstat(path, { bigint: true }).catch(async (error: unknown) => {
        await set.verify();
        throw error;
      });
      const below = relative(set.root, path);
      return [below.replaceAll(sep, "/"), Number(size), Number(mtimeNs / 1_000_000n)];
    }),
  );
  await set.verify();
  const described = arrays.map(({ role, path, member, shards, dtype, shape, byteLength }) => {
    const shardFiles = shards === undefined ? [] : [shards.map(at)];
    return [role, at(path), member === undefined ? 0 : 1, dtype, shape, byteLength, ...shardFiles];
  });
  const { key, fields, generation, missing } = set;
  const text = JSON.stringify([VERSION, root, key, fields, generation, missing, files, described]);
  const payload = text.length > DEFLATE_BYTES ? deflateRawSync(text).toString("base64") : text;
  if (payload.length > MOST_BYTES) {
    throw new RangeError(`the set has ${files.length} files, whose names take ${payload.length} bytes in a job`);
  }
  return payload;
}

/**
 * Reads what {@link describeSet} wrote.
 *
 * @throws TypeError for anything else.
 */
export function parseMessage(payload: string): SetMessage {
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload.startsWith("[") ? payload : inflate(payload));
  } catch (cause) {
    throw new TypeError("the job is none that distribute() published", { cause });
  }
  if (!Array.isArray(parsed) || parsed[0] !== VERSION) {
    throw new TypeError("the job was published by another release, or by something else");
  }
  // Only distribute() writes this version; where the files are is checked, and everything else when they are opened.
  const [, root, key, fields, generation, missing, files, arrays] = parsed as [
    number,
    string,
    string,
    NameFields,
    string,
    string[],
    [string, number, number][],
    [string, number, number, DType, number[], number, number[]?][],
  ];
  return {
    root,
    key,
    fields,
    generation,
    missing,
    files: files.map(([path, size, modifiedMs]) => ({ path: checkPath(path), size, modifiedMs })),
    arrays: Object.fromEntries(
      arrays.map(([role, file, isMember, dtype, shape, byteLength, shards]) => {
        const array = { file, isMember: isMember === 1, dtype, shape, byteLength };
        return [role, shards === undefined ? array : { ...array, shards }];
      }),
    ),
  };
}

function inflate(payload: string): string {
  return inflateRawSync(Buffer.from(payload, "base64"), { maxOutputLength: MOST_INFLATED_BYTES }).toString();
}

/** Whoever can write to the queue must not thereby read other files. */
function checkPath(path: string): string {
  if (typeof path !== "string" || path === "" || isAbsolute(path) || /(^|[/\\])\.\.([/\\]|$)|\0/.test(path)) {
    throw new TypeError(`the job names a file outside its root: ${JSON.stringify(path)}`);
  }
  return path;
}
