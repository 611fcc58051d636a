import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import type { NameFields } from "@npystream/codec";
import type { ArraySet, SetArray } from "./array-set.ts";

/** What becomes of the files of a set that is done. */
export type AfterDone = "keep" | "delete" | MoveAfterDone;

/** Files that are done get another name. */
export interface MoveAfterDone {
  /** How they are named, below the root of the set. */
  readonly move: MoveTemplate;
}

/** The part of a name template that gives files that are done another name. */
export interface MoveTemplate {
  /** The template as it was given. */
  readonly template: string;
  /** Writes a name, relative to the root of the set. */
  format(fields: never): string;
}

/**
 * Removes or moves the files of a set that is done, where they are still those that were delivered.
 *
 * @throws NpyError `ERR_SET_CHANGED`, `ERR_TEMPLATE_PATH`; what the file system says.
 */
export async function tidySet(
  set: Pick<ArraySet, "arrays" | "fields" | "root" | "verify">,
  after: AfterDone,
): Promise<void> {
  if (after === "keep") {
    return;
  }
  await set.verify();
  const arrays: SetArray[] = Object.values(set.arrays);
  if (after !== "delete" && arrays.some(({ shards }) => shards !== undefined)) {
    throw new TypeError("shards and their manifest name each other and cannot be moved; they can be kept or deleted");
  }
  // The manifest first, so that none is left without its shards.
  const files = new Map(arrays.map((array) => [array.path, array]));
  for (const array of arrays) {
    for (const shard of array.shards ?? []) {
      files.set(shard, array);
    }
  }
  for (const [path, { role }] of files) {
    if (after === "delete") {
      await rm(path, { force: true });
    } else {
      const target = join(set.root, formatName(after.move, { ...set.fields, role }, extname(path)));
      await mkdir(dirname(target), { recursive: true });
      await rename(path, target);
    }
  }
}

function formatName({ template, format }: MoveTemplate, fields: NameFields, extension: string): string {
  if (extname(template) !== extension) {
    throw new TypeError(`the template ${template} must end in ${extension}, as the files that are moved`);
  }
  // Which fields there are, the names of the files decide; a template that asks for others says which is missing.
  return (format as (fields: NameFields) => string)(fields);
}
