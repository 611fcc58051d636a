import { stat } from "node:fs/promises";

/** A file named on the command line. */
export interface FileReference {
  /** Path, or `-` for stdin. */
  readonly path: string;
  /** Array of an `.npz`, where one is named. */
  readonly member?: string;
}

/**
 * Takes `file.npz#member` apart.
 *
 * A `#` may be part of both names: the whole text is the path where such a file exists, else the path is the shortest
 * part before a `#` that exists. Where none does, the part before the first `#` behind `.npz` is named as missing.
 */
export async function parseFileReference(text: string): Promise<FileReference> {
  if (!text.includes("#") || (await exists(text))) return { path: text };
  for (let at = text.indexOf("#"); at >= 0; at = text.indexOf("#", at + 1)) {
    const path = text.slice(0, at);
    if (path === "-" || (path !== "" && (await exists(path)))) return { path, member: text.slice(at + 1) };
  }
  const behind = text.toLowerCase().indexOf(".npz#");
  return behind < 0 ? { path: text } : { path: text.slice(0, behind + 4), member: text.slice(behind + 5) };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    // Why it cannot be opened is said when it is opened.
    return false;
  }
}
