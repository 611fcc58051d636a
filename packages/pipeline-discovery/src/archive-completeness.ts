import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { isNpyError, NpyError } from "@npystream/codec";
import { openNpz } from "@npystream/reader-stream";
import { type ArrayFacts, failedInspection, IncompleteError, type Inspection, judge } from "./completeness.ts";
import { fileVersion } from "./file-version.ts";

/** Signatures that an archive begins with: a local header, or the end record of an empty one (APPNOTE 4.3.7, 4.3.16). */
const BEGINNINGS = ["PK\x03\x04", "PK\x05\x06"];

/**
 * Decides by its content whether a `.npz` is completely written: it is when its end record and its directory are valid,
 * every member lies inside, and the arrays `members` have headers that fit their sizes.
 *
 * Members that the archive does not have are left out of the result; they are no sign that anything is still to come.
 */
export async function inspectArchive(
  handle: FileHandle,
  stats: BigIntStats,
  members: readonly string[],
): Promise<Inspection> {
  try {
    const beginning = (await handle.read(Buffer.alloc(4), 0, 4, 0)).buffer.toString("latin1");
    if (stats.size < 4n || beginning === "\0\0\0\0") {
      throw new IncompleteError("nothing is written in it yet");
    }
    if (!BEGINNINGS.includes(beginning)) {
      const message = "this is no .npz: it does not begin as a ZIP archive does";
      return failedInspection(new NpyError("ERR_NPZ_DIRECTORY", message, { offset: 0 }), stats);
    }
    const arrays = await readArrays(handle, members);
    if (fileVersion(await handle.stat({ bigint: true })) !== fileVersion(stats)) {
      throw new IncompleteError("it changed while it was looked at");
    }
    return judge(stats, arrays, "");
  } catch (error) {
    // The directory stands at the end, so that a file without a valid one may only be unfinished.
    const unfinished = isNpyError(error) && ["ERR_NPZ_DIRECTORY", "ERR_SOURCE_TRUNCATED"].includes(error.code);
    return failedInspection(unfinished ? new IncompleteError(error.message) : error, stats);
  }
}

async function readArrays(handle: FileHandle, members: readonly string[]): Promise<Map<string, ArrayFacts>> {
  const arrays = new Map<string, ArrayFacts>();
  await using archive = await openNpz(handle);
  for (const name of members.filter((member) => archive.names.includes(member))) {
    await using array = await archive.open(name);
    const { type, order, shape } = array;
    arrays.set(name, { type, order, shape });
  }
  return arrays;
}
