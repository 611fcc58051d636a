import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/**
 * Copies a stream to a temporary file, since an `.npz` has its directory at the end and arrays are read by position.
 *
 * The file loses its name before the first byte is written, so nothing is left behind however the process ends.
 *
 * @returns The file, open for reading; whoever closes it frees its space.
 */
export async function spool(source: Readable): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), "npystream-"));
  let file: FileHandle;
  try {
    file = await open(join(folder, "spool"), "wx+");
  } finally {
    await rm(folder, { recursive: true });
  }
  try {
    // Each writes on from where the last one ended.
    for await (const chunk of source) await file.writeFile(chunk as Uint8Array);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
