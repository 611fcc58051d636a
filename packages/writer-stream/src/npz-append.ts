import type { BigIntStats } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import {
  BLOCK_TABLE_MEMBER,
  type ByteSink,
  isNpyError,
  locateMember,
  locateZipDirectory,
  memberArrayName,
  NpyError,
  parseLongTables,
  type ReadRequest,
  readZipDirectory,
  splitZipDirectory,
  type ZipLayoutBase,
} from "@npystream/codec";
import { lockFile } from "./file-lock.ts";
import { openPartialFile, type PartialFileBase, pathOf } from "./file-sink.ts";
import { LockedPartialFile } from "./locked-partial-file.ts";
import { errnoOf, writeError } from "./write-error.ts";

/** An archive that members are put into. */
export interface OpenedArchive {
  readonly sink: ByteSink;
  /** What it has already. */
  readonly base?: ZipLayoutBase;
  /** Arrays that it has already, without `.npy`. */
  readonly names?: ReadonlySet<string>;
}

/** What an archive is told to hold is held against its file; how many members that makes is its writer's affair. */
const NO_LIMITS = { limits: { members: Number.MAX_SAFE_INTEGER } };

/** Most bytes of block tables that readZipDirectory reads. */
const MOST_TABLES_BYTES = 256 << 20;

/**
 * Opens an archive to add members to, or, where there is no file, one that appears as `fileSink` makes it.
 *
 * What is there is copied, which a file system that can share blocks (Btrfs, XFS, APFS, ReFS) does without copying data,
 * and takes its place once it is whole: no reader finds an archive without its directory, which is behind the members.
 * Other appenders are kept off meanwhile.
 *
 * @throws NpyError `ERR_WRITE_LOCKED` where another one appends; those of `readZipDirectory`; `ERR_WRITE_NO_SPACE`,
 *   `ERR_WRITE_IO`.
 */
export async function openNpzAppend(path: string | URL): Promise<OpenedArchive> {
  const asked = pathOf(path);
  try {
    const target = await realpath(asked).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
      return asked;
    });
    const lock = await lockFile(target);
    try {
      const found = await readBase(target);
      const file = await openPartialFile(asked, found !== undefined, found?.file);
      return { ...found, sink: new LockedPartialFile(file, lock) };
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    if (isNpyError(error)) throw error.locate({ path: asked });
    throw error instanceof TypeError ? error : writeError(error, asked);
  }
}

interface FoundArchive extends Required<Omit<OpenedArchive, "sink">> {
  readonly file: PartialFileBase;
}

async function readBase(path: string): Promise<FoundArchive | undefined> {
  let file: FileHandle;
  try {
    // Before it is opened, which waits where it is a pipe.
    if (!(await stat(path)).isFile()) throw new NpyError("ERR_WRITE_IO", `${path} is not a regular file`, { path });
    file = await open(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  await using handle = file;
  const found = await handle.stat({ bigint: true });
  const size = Number(found.size);
  const members = await drive(readZipDirectory(size, NO_LIMITS), handle);
  const { offset, byteLength, comment } = await drive(locateZipDirectory(size), handle);
  const directory = await readExactly(handle, { position: offset, length: byteLength });
  const entries = Array.from(splitZipDirectory(directory)).filter(([name]) => name !== BLOCK_TABLE_MEMBER);
  // As readZipDirectory has it: no reader looks at others, and members are read without their tables too.
  const tables = members.find(({ name, method }) => name === BLOCK_TABLE_MEMBER && method === 0);
  let longTables: ReadonlyMap<string, Uint8Array> = new Map();
  if (tables !== undefined && tables.byteLength <= MOST_TABLES_BYTES) {
    const position = await drive(locateMember(tables, size), handle);
    longTables = parseLongTables(await readExactly(handle, { position, length: tables.byteLength }));
  }
  return {
    base: { offset, entries: entries.map(([, entry]) => entry), longTables, comment },
    names: new Set(entries.map(([name]) => memberArrayName(name))),
    file: {
      byteLength: offset,
      checkUnchanged: async () => {
        const now = await stat(path, { bigint: true }).catch(() => undefined);
        if (now !== undefined && stateOf(now) === stateOf(found)) return;
        throw new NpyError("ERR_WRITE_IO", "another program has changed or replaced the archive meanwhile", { path });
      },
    },
  };
}

/** Identifies a file and what is in it, as far as the system tells. */
function stateOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs].join(" ");
}

async function drive<T>(steps: Generator<ReadRequest, T, Uint8Array>, handle: FileHandle): Promise<T> {
  for (let step = steps.next(); ; step = steps.next(await readExactly(handle, step.value))) {
    if (step.done) return step.value;
  }
}

async function readExactly(handle: FileHandle, { position, length }: ReadRequest): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0)
      throw new NpyError("ERR_NPZ_DIRECTORY", "the archive was cut while it was read", { offset: position });
    done += bytesRead;
  }
  return bytes;
}
