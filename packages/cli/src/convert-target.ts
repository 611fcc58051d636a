import { basename, extname } from "node:path";
import { type FileReference, parseFileReference } from "./file-reference.ts";
import type { TextFormat } from "./text-array.ts";
import { UsageError } from "./usage-error.ts";

/** What `npystream convert` writes. */
export interface ConvertTarget extends FileReference {
  readonly format: "npy" | "npz" | TextFormat;
}

const FORMATS: Readonly<Record<string, ConvertTarget["format"]>> = {
  ".npy": "npy",
  ".npz": "npz",
  ".csv": "csv",
  ".ndjson": "ndjson",
};

/** Tells by its extension what is to be written; `set.npz#name` names the array in it. @throws UsageError */
export async function parseConvertTarget(text: string): Promise<ConvertTarget> {
  const reference = await parseFileReference(text);
  const format = FORMATS[extname(reference.path).toLowerCase()];
  if (format === undefined) {
    throw new UsageError(`${text}: the extension says what is written, one of ${Object.keys(FORMATS).join(" ")}`);
  }
  return { ...reference, format };
}

/** Tells a text file by its extension, since its content is nobody's in particular. */
export function textFormat({ path }: FileReference): TextFormat | undefined {
  const format = FORMATS[extname(path).toLowerCase()];
  return format === "csv" || format === "ndjson" ? format : undefined;
}

/** Name of an array that has none: that of its file, or of stdin the one that `np.savez` gives. */
export function arrayName({ path, member }: FileReference): string {
  if (member !== undefined) return member.replace(/\.npy$/, "");
  return path === "-" ? "arr_0" : basename(path, extname(path));
}
